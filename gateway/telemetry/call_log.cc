#include "telemetry/call_log.h"

#include <algorithm>

#include <fmt/compile.h>

#include "telemetry/json_text.h"

namespace switchyard::telemetry {
namespace {

constexpr std::size_t kMaxField = 512;  // names given by clients may be anything

void JsonField(Line& line, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  const std::size_t at = line.size();
  line.resize(at + key.size() + 4);  // at once: it is there a dozen times in each line
  char* out = line.data() + at;
  *out++ = ',';
  *out++ = '"';
  out = std::ranges::copy(key, out).out;
  *out++ = '"';
  *out = ':';
  AppendQuoted(line, value, kMaxField);
}

void TextField(Line& line, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  Append(line, " ");
  Append(line, key);
  Append(line, "=");
  const bool plain = value.find_first_of(" \"\\=\t\r\n") == std::string_view::npos;
  if (plain && value.size() <= kMaxField) return Append(line, value);
  AppendQuoted(line, value, kMaxField);
}

template <class Field>
void AppendFields(Line& line, const CallLine& call, Field field) {
  field(line, "endpoint", call.endpoint);
  field(line, "subject", call.subject);
  field(line, "client", call.client);
  field(line, "era", call.era);
  field(line, "server", call.server);
  field(line, "tool", call.tool);
  field(line, "method", call.method);
  field(line, "answered_by", call.stand_in);
  field(line, "outcome", ToString(call.outcome));
  field(line, "code", call.code);
  field(line, "error", call.message);
  field(line, "detail", call.detail);
}

}  // namespace

void CallLog::Write(const CallLine& call) {
  Line line;
  if (format_ == LogFormat::kJson) {
    Append(line, R"({"time":")");
    AppendTime(line, call.time);
    Append(line, R"(","level":"info","event":"call")");
    AppendFields(line, call, JsonField);
    Append(line, R"(,"duration_ms":)");
    AppendMilliseconds(line, call.duration);
    fmt::format_to(fmt::appender(line), FMT_COMPILE(R"(,"bytes_in":{},"bytes_out":{})"),
                   call.bytes_in, call.bytes_out);
    if (call.attempts > 1) {
      fmt::format_to(fmt::appender(line), FMT_COMPILE(R"(,"attempts":{})"), call.attempts);
    }
    JsonField(line, "trace", call.trace);
    Append(line, "}");
  } else {
    AppendTime(line, call.time);
    Append(line, " info call");
    AppendFields(line, call, TextField);
    line.push_back(' ');
    AppendMilliseconds(line, call.duration);
    fmt::format_to(fmt::appender(line), FMT_COMPILE("ms in={} out={}"), call.bytes_in,
                   call.bytes_out);
    if (call.attempts > 1) {
      fmt::format_to(fmt::appender(line), FMT_COMPILE(" attempts={}"), call.attempts);
    }
    TextField(line, "trace", call.trace);
  }
  lines_.Append({line.data(), line.size()});
}

}  // namespace switchyard::telemetry
