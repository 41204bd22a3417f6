#include "mcp/param_marks.h"

#include <algorithm>
#include <cctype>

#include <boost/json.hpp>

#include "mcp/message.h"

namespace switchyard::mcp {
namespace {

constexpr std::string_view kMark = "x-mcp-header";
constexpr std::size_t kMaxDepth = 32;

struct Marked {
  std::string header;             // as the schema writes it
  std::vector<std::string> path;  // of property names from the root
};

// As deep as a message may be: what stands beside a mark may be deeper than any mark is looked for.
boost::json::value Read(std::string_view raw, boost::system::error_code& error) {
  return boost::json::parse(raw, error, {}, {.max_depth = Message::kMaxDepth});
}

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
  const boost::json::value value = Read(tool, error);
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

bool MayMarkParams(std::string_view tool) { return tool.contains(kMark); }

std::vector<std::string> MarkedHeaders(std::string_view tool) {
  std::vector<std::string> headers;
  if (!MayMarkParams(tool)) return headers;
  for (const Marked& marked : FindMarks(tool)) headers.push_back("Mcp-Param-" + marked.header);
  return headers;
}

std::vector<MarkedArgument> MarkedArguments(std::string_view tool, std::string_view arguments) {
  std::vector<MarkedArgument> found;
  if (!MayMarkParams(tool) || arguments.empty()) return found;
  boost::system::error_code error;
  const boost::json::value given = Read(arguments, error);
  if (error) return found;
  for (const Marked& marked : FindMarks(tool)) {
    const boost::json::value* argument = At(given, marked.path);
    if (argument == nullptr) continue;
    found.push_back(
        {.header = "Mcp-Param-" + marked.header, .value = boost::json::serialize(*argument)});
  }
  return found;
}

}  // namespace switchyard::mcp
