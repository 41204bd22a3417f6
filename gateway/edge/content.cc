#include "edge/content.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace switchyard::edge {
namespace {

namespace json = boost::json;
using mcp::Version;

constexpr std::string_view kLink = "resource_link";
constexpr std::string_view kAudio = R"("audio")";
constexpr std::string_view kIcons = R"("icons")";
// An embedded resource must have a URI. Nobody can read this one; its bytes are right there.
constexpr std::string_view kAudioUri = "attachment:audio";

bool IsUnreadable(std::string_view structured, Version version) {
  if (structured.empty()) return false;
  return version < Version::k2025_06_18 || !structured.starts_with('{');
}

// What may stand in blocks; a hit may be a mere text.
bool MayHoldNewBlocks(std::string_view result, Version version) {
  if (version < Version::k2025_03_26 && result.contains(kAudio)) return true;
  if (version >= Version::k2025_11_25 || !result.contains(kLink)) return false;
  return version < Version::k2025_06_18 || result.contains(kIcons);
}

// As deep as a message may be: what is not read is not converted.
json::value Read(std::string_view text, boost::system::error_code& error) {
  return json::parse(text, error, {}, {.max_depth = mcp::Message::kMaxDepth});
}

std::string_view TextAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

json::value TextBlock(std::string_view text) {
  return {{"type", "text"}, {"text", json::string(text)}};
}

json::value EmbeddedAudio(const json::object& audio) {
  json::object resource{{"uri", kAudioUri}};
  for (const auto& [from, to] : {std::pair{"mimeType", "mimeType"}, std::pair{"data", "blob"}}) {
    if (const json::value* value = audio.if_contains(from)) resource[to] = *value;
  }
  json::object block{{"type", "resource"}, {"resource", std::move(resource)}};
  if (const json::value* value = audio.if_contains("annotations")) block["annotations"] = *value;
  return block;
}

void ConvertBlock(json::value& block, Version version) {
  if (!block.is_object()) return;
  json::object& object = block.get_object();
  const std::string type(TextAt(object, "type"));
  if (type == kLink && version < Version::k2025_06_18) {
    block = TextBlock(std::string(TextAt(object, "uri")));
  } else if (type == kLink && version < Version::k2025_11_25) {
    object.erase("icons");
  } else if (type == "audio" && version < Version::k2025_03_26) {
    block = EmbeddedAudio(object);
  }
}

// `content` of a tool's result, and of each message of a prompt.
void ConvertBlocks(json::object& result, Version version) {
  if (json::value* content = result.if_contains("content"); content && content->is_array()) {
    for (json::value& block : content->get_array()) ConvertBlock(block, version);
  }
  json::value* messages = result.if_contains("messages");
  if (messages == nullptr || !messages->is_array()) return;
  for (json::value& message : messages->get_array()) {
    if (!message.is_object()) continue;
    json::value* content = message.get_object().if_contains("content");
    if (content != nullptr) ConvertBlock(*content, version);
  }
}

// `text`: as the server wrote it, for numbers must not change their form.
void WithoutStructured(json::object& result, std::string_view text) {
  result.erase("structuredContent");
  json::value& content = result["content"];
  if (!content.is_array()) content = json::array();
  const auto is_text = [](const json::value& block) {
    return block.is_object() && TextAt(block.get_object(), "type") == "text";
  };
  if (std::ranges::none_of(content.get_array(), is_text)) {
    content.get_array().push_back(TextBlock(text));
  }
}

}  // namespace

void ContentForLegacy(mcp::Message& response, Version version) {
  const bool structured = IsUnreadable(response.Get(mcp::Key::kStructuredContent), version);
  const bool blocks = MayHoldNewBlocks(response.result(), version);
  if (!structured && !blocks) return;
  Result<mcp::Message> edited = mcp::Message::Parse(response.ToText(), mcp::Check::kEnvelope);
  if (!edited) return;
  boost::system::error_code error;
  json::value result = Read(edited->result(), error);
  if (error || !result.is_object()) return;
  if (structured) {
    WithoutStructured(result.get_object(), edited->Get(mcp::Key::kStructuredContent));
  }
  if (blocks) ConvertBlocks(result.get_object(), version);
  response = mcp::Message::FromResult(edited->id(), json::serialize(result));
}

void ProgressForLegacy(mcp::Message& progress, Version version) {
  if (version >= Version::k2025_03_26 || !progress.params().contains(R"("message")")) return;
  const std::string text = progress.ToText();
  boost::system::error_code error;
  const json::value whole = Read(text, error);
  if (error) return;
  json::object params = whole.at("params").as_object();
  params.erase("message");
  progress =
      mcp::Message::Make("", mcp::Info(mcp::Method::kProgress).name, json::serialize(params));
}

}  // namespace switchyard::edge
