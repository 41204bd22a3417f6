#include "cli/audit.h"

#include <deque>
#include <fstream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "audit/body.h"
#include "audit/lines.h"
#include "audit/query.h"
#include "audit/verify_log.h"
#include "cli/exit.h"
#include "config/units.h"
#include "pins/definition.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

// As ${file:...} of the configuration reads it: without the line break at its end.
std::optional<std::string> ReadKey(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string key{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  return key;
}

json::object ToJson(const audit::LogFiles& log, const audit::Verified& verified) {
  const audit::Verifier::Summary& summary = verified.summary;
  json::object events;
  for (const auto& [event, count] : summary.events) events[event] = count;
  json::object out{{"log", log.path},
                   {"ok", !verified.problem},
                   {"files", verified.files},
                   {"records", summary.records},
                   {"from_the_beginning", summary.from_the_beginning},
                   {"torn", verified.torn},
                   {"events", std::move(events)}};
  if (summary.records > 0) {
    out["first"] = json::object{{"seq", summary.first_seq}, {"time", summary.first_time}};
    out["last"] = json::object{
        {"seq", summary.last_seq}, {"time", summary.last_time}, {"hash", summary.last_hash}};
  }
  if (const auto& problem = verified.problem) {
    out["problem"] =
        json::object{{"file", problem->file}, {"line", problem->line}, {"reason", problem->reason}};
  }
  return out;
}

void Tell(const audit::LogFiles& log, const audit::Verified& verified, std::ostream& out,
          std::ostream& err) {
  const audit::Verifier::Summary& summary = verified.summary;
  if (const auto& problem = verified.problem) {
    const std::string where = problem->line > 0
                                  ? fmt::format("{}:{}: the record ", problem->file, problem->line)
                                  : problem->file + ": ";
    err << where << problem->reason << "\n";
    if (summary.records > 0) {
      err << fmt::format("{} records before it are whole, up to number {} of {}\n", summary.records,
                         summary.last_seq, summary.last_time);
    }
    return;
  }
  out << fmt::format("{} is whole: {} records in {} file{}, number {} of {} to number {} of {}\n",
                     log.path, summary.records, verified.files, verified.files == 1 ? "" : "s",
                     summary.first_seq, summary.first_time, summary.last_seq, summary.last_time);
  if (!summary.from_the_beginning) {
    out << (log.whole ? "  the files before it were removed, as keep_files and keep_for say\n"
                      : "  one file of a log: those before and behind it were not looked at\n");
  }
  if (const auto gaps = summary.events.find("gap"); gaps != summary.events.end()) {
    out << fmt::format("  {} times it could not be written: see its gap records\n", gaps->second);
  }
  if (const auto cuts = summary.events.find("repaired"); cuts != summary.events.end()) {
    out << fmt::format("  {} times a line was cut that an end of the process left torn\n",
                       cuts->second);
  }
  if (verified.torn) out << "  its last line is not finished: it is being written, or was torn\n";
  out << "  last hash " << summary.last_hash << "\n";
}

// A time as records have it; nullopt: it is none.
std::optional<std::string> TimeOf(const std::string& text, const Clock& clock) {
  if (text.empty()) return text;
  if (const auto ago = config::ParseDuration(text)) {
    const auto time = clock.WallNow() - *ago;
    return audit::TimeText(std::chrono::floor<std::chrono::microseconds>(time));
  }
  const std::optional<audit::WallTime> time = audit::ParseTime(text);
  if (!time) return std::nullopt;
  return audit::TimeText(*time);
}

// Callers choose some of the words: safe to print.
std::string Row(const audit::Record& record) {
  const std::string who = record.subject.empty() ? "-" : record.subject;
  std::string what = record.server.empty() ? record.item : record.server + "/" + record.item;
  if (what.empty()) what = record.method;
  if (what.empty()) what = record.changed;
  const std::string& became = record.outcome.empty() ? record.decision : record.outcome;
  std::string row = fmt::format("{:>8}  {}  {:<8} {:<16} {:<32} {}", record.seq, record.time,
                                record.event, who, what, became);
  if (!record.code.empty()) row += " " + record.code;
  if (!record.rule.empty()) row += " rule " + record.rule;
  if (!record.acting_as.empty()) row += " as " + record.acting_as;
  if (record.event == "call") {
    row += fmt::format(" {:.3f}ms", static_cast<double>(record.duration_us) / 1000);
  }
  while (row.ends_with(' ')) row.pop_back();
  return pins::Visible(row);
}

// Lines that match, the newest so many.
class Query {
 public:
  Query(audit::Filter filter, std::size_t limit, bool as_json, std::ostream& out)
      : filter_(std::move(filter)), limit_(limit), json_(as_json), out_(out) {}

  void See(std::string_view line) {
    const auto record = reader_.Read(line);
    if (!record) {
      ++unreadable_;
      return;
    }
    if (!filter_.Matches(*record)) return;
    std::string text = json_ ? std::string(line) : Row(*record);
    if (limit_ == 0) {
      out_ << text << "\n";
      return;
    }
    if (found_.size() == limit_) {
      found_.pop_front();
      ++left_out_;
    }
    found_.push_back(std::move(text));
  }

  void End(std::ostream& err) {
    for (const std::string& text : found_) out_ << text << "\n";
    if (left_out_ > 0) {
      err << fmt::format("{} older ones match, too; see --limit\n", left_out_);
    }
    if (unreadable_ > 0) {
      err << fmt::format("{} lines are no records; see `switchyard audit verify`\n", unreadable_);
    }
  }

 private:
  const audit::Filter filter_;
  const std::size_t limit_;
  const bool json_;
  std::ostream& out_;
  audit::RecordReader reader_;
  std::deque<std::string> found_;
  std::size_t left_out_ = 0, unreadable_ = 0;
};

// False: it is told on `err`.
bool Search(const audit::LogFiles& log, Query& query, std::ostream& err) {
  Result<std::vector<audit::OpenFile>> files = audit::OpenAll(log);
  if (!files) {
    err << files.error().message << "\n";
    return false;
  }
  for (audit::OpenFile& file : *files) {
    audit::LineReader lines(std::move(file.fd));
    std::string_view line;
    for (;;) {
      const audit::LineReader::Found found = lines.Next(line);
      if (found == audit::LineReader::Found::kLine) {
        query.See(line);
        continue;
      }
      const bool ended =
          found == audit::LineReader::Found::kEnd || found == audit::LineReader::Found::kTorn;
      if (ended) break;
      err << file.name << ": is no audit log, or cannot be read\n";
      return false;
    }
  }
  return true;
}

}  // namespace

