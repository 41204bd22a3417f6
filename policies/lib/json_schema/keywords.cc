// What each member of a schema means.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "mcp/json_string.h"
#include "policies/lib/json_schema/compile.h"
#include "policies/lib/json_schema/compiler.h"
#include "policies/lib/json_schema/ecma_regex.h"

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

template <class T>
T& In(std::unique_ptr<T>& slot) {
  if (slot == nullptr) slot = std::make_unique<T>();
  return *slot;
}

}  // namespace

void Compiler::Type(Node& node, const Member& member) {
  constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> kTypes = {{
      {"null", kNullType},
      {"boolean", kBooleanType},
      {"object", kObjectType},
      {"array", kArrayType},
      {"number", kNumberType},
      {"string", kStringType},
      {"integer", kIntegerType},
  }};
  const bool list = doc_[member.value].kind == Kind::kArray;
  const std::uint32_t end = doc_[member.value].after;
  std::string scratch;
  std::uint8_t types = 0;
  for (std::uint32_t i = member.value + (list ? 1 : 0); i < end; i = doc_[i].after) {
    const bool word = doc_[i].kind == Kind::kString;
    const std::string_view name = word ? doc_.Text(i, scratch) : std::string_view();
    const auto known = std::ranges::find(kTypes, name, [](const auto& row) { return row.first; });
    if (known == kTypes.end()) return Note(member, "it names an unknown type");
    types |= known->second;
  }
  if (types == 0) return Note(member, "it names no type");
  node.types = types;
}

void Compiler::Values(Node& node, const Member& member) {
  std::vector<std::uint32_t> values;
  if (member.name == "const") {
    values.push_back(member.value);
  } else if (Is(member, Kind::kArray, "an array")) {
    const std::uint32_t end = doc_[member.value].after;
    for (std::uint32_t i = member.value + 1; i < end; i = doc_[i].after) values.push_back(i);
  } else {
    return;
  }
  node.values.push_back({.any_of = std::move(values), .keyword = member.name});
}

void Compiler::Number(Node& node, const Member& member) {
  if (!Is(member, Kind::kNumber, "a number")) return;
  NumberRules::Limit limit{.value = Decimal::Parse(doc_.Raw(member.value)),
                           .text = std::string(doc_.Raw(member.value).substr(0, 80))};
  NumberRules& rules = In(node.number);
  if (member.name == "minimum") {
    rules.minimum = std::move(limit);
  } else if (member.name == "maximum") {
    rules.maximum = std::move(limit);
  } else if (member.name == "exclusiveMinimum") {
    rules.above = std::move(limit);
  } else if (member.name == "exclusiveMaximum") {
    rules.below = std::move(limit);
  } else if (limit.value.CanDivide()) {
    rules.multiple_of = std::move(limit);
  } else {
    Note(member, "it is not a positive number of at most 18 digits");
  }
}

void Compiler::Count(Node& node, const Member& member) {
  if (!Is(member, Kind::kNumber, "a number")) return;
  const Decimal number = Decimal::Parse(doc_.Raw(member.value));
  if (!number.IsInteger() || number.IsNegative()) return Note(member, "it is not a count");
  const bool min = member.name.starts_with("min");
  const std::string_view what = std::string_view(member.name).substr(3);
  Bounds& bounds = what == "Length"       ? In(node.string).length
                   : what == "Items"      ? In(node.array).items
                   : what == "Properties" ? In(node.object).members
                                          : In(node.array).contained;
  (min ? bounds.min : bounds.max) = number.ToCount();
}

Pattern Compiler::Regex(std::string_view text, const Member& member) {
  if (patterns_ == kMaxPatterns) {
    Note(member, fmt::format("there are more than {} patterns", kMaxPatterns));
    return nullptr;
  }
  ++patterns_;
  auto pattern = CompilePattern(text);
  if (pattern) return std::move(*pattern);
  Note(member, fmt::format("pattern {}: {}", mcp::Quote(text.substr(0, 80)), pattern.error()));
  return nullptr;
}

