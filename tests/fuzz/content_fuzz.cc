// Results and progress notifications for older revisions. Lines: a digit (the revision), a result
// or params (JSON).
// - it stays a readable answer to the same request; to convert it again changes nothing;
// - nothing is left that the revision does not know;
// - what has nothing of the kind keeps its bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "edge/content.h"
#include "fuzz/require.h"
#include "mcp/message.h"

namespace {

using namespace switchyard;
using fuzz::Require;
using mcp::Version;
namespace json = boost::json;

json::value Read(std::string_view text, boost::system::error_code& problem) {
  return json::parse(text, problem, {}, {.max_depth = mcp::Message::kMaxDepth});
}

std::string TypeOf(const json::value& block) {
  const json::object* object = block.if_object();
  const json::value* type = object == nullptr ? nullptr : object->if_contains("type");
  return type != nullptr && type->is_string() ? std::string(type->get_string()) : "";
}

bool Knows(Version version, const json::value& block) {
  const std::string type = TypeOf(block);
  if (type == "audio") return version >= Version::k2025_03_26;
  if (type != "resource_link") return true;
  if (version < Version::k2025_06_18) return false;
  return version >= Version::k2025_11_25 || !block.get_object().contains("icons");
}

bool Knows(Version version, const json::object& result) {
  if (const json::value* structured = result.if_contains("structuredContent")) {
    if (version < Version::k2025_06_18 || !structured->is_object()) return false;
  }
  if (const json::value* content = result.if_contains("content"); content && content->is_array()) {
    for (const json::value& block : content->get_array()) {
      if (!Knows(version, block)) return false;
    }
  }
  const json::value* messages = result.if_contains("messages");
  if (messages == nullptr || !messages->is_array()) return true;
  for (const json::value& message : messages->get_array()) {
    const json::object* object = message.if_object();
    const json::value* content = object == nullptr ? nullptr : object->if_contains("content");
    if (content != nullptr && !Knows(version, *content)) return false;
  }
  return true;
}

std::string Converted(const std::string& text, Version version) {
  Result<mcp::Message> message = mcp::Message::Parse(text, mcp::Check::kEnvelope);
  Require(message.has_value(), "what was converted can be read");
  edge::ContentForLegacy(*message, version);
  Require(message->id() == "7", "the id stays");
  return message->ToText();
}

void CheckResult(const std::string& raw, Version version) {
  const std::string text = R"({"jsonrpc":"2.0","id":7,"result":)" + raw + "}";
  const Result<mcp::Message> given = mcp::Message::Parse(text, mcp::Check::kFull);
  boost::system::error_code problem;
  const json::value before = Read(raw, problem);
  if (!given || problem || !before.is_object()) return;
  const std::string once = Converted(text, version);
  const json::value after = Read(once, problem);
  Require(!problem, "still JSON");
  const json::object& result = after.at("result").as_object();
  Require(Knows(version, result), "nothing is left that the revision does not know");
  Require(Converted(once, version) == once, "twice is once");
  if (Knows(version, before.get_object())) {
    Require(after.at("result") == before, "what needed no change says the same");
  }
}

void CheckProgress(const std::string& raw, Version version) {
  const std::string text =
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":)" + raw + "}";
  Result<mcp::Message> message = mcp::Message::Parse(text, mcp::Check::kFull);
  boost::system::error_code problem;
  json::value params = Read(raw, problem);
  if (!message || problem || !params.is_object()) return;
  edge::ProgressForLegacy(*message, version);
  if (version < Version::k2025_03_26) params.get_object().erase("message");
  const json::value after = Read(message->ToText(), problem);
  Require(!problem && after.at("params") == params, "progress loses its message and nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const std::string which = lines.Next(), raw = lines.Rest();
  const auto version = static_cast<Version>(which.empty() ? 0 : which[0] % 4);  // legacy ones
  CheckResult(raw, version);
  CheckProgress(raw, version);
  return 0;
}
