#include "edge/content.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace switchyard::edge {
namespace {

namespace json = boost::json;

constexpr std::string_view kLink = "resource_link";

bool IsUnreadable(std::string_view structured, mcp::Version version) {
  if (structured.empty()) return false;
  return version < mcp::Version::k2025_06_18 || !structured.starts_with('{');
}

std::string_view TextAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

bool IsOfType(const json::value& block, std::string_view type) {
  return block.is_object() && TextAt(block.get_object(), "type") == type;
}

json::value TextBlock(std::string_view text) {
  return {{"type", "text"}, {"text", json::string(text)}};
}

void WithoutLink(json::value& block) {
  if (!IsOfType(block, kLink)) return;
  block = TextBlock(std::string(TextAt(block.get_object(), "uri")));
}

// `content` of a tool's result, and of each message of a prompt.
void WithoutLinks(json::object& result) {
  if (json::value* content = result.if_contains("content"); content && content->is_array()) {
    for (json::value& block : content->get_array()) WithoutLink(block);
  }
  json::value* messages = result.if_contains("messages");
  if (messages == nullptr || !messages->is_array()) return;
  for (json::value& message : messages->get_array()) {
    if (!message.is_object()) continue;
    if (json::value* content = message.get_object().if_contains("content")) WithoutLink(*content);
  }
}

void WithoutStructured(json::object& result) {
  const std::string text = json::serialize(result.at("structuredContent"));
  result.erase("structuredContent");
  json::value& content = result["content"];
  if (!content.is_array()) content = json::array();
  const auto is_text = [](const json::value& block) { return IsOfType(block, "text"); };
  if (std::ranges::none_of(content.get_array(), is_text)) {
    content.get_array().push_back(TextBlock(text));
  }
}

}  // namespace

void ContentForLegacy(mcp::Message& response, mcp::Version version) {
  const bool structured = IsUnreadable(response.Get(mcp::Key::kStructuredContent), version);
  const bool links = version < mcp::Version::k2025_06_18 && response.result().contains(kLink);
  if (!structured && !links) return;
  boost::system::error_code error;
  json::value message = json::parse(response.edits().Apply(response.bytes()), error);
  if (error || !message.is_object()) return;
  json::value* result = message.get_object().if_contains("result");
  if (result == nullptr || !result->is_object()) return;
  if (structured) WithoutStructured(result->get_object());
  if (links) WithoutLinks(result->get_object());
  response = mcp::Message::FromResult(response.id(), json::serialize(*result));
}

}  // namespace switchyard::edge