void Compiler::PatternOf(Node& node, const Member& member) {
  if (!Is(member, Kind::kString, "a string")) return;
  std::string scratch;
  const std::string_view text = doc_.Text(member.value, scratch);
  In(node.string).pattern = Regex(text, member);
  node.string->pattern_text = text.substr(0, 200);
}

void Compiler::Format(Node& node, const Member& member) {
  if (!Is(member, Kind::kString, "a string")) return;
  std::string scratch;
  const std::string_view name = doc_.Text(member.value, scratch);
  In(node.string).format = FindFormat(name);
  node.string->format_name = name.substr(0, 80);
}

void Compiler::Items(Node& node, const Member& member) {
  ArrayRules& rules = In(node.array);
  if (doc_[member.value].kind == Kind::kArray) {
    rules.prefix = List(member);
  } else {
    rules.rest = Sub(member);
  }
}

void Compiler::AdditionalItems(Node& node, const Member& member) {
  const std::uint32_t items = doc_.Find(member.schema, "items");
  if (items != 0 && doc_[items].kind == Kind::kArray) In(node.array).rest = Sub(member);
}

void Compiler::PrefixItems(Node& node, const Member& member) {
  In(node.array).prefix = List(member);
}

void Compiler::Contains(Node& node, const Member& member) { In(node.array).contains = Sub(member); }

void Compiler::UniqueItems(Node& node, const Member& member) {
  In(node.array).unique = doc_[member.value].kind == Kind::kTrue;
}

void Compiler::UnevaluatedItems(Node& node, const Member& member) {
  In(node.array).unevaluated = Sub(member);
}

void Compiler::Properties(Node& node, const Member& member) {
  for (auto& [key, value] : Entries(member)) {
    const NodeIndex schema = Sub(value, member, Below(member.location, key));
    In(node.object).names.push_back({.key = std::move(key), .schema = schema, .property = true});
  }
}

void Compiler::PatternProperties(Node& node, const Member& member) {
  for (const auto& [key, value] : Entries(member)) {
    ObjectRules& rules = In(node.object);
    const NodeIndex schema = Sub(value, member, Below(member.location, key));
    if (Pattern pattern = Regex(key, member)) {
      rules.patterns.emplace_back(std::move(pattern), schema);
    } else {
      rules.unknown_pattern = true;
    }
  }
}

void Compiler::AdditionalProperties(Node& node, const Member& member) {
  In(node.object).additional = Sub(member);
}

void Compiler::PropertyNames(Node& node, const Member& member) {
  In(node.object).member_names = Sub(member);
}

void Compiler::UnevaluatedProperties(Node& node, const Member& member) {
  In(node.object).unevaluated = Sub(member);
}

void Compiler::Required(Node& node, const Member& member) {
  if (Is(member, Kind::kArray, "an array")) {
    In(node.object).required = Strings(member.value, member);
  }
}

void Compiler::Dependents(Node& node, const Member& member) {
  for (auto& [key, value] : Entries(member)) {
    ObjectRules::Dependent dependent{.key = std::move(key), .required = {}};
    if (doc_[value].kind == Kind::kArray) {
      dependent.required = Strings(value, member);
    } else {
      dependent.schema = Sub(value, member, Below(member.location, dependent.key));
    }
    In(node.object).dependents.push_back(std::move(dependent));
  }
}

void Compiler::AllOf(Node& node, const Member& member) { In(node.logic).all = List(member); }

void Compiler::AnyOf(Node& node, const Member& member) { In(node.logic).any = List(member); }

void Compiler::OneOf(Node& node, const Member& member) { In(node.logic).one = List(member); }

void Compiler::Not(Node& node, const Member& member) { In(node.logic).negated = Sub(member); }

void Compiler::If(Node& node, const Member& member) { In(node.logic).condition = Sub(member); }

void Compiler::Then(Node& node, const Member& member) { In(node.logic).when_true = Sub(member); }

void Compiler::Else(Node& node, const Member& member) { In(node.logic).when_false = Sub(member); }

