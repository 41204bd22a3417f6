#include "audit/body.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "base/digest.h"
#include "telemetry/json_text.h"

namespace switchyard::audit {
namespace {

using telemetry::Append;
using telemetry::Line;

void Time(Line& line, WallTime time) {
  using namespace std::chrono;
  telemetry::AppendTime(line, time);
  line.resize(line.size() - 1);  // its Z
  const auto rest = floor<microseconds>(time) - floor<milliseconds>(time);
  fmt::format_to(fmt::appender(line), FMT_COMPILE("{:03d}Z"), rest.count());
}

void Key(Line& line, std::string_view key) {
  Append(line, ",\"");
  Append(line, key);
  Append(line, "\":");
}

void Text(Line& line, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  Key(line, key);
  telemetry::AppendQuoted(line, value, kLongestName);
}

void Number(Line& line, std::string_view key, std::int64_t value) {
  Key(line, key);
  fmt::format_to(fmt::appender(line), FMT_COMPILE("{}"), value);
}

void Begin(Line& line, WallTime time, std::string_view event) {
  Append(line, R"("time":")");
  Time(line, time);
  Append(line, R"(","event":")");
  Append(line, event);
  Append(line, "\"");
}

std::string_view WordOf(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kCall: return "call";
    case Event::Kind::kRefused: return "refused";
    case Event::Kind::kApproval: return "approval";
    case Event::Kind::kAccount: return "account";
    case Event::Kind::kPin: return "pin";
    case Event::Kind::kReload: return "reload";
  }
  return "call";
}

void Cost(Line& line, const Event& event) {
  Line cost;
  const auto add = [&cost](std::string_view key, const std::optional<std::int64_t>& value) {
    if (value) Number(cost, key, *value);
  };
  add("calls", event.calls);
  add("bytes", event.bytes);
  add("tokens", event.tokens);
  add("money_millionths", event.money);
  add("milliseconds", event.milliseconds);
  if (cost.size() == 0) return;
  Key(line, "cost");
  line.push_back('{');
  Append(line, std::string_view(cost.data(), cost.size()).substr(1));
  line.push_back('}');
}

}  // namespace

std::string SessionName(std::string_view id) {
  return id.empty() ? std::string() : Sha256(id).substr(0, 16);
}

std::string TimeText(WallTime time) {
  Line line;
  Time(line, time);
  return {line.data(), line.size()};
}

std::string BodyOf(const Event& event) {
  Line line;
  Begin(line, event.time, WordOf(event.kind));
  Text(line, "issuer", event.issuer);
  Text(line, "subject", event.subject);
  Text(line, "client", event.client);
  Text(line, "session", event.session);
  Text(line, "agent", event.agent);
  Text(line, "acting_as", event.acting_as);
  Text(line, "endpoint", event.endpoint);
  Text(line, "server", event.server);
  if (!event.item_key.empty()) Text(line, event.item_key, event.item);
  Text(line, "method", event.method);
  Text(line, "definition", event.definition);
  Text(line, "configuration", event.configuration);
  Text(line, "configuration_before", event.configuration_before);
  Text(line, "changed", event.changed);
  Text(line, "peer", event.peer);
  Text(line, "credential", event.credential);
  Text(line, "key_prefix", event.key_prefix);
  Text(line, "arguments_sha256", event.digest);
  if (!event.arguments.empty()) {
    Key(line, "arguments");
    Append(line, event.arguments);
  }
  if (event.arguments_left_out > 0) {
    Number(line, "arguments_left_out", static_cast<std::int64_t>(event.arguments_left_out));
  }
  Text(line, "decision", event.decision);
  Text(line, "decided_by", event.decided_by);
  Text(line, "rule", event.rule);
  Text(line, "approval", event.approval);
  Text(line, "approver", event.approver);
  Text(line, "outcome", event.outcome);
  Text(line, "code", event.code);
  Text(line, "reason", event.reason);
  Text(line, "answered_by", event.answered_by);
  if (event.left_out > 0) Number(line, "left_out", static_cast<std::int64_t>(event.left_out));
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(event.duration).count();
  Number(line, "duration_us", std::max<std::int64_t>(took, 0));
  if (event.attempts > 1) Number(line, "attempts", event.attempts);
  Cost(line, event);
  Text(line, "trace", event.trace);
  return {line.data(), line.size()};
}

OwnBody::OwnBody(WallTime time, std::string_view event) {
  Line line;
  Begin(line, time, event);
  text_.assign(line.data(), line.size());
}

OwnBody& OwnBody::Add(std::string_view key, std::string_view text) {
  Line line;
  Text(line, key, text);
  text_.append(line.data(), line.size());
  return *this;
}

OwnBody& OwnBody::Add(std::string_view key, std::uint64_t number) {
  fmt::format_to(std::back_inserter(text_), FMT_COMPILE(",\"{}\":{}"), key, number);
  return *this;
}

}  // namespace switchyard::audit
