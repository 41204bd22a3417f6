#include "example_features.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <utility>

#include <boost/json.hpp>

namespace switchyard::example {
namespace {

constexpr std::int64_t kMaxCount = 100'000, kMaxIntervalMs = 60'000, kDefaultIntervalMs = 500;
constexpr int kLegacyResourceNotFound = -32002;

constexpr Text kTools = R"json([
{"name":"add","title":"Add","description":"Adds two numbers.",
 "inputSchema":{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]},
 "outputSchema":{"type":"object","properties":{"sum":{"type":"number"}},"required":["sum"]},
 "annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}},
{"name":"count","title":"Count","description":"Counts from 1 to a number, one step each interval, and reports progress. Can be cancelled.",
 "inputSchema":{"type":"object","properties":{
  "to":{"type":"integer","minimum":1,"maximum":100000,"description":"Where to stop."},
  "interval_ms":{"type":"integer","minimum":0,"maximum":60000,"default":500,"description":"Pause before each step."}},"required":["to"]},
 "annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}},
{"name":"echo","title":"Echo","description":"Returns the message it was given.",
 "inputSchema":{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]},
 "annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}},
{"name":"time","title":"Time","description":"Returns the current date and time, in UTC unless an offset or a zone is given.",
 "inputSchema":{"type":"object","properties":{
  "offset":{"type":"string","pattern":"^[+-][0-9]{2}:[0-9]{2}$","description":"UTC offset such as +05:30."},
  "zone":{"type":"string","description":"IANA time zone such as Europe/Berlin."}}},
 "outputSchema":{"type":"object","properties":{"time":{"type":"string"},"unix":{"type":"integer"},"zone":{"type":"string"}},"required":["time","unix","zone"]},
 "annotations":{"readOnlyHint":true,"openWorldHint":false}}
])json";
constexpr Text kPrompts =
    R"json([{"name":"greet","title":"Greet","description":"Asks for a greeting.",
 "arguments":[{"name":"name","description":"Whom to greet.","required":true}]}])json";
constexpr Text kResources = R"json([{"uri":"example://about","name":"about","title":"About",
 "description":"What this server is.","mimeType":"text/plain"}])json";
constexpr Text kTemplates =
    R"json([{"uriTemplate":"example://greeting/{name}","name":"greeting","title":"Greeting",
 "description":"A greeting for a name.","mimeType":"text/plain"}])json";

constexpr Text kAbout = "A small MCP server that comes with the Switchyard gateway.\n";
constexpr Text kGreetingPrefix = "example://greeting/";
constexpr std::array<Text, 8> kNames = {"Ada",    "Alan",  "Barbara", "Dennis",
                                        "Edsger", "Grace", "Ken",     "Margaret"};

const json::object kEmpty;

Outcome ListOf(Text key, Text items, const json::object& params, Face face) {
  const json::value* cursor = params.if_contains("cursor");
  if (cursor && *cursor != "") return Refuse(kInvalidParams, "unknown cursor");
  json::array list = json::parse(items).as_array();
  for (json::value& item : list) {
    if (!face.since("2025-06-18")) {
      item.as_object().erase("title");
      item.as_object().erase("outputSchema");
    }
    if (!face.since("2025-03-26")) item.as_object().erase("annotations");
  }
  return json::object{{key, std::move(list)}};
}

json::object StructuredContent(json::object value, Face face) {
  json::object result = TextContent(json::serialize(value));
  if (face.since("2025-06-18")) result["structuredContent"] = std::move(value);
  return result;
}

std::string Iso8601(const std::tm& tm, long offset_seconds) {
  std::array<char, 48> buffer;
  std::size_t size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &tm);
  std::string text(buffer.data(), size);
  if (offset_seconds == 0) return text + "Z";
  auto two = [](long n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  long minutes = std::labs(offset_seconds) / 60;
  return text + (offset_seconds < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60);
}

std::optional<long> ParseOffset(Text text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return {};
  int hours = 0, minutes = 0;
  const char* data = text.data();
  if (std::from_chars(data + 1, data + 3, hours).ptr != data + 3) return {};
  if (std::from_chars(data + 4, data + 6, minutes).ptr != data + 6) return {};
  if (hours < 0 || minutes < 0 || hours > 23 || minutes > 59) return {};
  return (text[0] == '-' ? -1L : 1L) * (hours * 3600 + minutes * 60);
}