void Compiler::Ref(Node& node, const Member& member) {
  if (!Is(member, Kind::kString, "a string")) return;
  std::string scratch;
  const std::string_view text = doc_.Text(member.value, scratch);
  const std::optional<Place> place = resources_.Resolve(text, member.resource);
  if (!place) {
    return Note(member, fmt::format("{} leads to nothing in this schema, and nothing is fetched",
                                    mcp::Quote(text.substr(0, 120))));
  }
  const Kind kind = doc_[place->value].kind;
  if (kind != Kind::kObject && kind != Kind::kTrue && kind != Kind::kFalse) {
    return Note(member, "it leads to what is no schema");
  }
  const std::string_view fragment = text.substr(std::min(text.find('#'), text.size()));
  const NodeIndex target = Want(*place, std::string(fragment.substr(0, 200)));
  LogicRules& rules = In(node.logic);
  if (member.name == "$ref") {
    rules.reference = target;
    return;
  }
  rules.dynamic = target;
  const std::string_view name = fragment.substr(fragment.empty() ? 0 : 1);
  if (resources_.IsDynamic(place->value, name)) rules.dynamic_anchor = name;
}

void Compiler::Unsupported(Node& /*node*/, const Member& member) {
  Note(member, "this keyword is not supported");
}

const Compiler::Keyword* Compiler::FindKeyword(std::string_view name) {
  static constexpr std::array kKeywords = {
      Keyword{"$dynamicRef", &Compiler::Ref, true},
      Keyword{"$recursiveRef", &Compiler::Unsupported, true},
      Keyword{"$ref", &Compiler::Ref},
      Keyword{"additionalItems", &Compiler::AdditionalItems},
      Keyword{"additionalProperties", &Compiler::AdditionalProperties},
      Keyword{"allOf", &Compiler::AllOf},
      Keyword{"anyOf", &Compiler::AnyOf},
      Keyword{"const", &Compiler::Values},
      Keyword{"contains", &Compiler::Contains},
      Keyword{"dependencies", &Compiler::Dependents},
      Keyword{"dependentRequired", &Compiler::Dependents, true},
      Keyword{"dependentSchemas", &Compiler::Dependents, true},
      Keyword{"else", &Compiler::Else},
      Keyword{"enum", &Compiler::Values},
      Keyword{"exclusiveMaximum", &Compiler::Number},
      Keyword{"exclusiveMinimum", &Compiler::Number},
      Keyword{"format", &Compiler::Format},
      Keyword{"if", &Compiler::If},
      Keyword{"items", &Compiler::Items},
      Keyword{"maxContains", &Compiler::Count, true},
      Keyword{"maxItems", &Compiler::Count},
      Keyword{"maxLength", &Compiler::Count},
      Keyword{"maxProperties", &Compiler::Count},
      Keyword{"maximum", &Compiler::Number},
      Keyword{"minContains", &Compiler::Count, true},
      Keyword{"minItems", &Compiler::Count},
      Keyword{"minLength", &Compiler::Count},
      Keyword{"minProperties", &Compiler::Count},
      Keyword{"minimum", &Compiler::Number},
      Keyword{"multipleOf", &Compiler::Number},
      Keyword{"not", &Compiler::Not},
      Keyword{"oneOf", &Compiler::OneOf},
      Keyword{"pattern", &Compiler::PatternOf},
      Keyword{"patternProperties", &Compiler::PatternProperties},
      Keyword{"prefixItems", &Compiler::PrefixItems, true},
      Keyword{"properties", &Compiler::Properties},
      Keyword{"propertyNames", &Compiler::PropertyNames},
      Keyword{"required", &Compiler::Required},
      Keyword{"then", &Compiler::Then},
      Keyword{"type", &Compiler::Type},
      Keyword{"unevaluatedItems", &Compiler::UnevaluatedItems, true},
      Keyword{"unevaluatedProperties", &Compiler::UnevaluatedProperties, true},
      Keyword{"uniqueItems", &Compiler::UniqueItems},
  };
  const auto found = std::ranges::lower_bound(kKeywords, name, {}, &Keyword::name);
  return found != kKeywords.end() && found->name == name ? &*found : nullptr;
}

}  // namespace switchyard::json_schema
