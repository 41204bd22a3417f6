#include "auth/strict_json.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "mcp/json_tokens.h"

namespace switchyard::auth {
namespace {

namespace json = boost::json;

// Of a value that is at most kMaxDepth deep.
std::size_t CountMembers(const json::value& value) {
  std::size_t count = 0;
  if (const json::object* object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) count += CountMembers(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) count += CountMembers(element);
  }
  return count;
}

// In a text that is JSON, each member has one colon outside of strings.
std::expected<std::size_t, std::string_view> CountColons(const std::string& text) {
  const auto tokens = mcp::JsonTokens::Find(text);
  if (!tokens) return std::unexpected(tokens.error());
  std::size_t count = 0;
  for (std::size_t i = 0; i < tokens->size(); ++i) count += tokens->at(i) == ':' ? 1 : 0;
  return count;
}

}  // namespace

std::expected<json::object, std::string> ReadObject(const std::string& text) {
  const std::expected<std::size_t, std::string_view> colons = CountColons(text);
  if (!colons) return std::unexpected(std::string(colons.error()));
  json::error_code error;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::value value = json::parse(text, error, {}, options);
  if (error == json::error::too_deep) {
    return std::unexpected("more than " + std::to_string(kMaxDepth) + " levels deep");
  }
  if (error) return std::unexpected("not JSON: " + error.message());
  json::object* object = value.if_object();
  if (object == nullptr) return std::unexpected("not a JSON object");
  // Boost.JSON keeps the last of several members of one name.
  if (CountMembers(value) != *colons) return std::unexpected("a member stands there twice");
  return std::move(*object);
}

const json::string* StringIn(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_string();
}

}  // namespace switchyard::auth
