#include "downstream/param_headers.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json.hpp>

#include "mcp/header_value.h"

namespace switchyard::downstream {
namespace {

constexpr std::string_view kMark = "x-mcp-header";
constexpr std::size_t kMaxDepth = 32;

struct Marked {
  std::string header;             // as the schema writes it
  std::vector<std::string> path;  // of property names from the root
};

// Guards our own request: nothing else may become a header's name.
bool IsToken(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [kOthers](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kOthers.contains(c);
  });
}

void Walk(const boost::json::object& schema, std::vector<std::string>& path,
          std::vector<Marked>& found) {
  const boost::json::value* mark = schema.if_contains(kMark);
  if (mark != nullptr && mark->is_string() && IsToken(mark->as_string())) {
    found.push_back({.header = std::string(mark->as_string()), .path = path});
  }
  const boost::json::value* properties = schema.if_contains("properties");
  if (properties == nullptr || !properties->is_object() || path.size() >= kMaxDepth) return;
  for (const auto& property : properties->as_object()) {
    if (!property.value().is_object()) continue;
    path.emplace_back(property.key());
    Walk(property.value().as_object(), path, found);
    path.pop_back();
  }
}

std::vector<Marked> FindMarks(std::string_view tool) {
  std::vector<Marked> found;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(tool, error);
  if (error || !value.is_object()) return found;
  const boost::json::value* schema = value.as_object().if_contains("inputSchema");
  if (schema == nullptr || !schema->is_object()) return found;
  std::vector<std::string> path;
  Walk(schema->as_object(), path, found);
  return found;
}

const boost::json::value* At(const boost::json::value& root, const std::vector<std::string>& path) {
  const boost::json::value* value = &root;
  for (const std::string& name : path) {
    if (!value->is_object()) return nullptr;
    value = value->as_object().if_contains(name);
    if (value == nullptr) return nullptr;
  }
  return value;
}

}  // namespace

std::string ParamHeaders(std::string_view tool, std::string_view arguments) {
  if (!tool.contains(kMark) || arguments.empty()) return {};
  boost::system::error_code error;
  const boost::json::value given = boost::json::parse(arguments, error);
  if (error) return {};
  std::string lines;
  for (const Marked& marked : FindMarks(tool)) {
    const boost::json::value* argument = At(given, marked.path);
    if (argument == nullptr) continue;
    const auto value = mcp::HeaderValueFor(boost::json::serialize(*argument));
    if (!value) continue;
    lines.append("Mcp-Param-").append(marked.header).append(": ").append(*value).append("\r\n");
  }
  return lines;
}

std::string OtherParamHeaders(std::string_view tool, const HeaderParams& sent) {
  std::string lines;
  if (sent.sent.empty()) return lines;
  const std::vector<Marked> marks = tool.contains(kMark) ? FindMarks(tool) : std::vector<Marked>();
  for (const auto& [name, value] : sent.sent) {
    const bool marked = std::ranges::any_of(marks, [&name](const Marked& mark) {
      return boost::algorithm::iequals(mark.header, name);
    });
    const bool fits = lines.size() + name.size() + value.size() < kMaxForwarded;
    if (marked || !fits || !IsToken(name)) continue;
    lines.append("Mcp-Param-").append(name).append(": ").append(value).append("\r\n");
  }
  return lines;
}

}  // namespace switchyard::downstream
