// What judges numbers, strings, arrays and objects.
#include <re2/re2.h>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "policies/lib/json_schema/check.h"
#include "policies/lib/json_schema/ecma_regex.h"
#include "policies/lib/json_schema/words.h"

namespace switchyard::json_schema {
namespace {

// Bytes that cost as much as a step, beside those in equal.h.
constexpr std::size_t kCountedPerStep = 512;
constexpr std::size_t kDividedPerStep = 4;

// At worst RE2 looks at every instruction of a pattern for every byte of a text.
std::uint64_t StepsToMatch(const re2::RE2& pattern, std::string_view text) {
  constexpr std::uint64_t kLooksPerStep = 2048;
  return 1 + static_cast<std::uint64_t>(pattern.ProgramSize()) * text.size() / kLooksPerStep;
}

}  // namespace

bool Check::Number(const Node& node, std::uint32_t value) {
  const NumberRules& rules = *node.number;
  const std::string_view raw = doc_.Raw(value);
  const bool divides = rules.multiple_of.has_value() && raw.size() > kReadPerStep;
  if (!budget_.Spend(raw.size() / (divides ? kDividedPerStep : kReadPerStep))) return false;
  const Decimal number = Decimal::Parse(raw);
  using Limit = std::optional<NumberRules::Limit>;
  bool ok = true;
  const auto require = [&](bool holds, std::string_view keyword, std::string_view words,
                           const Limit& limit) {
    if (holds) return;
    ok = false;
    if (wanted()) Fail(node, keyword, value, fmt::format("a number {} {}", words, limit->text));
  };
  if (const Limit& limit = rules.minimum) {
    require(number >= limit->value, "minimum", "of at least", limit);
  }
  if (const Limit& limit = rules.maximum) {
    require(number <= limit->value, "maximum", "of at most", limit);
  }
  if (const Limit& limit = rules.above) {
    require(number > limit->value, "exclusiveMinimum", "greater than", limit);
  }
  if (const Limit& limit = rules.below) {
    require(number < limit->value, "exclusiveMaximum", "less than", limit);
  }
  if (const Limit& limit = rules.multiple_of) {
    require(number.IsMultipleOf(limit->value), "multipleOf", "that is a multiple of", limit);
  }
  return ok;
}

bool Check::String(const Node& node, std::uint32_t value) {
  const StringRules& rules = *node.string;
  if (!budget_.Spend(StepsToRead(doc_, value))) return false;
  std::string scratch;
  const std::string_view text = doc_.Text(value, scratch);
  bool ok = true;
  if (rules.length.any()) {
    budget_.Spend(text.size() / kCountedPerStep);
    const std::size_t length = CodePoints(text);
    if (!rules.length.Holds(length)) {
      if (!wanted()) return false;
      ok = Fail(node, length < rules.length.min ? "minLength" : "maxLength", value,
                "a string of " + CountWords(rules.length, "character"),
                fmt::format("{} of {}", Describe(doc_, value), length));
    }
  }
  if (rules.pattern != nullptr) {
    if (!budget_.Spend(StepsToMatch(*rules.pattern, text))) return false;
    if (!Finds(*rules.pattern, text)) {
      if (!wanted()) return false;
      ok = Fail(node, "pattern", value, "a string that matches " + Quoted(rules.pattern_text, 120));
    }
  }
  if (formats_ && rules.format != nullptr) {
    constexpr std::uint64_t kToCompile = 200;
    const std::uint64_t more = rules.format_name == "regex" ? kToCompile + text.size() : 1;
    if (!budget_.Spend(more + text.size() / kReadPerStep)) return false;
    if (!rules.format(text)) {
      ok = Fail(node, "format", value, fmt::format("a string of format {}", rules.format_name));
    }
  }
  return ok;
}

bool Check::Array(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const ArrayRules& rules = *node.array;
  const std::uint32_t count = doc_[value].count;
  if (!budget_.Spend(count)) return false;
  bool ok = true;
  if (!rules.items.Holds(count)) {
    if (!wanted()) return false;
    ok = Fail(node, count < rules.items.min ? "minItems" : "maxItems", value,
              "an array of " + CountWords(rules.items, "item"));
  }
  if (rules.unique && !AreUnique(doc_, value, budget_)) {
    ok = Fail(node, "uniqueItems", value, "an array without equal items",
              Describe(doc_, value) + " with two equal ones");
  }
  if (Over(ok)) return false;
  ok &= Elements(node, value, seen, scope);
  if (Over(ok) || rules.contains == kNoNode) return ok;
  return Contains(node, value, seen, scope) && ok;
}

bool Check::Elements(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const ArrayRules& rules = *node.array;
  bool ok = true;
  std::size_t at = 0;
  for (std::uint32_t i = value + 1; i < doc_[value].after; i = doc_[i].after, ++at) {
    const bool first = at < rules.prefix.size();
    if (!first && rules.rest == kNoNode) break;
    const Step step(*this, at);
    ok &= Fits(first ? rules.prefix[at] : rules.rest, i, nullptr, &scope);
    if (Over(ok)) return false;
    if (seen != nullptr) seen->marks[at] = 1;
  }
  return ok;
}

bool Check::Contains(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const ArrayRules& rules = *node.array;
  const bool unsure_before = std::exchange(unsure_, false);
  std::uint64_t found = 0;
  std::size_t at = 0;
  for (std::uint32_t i = value + 1; i < doc_[value].after; i = doc_[i].after, ++at) {
    if (!Asks(rules.contains, i, nullptr, scope)) continue;
    ++found;
    if (seen != nullptr) seen->marks[at] = 1;
  }
  const bool unsure = std::exchange(unsure_, unsure_ || unsure_before);
  if (rules.contained.Holds(found) || (unsure && found > rules.contained.max)) return true;
  const bool few = found < rules.contained.min;
  return wanted() &&
         Fail(node, few ? (rules.contained.min == 1 ? "contains" : "minContains") : "maxContains",
              value, "an array with " + CountWords(rules.contained, "item") + " of a certain kind",
              fmt::format("{} with {} of them", Describe(doc_, value), found));
}

bool Check::Object(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const ObjectRules& rules = *node.object;
  const std::uint32_t count = doc_[value].count;
  if (!budget_.Spend(count + rules.required.size() / kReadPerStep)) return false;
  bool ok = true;
  if (!rules.members.Holds(count)) {
    if (!wanted()) return false;
    ok = Fail(node, count < rules.members.min ? "minProperties" : "maxProperties", value,
              "an object with " + CountWords(rules.members, "member"));
  }
  boost::container::small_vector<char, 32> there(rules.required.size(), 0);
  std::string scratch;
  std::size_t at = 0;
  for (std::uint32_t key = value + 1; key < doc_[value].after; key = doc_[key + 1].after, ++at) {
    if (!budget_.Spend(doc_.Raw(key).size() / kReadPerStep)) return false;
    const std::string_view name = doc_.Text(key, scratch);
    const ObjectRules::Name* known = rules.Find(name);
    if (known != nullptr && known->required >= 0) {
      there[static_cast<std::size_t>(known->required)] = 1;
    }
    bool judged = false;
    ok &= Member(node, value, key, name, known, judged, scope);
    if (Over(ok)) return false;
    if (judged && seen != nullptr) seen->marks[at] = 1;
  }
  for (std::size_t i = 0; i < there.size(); ++i) {
    const ObjectRules::Name* name = there[i] != 0 ? nullptr : rules.Find(rules.required[i]);
    if (name == nullptr || static_cast<std::size_t>(name->required) != i) continue;  // named twice
    ok = Missing(node, value, rules.required[i], "required");
    if (Over(ok)) return false;
  }
  return rules.dependents.empty() ? ok : Dependents(node, value, seen, scope) && ok;
}

bool Check::Member(const Node& node, std::uint32_t object, std::uint32_t key, std::string_view name,
                   const ObjectRules::Name* known, bool& judged, const Scope& scope) {
  const ObjectRules& rules = *node.object;
  const Step step(*this, name);
  bool ok = true;
  if (known != nullptr && known->property) {
    judged = true;
    ok &= Fits(known->schema, key + 1, nullptr, &scope);
  }
  for (const auto& [pattern, schema] : rules.patterns) {
    if (Over(ok) || !budget_.Spend(StepsToMatch(*pattern, name))) return false;
    if (!Finds(*pattern, name)) continue;
    judged = true;
    ok &= Fits(schema, key + 1, nullptr, &scope);
  }
  if (Over(ok)) return false;
  if (rules.member_names != kNoNode) ok &= MemberName(node, key, name, scope);
  if (Over(ok) || judged || rules.additional == kNoNode) return ok;
  judged = true;
  if (rules.unknown_pattern) return ok;
  if (wanted() && tree_.nodes[rules.additional].never) {
    return Fail(node, "additionalProperties", object,
                fmt::format("no such member (there are: {})", KnownNames(rules)),
                Describe(doc_, key + 1));
  }
  return Fits(rules.additional, key + 1, nullptr, &scope) && ok;
}

bool Check::MemberName(const Node& node, std::uint32_t key, std::string_view name,
                       const Scope& scope) {
  if (!wanted()) return Fits(node.object->member_names, key, nullptr, &scope);
  std::vector<Problem> problems;
  std::vector<Problem>* const before = std::exchange(problems_, &problems);
  const bool ok = Fits(node.object->member_names, key, nullptr, &scope);
  problems_ = before;
  if (ok) return true;
  return Fail(node, "propertyNames", key,
              "as the member's name " +
                  (problems.empty() ? "what the schema allows" : problems.front().expected),
              Quoted(name));
}

bool Check::Missing(const Node& node, std::uint32_t value, std::string_view name,
                    std::string_view keyword) {
  return wanted() && Fail(node, keyword, value, "an object with the member " + Quoted(name, 120));
}

bool Check::Dependents(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  bool ok = true;
  for (const ObjectRules::Dependent& dependent : node.object->dependents) {
    if (Find(doc_, value, dependent.key, budget_) == 0) continue;
    for (const std::string& name : dependent.required) {
      if (Find(doc_, value, name, budget_) == 0) {
        ok = Missing(node, value, name, "dependentRequired");
      }
    }
    if (budget_.spent()) return false;
    ok &= Fits(dependent.schema, value, seen, &scope);
    if (Over(ok)) return false;
  }
  return ok;
}

bool Check::UnevaluatedMembers(const Node& node, std::uint32_t value, Seen& seen,
                               const Scope& scope) {
  const NodeIndex rest = node.object->unevaluated;
  std::string scratch;
  bool ok = true;
  std::size_t at = 0;
  for (std::uint32_t key = value + 1; key < doc_[value].after; key = doc_[key + 1].after, ++at) {
    if (seen.marks[at] != 0) continue;
    seen.marks[at] = 1;
    if (unsure_) continue;  // what is not checked may have judged it
    if (!budget_.Spend(StepsToRead(doc_, key))) return false;
    const Step step(*this, doc_.Text(key, scratch));
    if (wanted() && tree_.nodes[rest].never) {
      ok = Fail(node, "unevaluatedProperties", key + 1, "no such member");
    } else {
      ok &= Fits(rest, key + 1, nullptr, &scope);
    }
    if (Over(ok)) return false;
  }
  return ok;
}

bool Check::UnevaluatedElements(const Node& node, std::uint32_t value, Seen& seen,
                                const Scope& scope) {
  bool ok = true;
  std::size_t at = 0;
  for (std::uint32_t i = value + 1; i < doc_[value].after; i = doc_[i].after, ++at) {
    if (seen.marks[at] != 0) continue;
    seen.marks[at] = 1;
    if (unsure_) continue;
    const Step step(*this, at);
    ok &= Fits(node.array->unevaluated, i, nullptr, &scope);
    if (Over(ok)) return false;
  }
  return ok;
}

}  // namespace switchyard::json_schema
