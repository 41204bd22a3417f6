#include "catalog/item_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "catalog/item_facts.h"
#include "mcp/json_string.h"

namespace switchyard::catalog {
namespace {

using simdjson::dom::element;

struct Member {
  std::string_view key;
  bool (*fits)(const element&);
  std::string_view wanted = {};  // "a string"
  bool required = false;
};

bool IsText(const element& value) { return value.is_string(); }
bool IsFlag(const element& value) { return value.is_bool(); }
bool IsObject(const element& value) { return value.is_object(); }
bool IsNumber(const element& value) { return value.is_number(); }

template <class Fits>
bool IsListOf(const element& value, Fits fits) {
  simdjson::dom::array list;
  return value.get(list) == simdjson::SUCCESS && std::ranges::all_of(list, fits);
}

bool IsTextList(const element& value) { return IsListOf(value, IsText); }

bool IsOneOf(const element& value, std::span<const std::string_view> words) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS && std::ranges::find(words, text) != words.end();
}

bool HasAll(const element& value, std::span<const Member> members) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return false;
  return std::ranges::all_of(members, [&object](const Member& member) {
    element found;
    if (object[member.key].get(found) != simdjson::SUCCESS) return !member.required;
    return member.fits(found);
  });
}

bool IsIcons(const element& value) {
  static constexpr auto kIsTheme = [](const element& theme) {
    static constexpr std::array<std::string_view, 2> kThemes = {"light", "dark"};
    return IsOneOf(theme, kThemes);
  };
  static constexpr std::array kIcon = {Member{.key = "src", .fits = IsText, .required = true},
                                       Member{.key = "mimeType", .fits = IsText},
                                       Member{.key = "sizes", .fits = IsTextList},
                                       Member{.key = "theme", .fits = kIsTheme}};
  return IsListOf(value, [](const element& icon) { return HasAll(icon, kIcon); });
}

bool IsHints(const element& value) {
  static constexpr std::array kHints = {Member{.key = "title", .fits = IsText},
                                        Member{.key = "readOnlyHint", .fits = IsFlag},
                                        Member{.key = "destructiveHint", .fits = IsFlag},
                                        Member{.key = "idempotentHint", .fits = IsFlag},
                                        Member{.key = "openWorldHint", .fits = IsFlag}};
  return HasAll(value, kHints);
}

// ISO 8601 with an offset: 2026-07-28T09:00:00Z.
bool IsTime(const element& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return false;
  const auto takes = [&text](std::string_view form) {  // 0 = a digit
    const bool fits = text.size() >= form.size() &&
                      std::ranges::equal(form, text.substr(0, form.size()), [](char one, char is) {
                        return one == '0' ? is >= '0' && is <= '9' : one == is;
                      });
    if (fits) text.remove_prefix(form.size());
    return fits;
  };
  if (!takes("0000-00-00T00:00")) return false;
  if (takes(":00") && takes(".0")) {
    while (takes("0")) continue;
  }
  return (takes("Z") || takes("+00:00") || takes("-00:00")) && text.empty();
}

bool IsNotes(const element& value) {
  static constexpr auto kIsRole = [](const element& role) {
    static constexpr std::array<std::string_view, 2> kRoles = {"user", "assistant"};
    return IsOneOf(role, kRoles);
  };
  static constexpr auto kIsAudience = [](const element& list) { return IsListOf(list, kIsRole); };
  static constexpr auto kIsShare = [](const element& share) {
    double number = -1;
    return share.get(number) == simdjson::SUCCESS && number >= 0 && number <= 1;
  };
  static constexpr std::array kNotes = {Member{.key = "audience", .fits = kIsAudience},
                                        Member{.key = "priority", .fits = kIsShare},
                                        Member{.key = "lastModified", .fits = IsTime}};
  return HasAll(value, kNotes);
}

bool IsArguments(const element& value) {
  static constexpr std::array kArgument = {Member{.key = "name", .fits = IsText, .required = true},
                                           Member{.key = "description", .fits = IsText},
                                           Member{.key = "required", .fits = IsFlag}};
  return IsListOf(value, [](const element& argument) { return HasAll(argument, kArgument); });
}

bool IsExecution(const element& value) {
  static constexpr auto kIsSupport = [](const element& support) {
    static constexpr std::array<std::string_view, 3> kSupport = {"required", "optional",
                                                                 "forbidden"};
    return IsOneOf(support, kSupport);
  };
  static constexpr std::array kExecution = {Member{.key = "taskSupport", .fits = kIsSupport}};
  return HasAll(value, kExecution);
}

bool IsProperties(const element& value) {
  simdjson::dom::object object;
  return value.get(object) == simdjson::SUCCESS &&
         std::ranges::all_of(object, [](const auto& one) { return one.value.is_object(); });
}

bool IsTypeObject(const element& value) {
  static constexpr std::array<std::string_view, 1> kType = {"object"};
  return IsOneOf(value, kType);
}

constexpr std::array kObjectSchema = {Member{.key = "type", .fits = IsTypeObject},
                                      Member{.key = "properties", .fits = IsProperties},
                                      Member{.key = "required", .fits = IsTextList}};

// That a type is missing is made good.
bool IsInput(const element& value) { return HasAll(value, kObjectSchema); }

