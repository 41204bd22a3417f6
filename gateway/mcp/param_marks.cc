#include "mcp/param_marks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "mcp/message.h"
#include "mcp/scan.h"

namespace switchyard::mcp {
namespace {

constexpr std::string_view kAnnotation = "x-mcp-header";

// Keywords whose members are named schemas (so a member called like our annotation is none), and
// keywords that hold data.
constexpr std::array<std::string_view, 5> kSchemaMaps = {"properties", "patternProperties", "$defs",
                                                         "definitions", "dependentSchemas"};
constexpr std::array<std::string_view, 4> kData = {"default", "const", "enum", "examples"};

bool IsToken(std::string_view text) {
  constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [kOther](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || kOther.contains(static_cast<char>(c));
  });
}

template <std::size_t N>
bool IsOneOf(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool IsHeaderType(const Fields& schema) {
  const Field* type = Find(schema, "type");
  return type != nullptr && (type->value == "\"string\"" || type->value == "\"integer\"" ||
                             type->value == "\"boolean\"");
}

// Walks a schema; finds the annotations, where they stand, and the first that is illegal.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {
    if (IsObject(text)) Schema(text, Place::kRoot);
  }

  ParamMarks marks;
  // All of them in ascending order of position, with the offset of the object that holds them.
  std::vector<std::pair<std::uint32_t, Member>> found;

 private:
  enum class Place { kRoot, kProperty, kElsewhere };

  void Schema(std::string_view object, Place place) {
    const std::optional<Fields> fields = MembersOf(object);
    if (!fields) return;
    for (const Field& field : *fields) {
      if (field.key == kAnnotation) {
        Annotation(object, *fields, field, place);
      } else if (IsOneOf(kSchemaMaps, field.key)) {
        const bool straight = field.key == "properties" && place != Place::kElsewhere;
        Map(field.value, straight ? Place::kProperty : Place::kElsewhere);
      } else if (!IsOneOf(kData, field.key)) {
        Any(field.value);
      }
    }
  }

  void Map(std::string_view object, Place place) {
    const std::optional<Fields> fields = MembersOf(object);
    if (!fields) return;
    for (const Field& field : *fields) {
      if (!IsObject(field.value)) continue;
      path_.push_back(field.key);
      Schema(field.value, place);
      path_.pop_back();
    }
  }

  void Any(std::string_view value) {
    if (IsObject(value)) return Schema(value, Place::kElsewhere);
    if (!IsArray(value)) return;
    for (const std::string_view element : ElementsOf(value).value_or(Elements())) Any(element);
  }

  void Annotation(std::string_view object, const Fields& fields, const Field& field, Place place) {
    found.emplace_back(static_cast<std::uint32_t>(object.data() - text_.data()), field.at);
    const std::string name = Unquote(field.value).value_or("");
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view wrong;
    if (!IsToken(name)) {
      wrong = "is not an HTTP token";
    } else if (place != Place::kProperty) {
      wrong = "is not on a property reached through properties only";
    } else if (!IsHeaderType(fields)) {
      wrong = "is on a property whose type is not string, integer or boolean";
    } else if (!names_.insert(lower).second) {
      wrong = "stands there twice";
    }
    if (wrong.empty()) {
      marks.legal.push_back({.header = name, .path = path_});
    } else if (!marks.problem) {
      marks.problem = std::string(kAnnotation).append(" ").append(field.value.substr(0, 80));
      marks.problem->append(" ").append(wrong);
    }
  }

  using Elements = std::vector<std::string_view>;

  std::string_view text_;
  std::vector<std::string> path_;  // of a property; elsewhere of no meaning
  std::set<std::string> names_;
};

// A key may be written with escapes.
bool MayHaveMarks(std::string_view schema) {
  return schema.contains(kAnnotation) || schema.contains("\\u00");
}

}  // namespace

ParamMarks FindParamMarks(std::string_view input_schema) {
  if (!MayHaveMarks(input_schema)) return {};
  return Walk(input_schema).marks;
}

std::string WithoutParamMarks(std::string_view input_schema) {
  std::string text(input_schema);
  if (!MayHaveMarks(input_schema)) return text;
  const Walk walk(input_schema);
  // From the last to the first, so that the offsets of those before stay true.
  for (auto at = walk.found.rbegin(); at != walk.found.rend(); ++at) {
    const auto& [offset, member] = *at;
    std::size_t begin = offset + member.whole.begin;
    std::size_t end = offset + member.whole.end;
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t next = text.find_first_not_of(kSpace, end);
    if (text[next] == ',') {
      end = text.find_first_not_of(kSpace, next + 1);
    } else {
      const std::size_t previous = text.find_last_not_of(kSpace, begin - 1);
      if (text[previous] == ',') begin = previous;
    }
    text.erase(begin, end - begin);
  }
  return text;
}

std::string_view MarkedArgument(const ParamMark& mark, std::string_view arguments) {
  std::string_view value = arguments;
  for (const std::string& name : mark.path) {
    const std::optional<Fields> fields = MembersOf(value);
    value = {};
    if (!fields) return value;
    for (const Field& field : *fields) {
      if (field.key == name) value = field.value;
    }
  }
  return value;
}

}  // namespace switchyard::mcp