// The C library takes an unknown zone for UTC without a word, so its file is looked up first.
bool ZoneExists(Text zone) {
  auto plain = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '+'; };
  bool start = true;  // of a path element: no "..", no "//", no absolute path
  for (char c : zone) {
    if (c == '/' ? start : !plain(static_cast<unsigned char>(c))) return false;
    start = c == '/';
  }
  const char* root = std::getenv("TZDIR");
  std::error_code error;
  return !zone.empty() &&
         std::filesystem::is_regular_file(
             std::filesystem::path(root ? root : "/usr/share/zoneinfo") / zone, error);
}

std::tm InZone(std::time_t now, const std::string& zone) {
  const char* before = std::getenv("TZ");
  std::optional<std::string> kept = before ? std::optional<std::string>(before) : std::nullopt;
  ::setenv("TZ", (":" + zone).c_str(), 1);  // one thread, no library that reads it meanwhile
  ::tzset();
  std::tm tm{};
  ::localtime_r(&now, &tm);
  kept ? ::setenv("TZ", kept->c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
  return tm;
}

std::optional<std::string> PercentDecoded(Text text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = static_cast<unsigned char>(text[i]);
    if (byte == '%') {
      if (i + 2 >= text.size()) return {};
      const char* end = text.data() + i + 3;
      if (std::from_chars(end - 2, end, byte, 16).ptr != end) return {};
      i += 2;
    }
    plain.push_back(static_cast<char>(byte));
  }
  // decoded bytes need not be UTF-8, and JSON must be: let the parser judge
  json::error_code error;
  json::parse(json::serialize(json::string(plain)), error);
  return error ? std::nullopt : std::optional(std::move(plain));
}

}  // namespace

std::unexpected<RpcError> Refuse(int code, std::string message, json::object data) {
  return std::unexpected(RpcError{code, std::move(message), std::move(data)});
}

const json::string* StringAt(const json::object& object, Text key) {
  const json::value* found = object.if_contains(key);
  return found ? found->if_string() : nullptr;
}

const json::object* ObjectAt(const json::object& object, Text key) {
  const json::value* found = object.if_contains(key);
  return found ? found->if_object() : &kEmpty;
}

json::object TextContent(Text text) {
  return {{"content", json::array{json::object{{"type", "text"}, {"text", text}}}}};
}

json::object ToolError(Text text) {
  json::object result = TextContent(text);
  result["isError"] = true;
  return result;
}

Outcome ListTools(const json::object& params, Face face) {
  return ListOf("tools", kTools, params, face);
}
Outcome ListPrompts(const json::object& params, Face face) {
  return ListOf("prompts", kPrompts, params, face);
}
Outcome ListResources(const json::object& params, Face face) {
  return ListOf("resources", kResources, params, face);
}
Outcome ListTemplates(const json::object& params, Face face) {
  return ListOf("resourceTemplates", kTemplates, params, face);
}

json::object Echo(const json::object& arguments) {
  const json::string* message = StringAt(arguments, "message");
  return message ? TextContent(*message) : ToolError("message must be a string");
}

json::object Add(const json::object& arguments, Face face) {
  const json::value *a = arguments.if_contains("a"), *b = arguments.if_contains("b");
  if (!a || !b || !a->is_number() || !b->is_number()) return ToolError("a and b must be numbers");
  std::int64_t whole = 0;
  if (a->is_int64() && b->is_int64() &&
      !__builtin_add_overflow(a->get_int64(), b->get_int64(), &whole)) {
    return StructuredContent({{"sum", whole}}, face);
  }
  double sum = a->to_number<double>() + b->to_number<double>();
  if (!std::isfinite(sum)) return ToolError("the sum is too large");
  return StructuredContent({{"sum", sum}}, face);
}