// Of any type for modern clients; others are not told of one that is not of an object.
bool IsOutput(const element& value) {
  element type;
  const bool object = value["type"].get(type) == simdjson::SUCCESS && IsTypeObject(type);
  return value.is_object() && (!object || HasAll(value, kObjectSchema));
}

constexpr Member kTitle{.key = "title", .fits = IsText, .wanted = "a string"};
constexpr Member kDescription{.key = "description", .fits = IsText, .wanted = "a string"};
constexpr Member kIcons{.key = "icons", .fits = IsIcons, .wanted = "a list of icons"};
constexpr Member kMeta{.key = "_meta", .fits = IsObject, .wanted = "an object"};
constexpr Member kAnnotations{
    .key = "annotations", .fits = IsNotes, .wanted = "annotations of a resource"};
constexpr Member kMimeType{.key = "mimeType", .fits = IsText, .wanted = "a string"};
constexpr Member kName{.key = "name", .fits = IsText, .wanted = "a string", .required = true};

constexpr std::array kTool = {
    Member{.key = "inputSchema",
           .fits = IsInput,
           .wanted = "a schema of type object whose properties are objects"},
    Member{.key = "outputSchema",
           .fits = IsOutput,
           .wanted = "a schema, with properties that are objects"},
    Member{.key = "annotations", .fits = IsHints, .wanted = "an object of hints"},
    Member{.key = "execution", .fits = IsExecution, .wanted = "an object with a taskSupport"},
    kTitle,
    kDescription,
    kIcons,
    kMeta};
constexpr std::array kPrompt = {
    Member{.key = "arguments", .fits = IsArguments, .wanted = "a list of named arguments"}, kTitle,
    kDescription, kIcons, kMeta};
constexpr std::array kResource = {
    kName,  kMimeType,    Member{.key = "size", .fits = IsNumber, .wanted = "a number"},
    kTitle, kDescription, kAnnotations,
    kIcons, kMeta};
constexpr std::array kTemplate = {kName,        kMimeType, kTitle, kDescription,
                                  kAnnotations, kIcons,    kMeta};

std::span<const Member> MembersFor(ItemKind kind) {
  switch (kind) {
    case ItemKind::kTool: return kTool;
    case ItemKind::kPrompt: return kPrompt;
    case ItemKind::kResource: return kResource;
    case ItemKind::kTemplate: return kTemplate;
  }
  return {};
}

constexpr std::string_view kInput = "inputSchema";

// Whether the tool says of which type its arguments are, which can be of one only.
bool LacksType(const mcp::Fields& fields) {
  const mcp::Field* const schema = mcp::Find(fields, kInput);
  const auto members = schema ? mcp::MembersOf(schema->value) : std::nullopt;
  return !members || mcp::Find(*members, "type") == nullptr;
}

std::string WithType(const mcp::Fields& fields) {
  std::string out = R"("inputSchema":{"type":"object")";
  const mcp::Field* const schema = mcp::Find(fields, kInput);
  const auto members = schema ? mcp::MembersOf(schema->value) : std::nullopt;
  for (const mcp::Field& member : members.value_or(mcp::Fields())) {
    out.append(",").append(member.whole);
  }
  return out += '}';
}

}  // namespace

std::expected<ReadItem, BrokenItem> ItemReader::Read(ItemKind kind, const std::string& json) {
  const auto broken = [](std::string name, std::string why) {
    return std::unexpected(BrokenItem{.name = std::move(name), .why = std::move(why)});
  };
  element item;
  if (parser_.parse(json).get(item) != simdjson::SUCCESS) {
    return broken(json, "it is not valid JSON");
  }
  std::optional<mcp::Fields> fields = mcp::MembersOf(json);
  if (!fields) return broken(json, "it is not an object");
  const mcp::Field* const named = mcp::Find(*fields, NameMember(kind));
  std::optional<std::string> name = named != nullptr ? mcp::Unquote(named->value) : std::nullopt;
  if (!name || name->empty()) return broken(json, "it has no name");
  // Another reader might take the other of the two.
  if (const std::string_view twice = mcp::DuplicateKey(*fields); !twice.empty()) {
    return broken(*name, std::string("duplicate key ").append(twice));
  }
  ReadItem read{.name = std::move(*name), .fields = {}, .json = json, .changes = {}};
  std::vector<std::string_view> left_out;
  for (const Member& member : MembersFor(kind)) {
    element value;
    const bool there = item[member.key].get(value) == simdjson::SUCCESS;
    if (there ? member.fits(value) : !member.required) continue;
    std::string why =
        std::string("its ").append(member.key).append(" is not ").append(member.wanted);
    if (member.required || member.key == kInput) return broken(read.name, std::move(why));
    left_out.push_back(member.key);
    read.changes.push_back(std::move(why) + " and is left out");
  }
  const bool lacks_type = kind == ItemKind::kTool && LacksType(*fields);
  if (lacks_type)
    read.changes.emplace_back("its inputSchema says no type, which can be object only");
  if (!read.changes.empty()) {
    if (lacks_type) left_out.push_back(kInput);
    read.json = "{";
    for (const mcp::Field& field : *fields) {
      if (std::ranges::find(left_out, field.key) != left_out.end()) continue;
      read.json.append(read.json.size() == 1 ? "" : ",").append(field.whole);
    }
    if (lacks_type) read.json.append(",").append(WithType(*fields));
    read.json += '}';
  }
  read.fields = std::move(*fields);
  return read;
}

}  // namespace switchyard::catalog
