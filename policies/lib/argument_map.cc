#include "policies/lib/argument_map.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "mcp/json_string.h"
#include "mcp/raw_object.h"
#include "mcp/scan.h"

namespace switchyard::policies {
namespace {

// A stretch of text and the field behind it.
struct Part {
  std::string text = {};
  std::vector<std::string> field = {};       // its path; empty: none follows
  std::optional<std::string> fallback = {};  // as it was written
};
using Parts = std::vector<Part>;

constexpr const char* kForm = "a field reads {name}, {name.inner} or {name:-default}, a brace {{";

bool IsFieldByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '$';
}

// nullopt: it is no field.
std::optional<Part> ParseField(std::string_view text) {
  Part part;
  if (const std::size_t at = text.find(":-"); at != std::string_view::npos) {
    part.fallback = std::string(text.substr(at + 2));
    text = text.substr(0, at);
  }
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view name = text.substr(0, dot);
    if (name.empty() || !std::ranges::all_of(name, IsFieldByte)) return std::nullopt;
    part.field.emplace_back(name);
    if (dot == std::string_view::npos) return part;
    text.remove_prefix(dot + 1);
  }
}

std::expected<Parts, std::string> ParseText(std::string_view text) {
  Parts parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      parts.back().text += c;
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == c) {
      parts.back().text += c;
      ++i;
      continue;
    }
    const std::size_t end = c == '{' ? text.find('}', i) : std::string_view::npos;
    if (end == std::string_view::npos) return std::unexpected(kForm);
    std::optional<Part> field = ParseField(text.substr(i + 1, end - i - 1));
    if (!field) return std::unexpected(kForm);
    field->text = std::move(parts.back().text);
    parts.back() = std::move(*field);
    parts.emplace_back();
    i = end;
  }
  return parts;
}

// Raw; nullopt: it is missing.
std::optional<std::string> Look(std::string_view arguments, const std::vector<std::string>& path) {
  std::string value(arguments);
  for (const std::string& name : path) {
    value = mcp::RawObject::Parse(value).Get(name);
    if (value.empty()) return std::nullopt;
  }
  return value;
}

bool IsLiteral(std::string_view text) {
  if (text == "true" || text == "false" || text == "null") return true;
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const std::string_view digits = text.substr(sign);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool whole = !digits.empty() && std::ranges::all_of(digits, is_digit);
  return whole && (digits.size() == 1 || digits.front() != '0');
}

std::optional<std::string> RawOf(const Part& part, std::string_view arguments) {
  std::optional<std::string> found = Look(arguments, part.field);
  if (found || !part.fallback) return found;
  return IsLiteral(*part.fallback) ? *part.fallback : mcp::Quote(*part.fallback);
}

std::optional<std::string> TextOf(const Parts& parts, std::string_view arguments) {
  std::string out;
  for (const Part& part : parts) {
    out += part.text;
    if (part.field.empty()) continue;
    const std::optional<std::string> raw = Look(arguments, part.field);
    if (raw && *raw != "null") {
      out += mcp::IsString(*raw) ? mcp::Unquote(*raw).value_or(*raw) : *raw;
    } else if (part.fallback) {
      out += *part.fallback;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

struct ArgumentMap::Value {
  std::string raw = {};                // of a literal, or what opens an object or a list
  Parts parts = {};                    // of a text
  std::vector<std::string> keys = {};  // of an object
  std::vector<Value> items = {};

  static std::expected<Value, std::string> Parse(std::string_view json);
  std::optional<std::string> Fill(std::string_view arguments) const;
};

std::expected<ArgumentMap::Value, std::string> ArgumentMap::Value::Parse(std::string_view json) {
  Value value;
  if (mcp::IsString(json)) {
    std::expected<Parts, std::string> parts = ParseText(mcp::Unquote(json).value_or(""));
    if (!parts) return std::unexpected(std::move(parts.error()));
    value.parts = std::move(*parts);
    return value;
  }
  const bool object = mcp::IsObject(json);
  value.raw = object ? "{" : mcp::IsArray(json) ? "[" : std::string(json);
  std::vector<std::string_view> items;
  const mcp::Fields fields = object ? mcp::MembersOf(json).value_or(mcp::Fields()) : mcp::Fields();
  for (const mcp::Field& field : fields) {
    value.keys.push_back(field.key);
    items.push_back(field.value);
  }
  if (value.raw == "[") items = mcp::ElementsOf(json).value_or(items);
  for (const std::string_view item : items) {
    std::expected<Value, std::string> inner = Parse(item);
    if (!inner) return inner;
    value.items.push_back(std::move(*inner));
  }
  return value;
}

// nullopt: it has a field that is missing.
std::optional<std::string> ArgumentMap::Value::Fill(std::string_view arguments) const {
  if (!parts.empty()) {
    const bool alone = parts.size() == 2 && parts[0].text.empty() && parts[1].text.empty();
    if (alone) return RawOf(parts[0], arguments);
    const std::optional<std::string> text = TextOf(parts, arguments);
    return text ? std::optional(mcp::Quote(*text)) : std::nullopt;
  }
  if (raw != "{" && raw != "[") return raw;
  std::string out = raw;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::optional<std::string> item = items[i].Fill(arguments);
    if (!item) continue;
    if (out.size() > 1) out += ',';
    if (raw == "{") out.append(mcp::Quote(keys[i])).append(":");
    out += *item;
  }
  return out + (raw == "{" ? "}" : "]");
}

std::expected<ArgumentMap, std::string> ArgumentMap::Parse(std::string_view object) {
  std::expected<Value, std::string> root = Value::Parse(object);
  if (!root) return std::unexpected(std::move(root.error()));
  ArgumentMap map;
  map.root_ = std::make_shared<const Value>(std::move(*root));
  return map;
}

std::string ArgumentMap::Fill(std::string_view arguments) const {
  if (root_ == nullptr) return arguments.empty() ? "{}" : std::string(arguments);
  return root_->Fill(arguments).value_or("{}");
}

}  // namespace switchyard::policies