json::object TimeNow(const json::object& arguments, const Clock& clock, Face face) {
  const json::value *offset = arguments.if_contains("offset"),
                    *zone = arguments.if_contains("zone");
  if (offset && zone) return ToolError("give an offset or a zone, not both");
  std::time_t now = std::chrono::system_clock::to_time_t(clock.WallNow());
  std::tm tm{};
  if (zone) {
    if (!zone->is_string() || !ZoneExists(zone->get_string())) {
      return ToolError("zone must be an IANA time zone known on this machine");
    }
    std::string name(Text(zone->get_string()));
    tm = InZone(now, name);
    return StructuredContent(
        {{"time", Iso8601(tm, tm.tm_gmtoff)}, {"unix", std::int64_t{now}}, {"zone", name}}, face);
  }
  std::optional<long> seconds = 0;
  if (offset) seconds = offset->is_string() ? ParseOffset(offset->get_string()) : std::nullopt;
  if (!seconds) return ToolError("offset must look like +05:30");
  std::time_t shifted = now + *seconds;
  ::gmtime_r(&shifted, &tm);
  json::object result{{"time", Iso8601(tm, *seconds)}, {"unix", std::int64_t{now}}};
  result["zone"] = offset ? Text(offset->get_string()) : Text("UTC");
  return StructuredContent(std::move(result), face);
}

std::expected<CountPlan, Text> PlanCount(const json::object& arguments) {
  const json::value *to = arguments.if_contains("to"),
                    *interval = arguments.if_contains("interval_ms");
  const std::int64_t* last = to ? to->if_int64() : nullptr;
  if (!last || *last < 1 || *last > kMaxCount) {
    return std::unexpected("to must be a whole number from 1 to 100000");
  }
  const std::int64_t* pause = interval ? interval->if_int64() : &kDefaultIntervalMs;
  if (!pause || *pause < 0 || *pause > kMaxIntervalMs) {
    return std::unexpected("interval_ms must be a whole number from 0 to 60000");
  }
  return CountPlan{*last, std::chrono::milliseconds(*pause)};
}

Outcome GetPrompt(const json::object& params) {
  const json::string* name = StringAt(params, "name");
  if (!name || *name != "greet") return Refuse(kInvalidParams, "unknown prompt");
  const json::object* arguments = ObjectAt(params, "arguments");
  const json::string* who = arguments ? StringAt(*arguments, "name") : nullptr;
  if (!who) return Refuse(kInvalidParams, "prompt greet: argument name must be a string");
  std::string ask = "Write a short, friendly greeting for " + std::string(Text(*who)) + ".";
  json::object message{{"role", "user"}, {"content", {{"type", "text"}, {"text", ask}}}};
  return json::object{{"description", "Asks for a greeting."},
                      {"messages", json::array{std::move(message)}}};
}

Outcome ReadResource(const json::object& params, Face face) {
  const json::string* uri = StringAt(params, "uri");
  if (!uri) return Refuse(kInvalidParams, "uri must be a string");
  std::optional<std::string> text;
  Text asked = *uri;
  if (asked == "example://about") text = kAbout;
  if (asked.starts_with(kGreetingPrefix)) {
    Text name = asked.substr(kGreetingPrefix.size());
    if (!name.empty() && !name.contains('/')) text = PercentDecoded(name);
    if (text) text = "Hello, " + *text + "!";
  }
  int missing = face.modern() ? kInvalidParams : kLegacyResourceNotFound;
  if (!text) return Refuse(missing, "resource not found", {{"uri", asked}});
  json::object content{{"uri", asked}, {"mimeType", "text/plain"}, {"text", *text}};
  return json::object{{"contents", json::array{std::move(content)}}};
}

Outcome Complete(const json::object& params) {
  const json::object *ref = ObjectAt(params, "ref"), *argument = ObjectAt(params, "argument");
  if (!ref || !argument) return Refuse(kInvalidParams, "ref and argument must be objects");
  const json::string *type = StringAt(*ref, "type"), *name = StringAt(*argument, "name"),
                     *value = StringAt(*argument, "value");
  if (!type || !name || !value) {
    return Refuse(kInvalidParams, "ref.type, argument.name and argument.value must be strings");
  }
  const json::string *prompt = StringAt(*ref, "name"), *uri = StringAt(*ref, "uri");
  bool known = (*type == "ref/prompt" && prompt && *prompt == "greet") ||
               (*type == "ref/resource" && uri && *uri == "example://greeting/{name}");
  if (!known) return Refuse(kInvalidParams, "unknown completion reference");
  json::array values;
  for (Text candidate : kNames) {
    if (*name == "name" && candidate.starts_with(Text(*value))) values.emplace_back(candidate);
  }
  std::size_t total = values.size();
  return json::object{
      {"completion", {{"values", std::move(values)}, {"total", total}, {"hasMore", false}}}};
}

}  // namespace switchyard::example
