#include "audit/record.h"

#include <array>
#include <system_error>
#include <utility>

#include <simdjson.h>

#include "audit/chain.h"
#include "base/time_parts.h"

namespace switchyard::audit {
namespace {

namespace dom = simdjson::dom;

struct Field {
  std::string_view key;
  std::string Record::* text;
};
constexpr std::array kTexts = {
    Field{"time", &Record::time},
    Field{"event", &Record::event},
    Field{"prev", &Record::previous},
    Field{"hash", &Record::hash},
    Field{"issuer", &Record::issuer},
    Field{"subject", &Record::subject},
    Field{"client", &Record::client},
    Field{"session", &Record::session},
    Field{"agent", &Record::agent},
    Field{"endpoint", &Record::endpoint},
    Field{"server", &Record::server},
    Field{"tool", &Record::item},
    Field{"prompt", &Record::item},
    Field{"resource", &Record::item},
    Field{"task", &Record::item},
    Field{"method", &Record::method},
    Field{"decision", &Record::decision},
    Field{"rule", &Record::rule},
    Field{"approval", &Record::approval},
    Field{"approver", &Record::approver},
    Field{"outcome", &Record::outcome},
    Field{"code", &Record::code},
    Field{"reason", &Record::reason},
    Field{"trace", &Record::trace},
    Field{"mac", &Record::mac},
    Field{"arguments_sha256", &Record::digest},
    Field{"item", &Record::item},
    Field{"authorization_server", &Record::item},
    Field{"acting_as", &Record::acting_as},
    Field{"definition", &Record::definition},
    Field{"changed", &Record::changed},
    Field{"configuration", &Record::configuration},
};

// Takes one member; false: it is not of the kind that it must be.
bool Take(Record& record, std::string_view key, const dom::element& value) {
  for (const Field& field : kTexts) {
    if (field.key != key) continue;
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return false;
    record.*field.text = text;
    return true;
  }
  std::uint64_t number = 0;
  if (key == "seq") return value.get(record.seq) == simdjson::SUCCESS;
  if (key == "oldest") return value.get(record.oldest) == simdjson::SUCCESS;
  if (key == "duration_us") return value.get(record.duration_us) == simdjson::SUCCESS;
  if (key == "v") return value.get(number) == simdjson::SUCCESS && number == 1;
  return true;
}

}  // namespace

struct RecordReader::Parser {
  dom::parser parser;
};

RecordReader::RecordReader() : parser_(std::make_unique<Parser>()) {}
RecordReader::~RecordReader() = default;

std::expected<Record, std::string> RecordReader::Read(std::string_view line) {
  if (line.size() > kLongestLine) return std::unexpected("it is too long");
  dom::object object;
  if (parser_->parser.parse(line.data(), line.size(), true).get(object) != simdjson::SUCCESS) {
    return std::unexpected("it is not a JSON object");
  }
  Record record;
  bool version = false;
  for (const auto& [key, value] : object) {
    version = version || key == "v";
    if (!Take(record, key, value)) {
      return std::unexpected("its member " + std::string(key) + " is not what it must be");
    }
  }
  if (!version) return std::unexpected("it has no version");
  if (record.seq == 0 || record.time.empty() || record.event.empty()) {
    return std::unexpected("it has no number, time or event");
  }
  if (record.previous.size() != 64 || NamedHash(line) != record.hash) {
    return std::unexpected("it does not end with a hash, or names none before it");
  }
  return record;
}

std::optional<WallTime> ParseTime(std::string_view text) {
  using namespace std::chrono;
  const auto years = TakeDigits(text, 4);
  constexpr int kFirst = 1970, kLast = 2261;  // 64 bits of nanoseconds end in the year after it
  if (!years || *years < kFirst || *years > kLast || !TakeChar(text, '-')) return std::nullopt;
  const auto months = TakeDigits(text, 2);
  if (!months || !TakeChar(text, '-')) return std::nullopt;
  const auto days_of = TakeDigits(text, 2);
  if (!days_of) return std::nullopt;
  const year_month_day date(year(*years), month(static_cast<unsigned>(*months)),
                            day(static_cast<unsigned>(*days_of)));
  if (!date.ok()) return std::nullopt;
  microseconds clock{0};
  if (TakeChar(text, 'T') || TakeChar(text, ' ')) {
    const auto hour = TakeDigits(text, 2);
    if (!hour || *hour > 23 || !TakeChar(text, ':')) return std::nullopt;
    const auto minute = TakeDigits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    clock = hours(*hour) + minutes(*minute);
    if (TakeChar(text, ':')) {
      const auto second = TakeDigits(text, 2);
      if (!second || *second > 60) return std::nullopt;
      clock += seconds(*second);
      if (TakeChar(text, '.')) {
        const auto fraction = TakeFraction(text);
        if (!fraction) return std::nullopt;
        clock += *fraction;
      }
    }
  }
  const auto offset = text.empty() ? minutes(0) : ReadOffset(text);
  if (!offset) return std::nullopt;
  return WallTime(sys_days(date)) + clock - *offset;
}

}  // namespace switchyard::audit
