#include "orchestration/arguments.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "mcp/raw_object.h"
#include "orchestration/read_time.h"
#include "orchestration/records.h"
#include "orchestration/task.h"
#include "orchestration/verbatim.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr std::size_t kShown = 60;  // of a wrong value

std::string Shown(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, kShown))
    shown += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  // No half of a character at the end.
  while (text.size() > kShown && (static_cast<unsigned char>(shown.back()) & 0xc0U) == 0x80U) {
    shown.pop_back();
  }
  if (text.size() > kShown && (static_cast<unsigned char>(shown.back()) & 0x80U) != 0) {
    shown.pop_back();
  }
  return shown + (text.size() > kShown ? "...\"" : "\"");
}

// In the place of another type. Numbers as people write them.
std::string Got(const json::value& value) {
  return value.is_string() ? "the string " + Shown(value.get_string()) : Shown(ToText(value));
}

bool HasControl(std::string_view text, bool breaks_too) {
  return std::ranges::any_of(text, [breaks_too](char c) {
    if (!breaks_too && (c == '\n' || c == '\r' || c == '\t')) return false;
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
}

std::string_view FirstOf(std::string_view names) { return names.substr(0, names.find('|')); }

// The same, and has the others left.
std::string_view TakeFirst(std::string_view& names) {
  const std::string_view first = FirstOf(names);
  names.remove_prefix(std::min(first.size() + 1, names.size()));
  return first;
}

bool Names(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    if (TakeFirst(names) == name) return true;
  }
  return false;
}

}  // namespace

Arguments::Arguments(std::string_view raw) {
  if (raw.empty()) return;
  boost::system::error_code error;
  json::value value = json::parse(raw, error);
  if (error || !value.is_object()) {
    wrong_ = "arguments must be a JSON object, nested at most 32 deep";
    return;
  }
  raw_ = raw;
  values_ = std::move(value.get_object());
}

Arguments::Arguments(json::object values, std::string path)
    : values_(std::move(values)), path_(std::move(path)) {}

std::string Arguments::Called(std::string_view names) const {
  std::string called(FirstOf(names));
  for (std::string_view rest = names; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('|'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    const json::value* const value = values_.if_contains(name);
    if (value == nullptr || value->is_null()) continue;
    called = name;
    break;
  }
  return path_.empty() ? called : path_ + "." + called;
}

void Arguments::Wrong(std::string message) {
  if (wrong_.empty()) wrong_ = std::move(message);
}

const json::value* Arguments::Find(std::string_view names, Need need) {
  asked_.emplace_back(names);
  const json::value* found = nullptr;
  for (std::string_view rest = names; found == nullptr && !rest.empty();) {
    found = values_.if_contains(TakeFirst(rest));
    if (found != nullptr && found->is_null()) found = nullptr;
  }
  if (found == nullptr && need == Need::kRequired) Wrong(Called(names) + " is missing");
  return found;
}

std::optional<std::string> Arguments::Text(std::string_view names, std::size_t most, Need need) {
  const json::value* value = Find(names, need);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    Wrong(Called(names) + " must be a string");
    return std::nullopt;
  }
  const std::string_view text = value->get_string();
  if (text.empty() || text.size() > most) {
    Wrong(fmt::format("{} must have 1 to {} bytes, got {}", Called(names), most, text.size()));
  } else if (HasControl(text, false)) {
    Wrong(Called(names) + " must have no control characters but line breaks and tabs");
  } else {
    return std::string(text);
  }
  return std::nullopt;
}

std::optional<std::string> Arguments::Word(std::string_view names, std::size_t most, Need need) {
  std::optional<std::string> text = Text(names, most, need);
  if (!text || !HasControl(*text, true)) return text;
  Wrong(Called(names) + " must have no control characters");
  return std::nullopt;
}

std::vector<std::string> Arguments::Words(std::string_view names) {
  std::vector<std::string> words;
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return words;
  if (!value->is_array() || value->get_array().size() > kMaxList) {
    Wrong(fmt::format("{} must be a list of at most {} strings", Called(names), kMaxList));
    return words;
  }
  for (const json::value& item : value->get_array()) {
    const bool fits = item.is_string() && !item.get_string().empty() &&
                      item.get_string().size() <= kMaxWord && !HasControl(item.get_string(), true);
    if (!fits) {
      Wrong(fmt::format("{} must hold strings of 1 to {} bytes without control characters",
                        Called(names), kMaxWord));
      return {};
    }
    words.emplace_back(item.get_string());
  }
  std::ranges::sort(words);
  return words;
}

std::optional<std::int64_t> Arguments::Integer(std::string_view names, std::int64_t min,
                                               std::int64_t max, Need need) {
  const json::value* value = Find(names, need);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);  // 10.0 is one, too
  if (!value->is_number() || error || number < min || number > max) {
    Wrong(fmt::format("{} must be a whole number from {} to {}, got {}", Called(names), min, max,
                      Got(*value)));
    return std::nullopt;
  }
  return number;
}

std::int64_t Arguments::Limit() { return Integer("limit", 1, kMostLimit).value_or(kUsualLimit); }

std::int64_t Arguments::LeaseMs() {
  constexpr std::int64_t kShortest = 1000, kLongest = 24 * 3'600'000;
  return Integer("lease_ms", kShortest, kLongest).value_or(0);
}

std::int64_t Arguments::WaitMs(std::int64_t usual) {
  constexpr std::int64_t kLongest = 60'000;
  return Integer("wait_ms", 0, kLongest).value_or(usual);
}

std::optional<std::int64_t> Arguments::Share(std::string_view names) {
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->is_number() ? value->to_number<double>(error) : -1;
  if (!error && number >= 0 && number <= 1) {
    return std::llround(number * 1000);
  }
  Wrong(Called(names) + " must be a number from 0 to 1, got " + Got(*value));
  return std::nullopt;
}