int RunAuditVerify(const AuditVerifyOptions& options, std::ostream& out, std::ostream& err) {
  audit::Verifier::Options how{.head = options.head};
  if (!options.key_file.empty()) {
    const std::optional<std::string> key = ReadKey(options.key_file);
    if (!key || key->empty()) {
      err << options.key_file << ": cannot be read, or is empty\n";
      return kUsage;
    }
    how.hasher = audit::Hasher(*key);
  }
  const Result<std::vector<audit::LogFiles>> logs = audit::FindLogs(options.path);
  if (!logs) {
    err << logs.error().message << "\n";
    return kFailed;
  }
  audit::Progress progress;
  if (options.progress) {
    progress = [&err](std::uint64_t done, std::uint64_t all) {
      err << fmt::format("\r{} of {} MiB ", done >> 20, all >> 20) << std::flush;
    };
  }
  bool fine = true;
  json::array told;
  for (const audit::LogFiles& log : *logs) {
    const audit::Verified verified = audit::VerifyLog(log, how, progress);
    fine = fine && !verified.problem;
    if (options.json) {
      told.push_back(ToJson(log, verified));
    } else {
      Tell(log, verified, out, err);
    }
  }
  if (options.json) {
    out << json::serialize(json::object{{"ok", fine}, {"logs", std::move(told)}}) << "\n";
  }
  return fine ? kOk : kFailed;
}

int RunAuditQuery(const AuditQueryOptions& options, const Clock& clock, std::ostream& out,
                  std::ostream& err) {
  const std::optional<std::string> since = TimeOf(options.since, clock);
  const std::optional<std::string> until = TimeOf(options.until, clock);
  if (!since || !until) {
    err << (since ? "--until" : "--since")
        << " must be a time such as 2026-01-31T23:59:59Z, or how long ago: 2h\n";
    return kUsage;
  }
  const Result<std::vector<audit::LogFiles>> logs = audit::FindLogs(options.path);
  if (!logs) {
    err << logs.error().message << "\n";
    return kFailed;
  }
  Query query({.principal = options.principal,
               .tool = options.tool,
               .server = options.server,
               .outcome = options.outcome,
               .event = options.event,
               .session = options.session,
               .rule = options.rule,
               .trace = options.trace,
               .acting_as = options.acting_as,
               .since = *since,
               .until = *until},
              options.limit, options.json, out);
  for (const audit::LogFiles& log : *logs) {
    if (!Search(log, query, err)) return kFailed;
  }
  query.End(err);
  return kOk;
}

}  // namespace switchyard::cli