std::optional<bool> Arguments::Bool(std::string_view names) {
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  Wrong(Called(names) + " must be true or false");
  return std::nullopt;
}

std::optional<std::string> Arguments::OneOf(std::string_view names,
                                            std::initializer_list<std::string_view> allowed) {
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return std::nullopt;
  const std::string_view got = value->is_string() ? value->get_string() : std::string_view();
  if (std::ranges::find(allowed, got) != allowed.end()) return std::string(got);
  Wrong(fmt::format("{} must be one of {}, got {}", Called(names), fmt::join(allowed, ", "),
                    Shown(value->is_string() ? std::string(got) : ToText(*value))));
  return std::nullopt;
}

std::optional<Priority> Arguments::PriorityIn(std::string_view names) {
  const std::optional<std::string> word = OneOf(names, {"low", "medium", "high"});
  return word ? PriorityOf(*word) : std::nullopt;
}

std::optional<Status> Arguments::StatusIn(std::string_view names) {
  const std::optional<std::string> word =
      OneOf(names, {"pending", "assigned", "in_progress", "completed", "failed", "cancelled"});
  return word ? StatusOf(*word) : std::nullopt;
}

std::int64_t Arguments::Task(std::string_view names, Need need) {
  const std::optional<std::string> text = Text(names, kMaxId, need);
  if (!text) return 0;
  const Result<TaskId> id = TaskIdOf(*text);
  if (id) return *id;
  Wrong(Called(names) + ": " + id.error().message);
  return 0;
}

std::vector<std::int64_t> Arguments::Tasks(std::string_view names) {
  std::vector<std::int64_t> ids;
  for (const std::string& text : Words(names)) {
    const Result<TaskId> id = TaskIdOf(text);
    if (!id) {
      Wrong(Called(names) + ": " + id.error().message);
      return {};
    }
    ids.push_back(*id);
  }
  return ids;
}

std::int64_t Arguments::Time(std::string_view names) {
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return 0;
  constexpr std::int64_t kYear3000 = 32'503'680'000'000;
  std::optional<std::int64_t> at;
  if (value->is_string()) {
    at = ReadTime(value->get_string());
  } else if (value->is_int64()) {
    at = value->get_int64();
  }
  if (at && *at > 0 && *at < kYear3000) return *at;
  Wrong(Called(names) +
        " must be a time such as 2026-01-31T12:00:00Z or 2026-01-31T14:00:00+02:00, or "
        "milliseconds since 1970");
  return 0;
}

// What parsing it makes of it is another thing: numbers lose what is beyond 64 bits.
std::string Arguments::RawOf(std::string_view names, const json::value& value) {
  const mcp::RawObject members = mcp::RawObject::Parse(raw_);
  std::string raw;
  for (std::string_view rest = names; !rest.empty();) {
    const std::string_view name = TakeFirst(rest);
    if (raw.empty() || raw == "null") raw = members.Get(name);
  }
  if (raw.empty()) return json::serialize(value);  // of an object among others
  boost::system::error_code error;
  // Of two of one name others may read the other one.
  if (json::parse(raw, error) != value || error) Wrong(Called(names) + " stands there twice");
  return raw;
}

std::optional<std::string> Arguments::Json(std::string_view names, std::size_t most) {
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return std::nullopt;
  std::string text = RawOf(names, *value);
  if (text.size() <= most) return text;
  Wrong(fmt::format("{} must have at most {} bytes, got {}", Called(names), most, text.size()));
  return std::nullopt;
}

std::optional<Arguments> Arguments::Child(std::string_view names) {
  const json::value* value = Find(names, Need::kOptional);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) return Arguments(value->get_object(), Called(names));
  Wrong(Called(names) + " must be an object");
  return std::nullopt;
}

std::vector<Arguments> Arguments::Children(std::string_view names, std::size_t most) {
  std::vector<Arguments> children;
  const json::value* value = Find(names, Need::kRequired);
  if (value == nullptr) return children;
  const bool fits = value->is_array() && !value->get_array().empty() &&
                    value->get_array().size() <= most &&
                    std::ranges::all_of(value->get_array(),
                                        [](const json::value& item) { return item.is_object(); });
  if (!fits) {
    Wrong(fmt::format("{} must be a list of 1 to {} objects", Called(names), most));
    return children;
  }
  for (const json::value& item : value->get_array()) {
    children.emplace_back(item.get_object(), fmt::format("{}[{}]", Called(names), children.size()));
  }
  return children;
}

void Arguments::Join(const Arguments& child) {
  if (const Result<void> fine = child.Check(); !fine) Wrong(fine.error().message);
}

Result<void> Arguments::Check() const {
  if (!wrong_.empty()) return Refused(wrong_);
  for (const json::key_value_pair& member : values_) {
    const auto is = [&member](std::string_view names) { return Names(names, member.key()); };
    if (std::ranges::any_of(asked_, is)) continue;
    return Refused(fmt::format("{}there is no argument {}; known: {}",
                               path_.empty() ? "" : path_ + ": ", Shown(member.key()), Known()));
  }
  return {};
}

std::string Arguments::Known() const {
  std::string known;
  for (const std::string& names : asked_) {
    known.append(known.empty() ? "" : ", ").append(FirstOf(names));
  }
  return known;
}

std::set<std::string> Arguments::names() const {
  std::set<std::string> all;
  for (std::string_view names : asked_) {
    while (!names.empty()) all.emplace(TakeFirst(names));
  }
  return all;
}

std::string TimeText(std::int64_t milliseconds) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(milliseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace switchyard::orchestration
