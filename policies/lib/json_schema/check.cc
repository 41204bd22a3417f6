#include "policies/lib/json_schema/check.h"

#include <algorithm>

#include <fmt/format.h>

#include "policies/lib/json_schema/words.h"

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

// Some milliseconds, and more for more to read; under a second if schema and value are at their
// worst.
constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kStepsPerValue = 16;
constexpr std::uint64_t kBytesPerStep = 8;
constexpr std::uint64_t kSeenPerStep = 16;
constexpr int kScopesPerStep = 4;
constexpr std::size_t kMaxPath = 300;

constexpr std::size_t kNamedAlternatives = 6;
constexpr std::size_t kMaxExpected = 400;

}  // namespace

Check::Check(const Tree& tree, const JsonDoc& doc, bool formats, std::vector<Problem>* problems)
    : tree_(tree),
      doc_(doc),
      formats_(formats),
      problems_(problems),
      budget_(kSteps + kStepsPerValue * doc.size() + doc[0].end / kBytesPerStep) {}

void Check::Step::Append(std::string_view key) {
  std::string& path = check_.path_;
  if (path.size() + key.size() > kMaxPath) key = key.substr(0, path.size() > kMaxPath ? 0 : 40);
  path += '/';
  for (const char c : key) {
    if (c == '~' || c == '/') {
      path.append(c == '~' ? "~0" : "~1");
    } else {
      path += c;
    }
  }
}

bool Check::Fail(const Node& node, std::string_view keyword, std::uint32_t value,
                 std::string expected, std::string got) {
  if (!wanted() || problems_->size() == kMaxProblems) return false;
  problems_->push_back({.pointer = path_,
                        .expected = std::move(expected),
                        .got = got.empty() ? Describe(doc_, value) : std::move(got),
                        .keyword = node.location + '/' + std::string(keyword)});
  return false;
}

bool Check::Fits(NodeIndex index, std::uint32_t value, Seen* seen, const Scope* outer) {
  if (index == kNoNode) return true;
  if (depth_ == kMaxDepth) budget_.Exhaust();
  if (!budget_.Spend(1)) return false;
  const Node& node = tree_.nodes[index];
  unsure_ |= node.partial;
  if (node.never) return Fail(node, "false", value, "nothing");
  if (node.types != 0 && !Types(node, value)) return false;
  ++depth_;
  const Scope scope{.resource = node.resource, .outer = outer};
  const Kind kind = doc_[value].kind;
  const bool judges_rest =
      (kind == Kind::kObject && node.object && node.object->unevaluated != kNoNode) ||
      (kind == Kind::kArray && node.array && node.array->unevaluated != kNoNode);
  bool ok = false;
  if (judges_rest) {
    Seen own(doc_[value].count);
    ok = FitsRules(node, value, &own, scope);
    if (ok || wanted()) {
      ok &= kind == Kind::kObject ? UnevaluatedMembers(node, value, own, scope)
                                  : UnevaluatedElements(node, value, own, scope);
    }
    if (ok && seen != nullptr) seen->Add(own);
  } else {
    ok = FitsRules(node, value, seen, scope);
  }
  --depth_;
  return ok;
}

bool Check::FitsRules(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  bool ok = node.values.empty() || Values(node, value);
  if (Over(ok)) return false;
  switch (doc_[value].kind) {
    case Kind::kNumber: ok &= node.number == nullptr || Number(node, value); break;
    case Kind::kString: ok &= node.string == nullptr || String(node, value); break;
    case Kind::kArray: ok &= node.array == nullptr || Array(node, value, seen, scope); break;
    case Kind::kObject: ok &= node.object == nullptr || Object(node, value, seen, scope); break;
    default: break;
  }
  if (Over(ok) || node.logic == nullptr) return ok;
  return Logic(node, value, seen, scope) && ok;
}

bool Check::Asks(NodeIndex index, std::uint32_t value, Seen* seen, const Scope& scope) {
  const Quiet quiet(*this);
  if (seen == nullptr) return Fits(index, value, nullptr, &scope);
  if (!budget_.Spend(doc_[value].count / kSeenPerStep)) return false;
  Seen own(doc_[value].count);
  const bool fits = Fits(index, value, &own, &scope);
  if (fits) seen->Add(own);
  return fits;
}

bool Check::Types(const Node& node, std::uint32_t value) {
  bool fits = false;
  switch (doc_[value].kind) {
    case Kind::kNull: fits = (node.types & kNullType) != 0; break;
    case Kind::kTrue:
    case Kind::kFalse: fits = (node.types & kBooleanType) != 0; break;
    case Kind::kObject: fits = (node.types & kObjectType) != 0; break;
    case Kind::kArray: fits = (node.types & kArrayType) != 0; break;
    case Kind::kString: fits = (node.types & kStringType) != 0; break;
    case Kind::kNumber: {
      const std::string_view raw = doc_.Raw(value);
      budget_.Spend(raw.size() / kReadPerStep);
      fits =
          (node.types & kNumberType) != 0 ||
          ((node.types & kIntegerType) != 0 &&
           (raw.find_first_of(".eE") == std::string_view::npos || Decimal::Parse(raw).IsInteger()));
      break;
    }
  }
  return fits || (wanted() && Fail(node, "type", value, TypeWords(node.types)));
}

bool Check::Values(const Node& node, std::uint32_t value) {
  bool ok = true;
  for (const ValueRules& rules : node.values) {
    const bool known = std::ranges::any_of(rules.any_of, [&](std::uint32_t candidate) {
      return Equal(tree_.doc, candidate, doc_, value, budget_);
    });
    if (known) continue;
    ok = false;
    if (!wanted()) break;
    Fail(node, rules.keyword, value, ValueWords(tree_.doc, rules.any_of));
  }
  return ok;
}

bool Check::Logic(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const LogicRules& logic = *node.logic;
  bool ok = Fits(logic.reference, value, seen, &scope);
  if (Over(ok)) return false;
  if (logic.dynamic != kNoNode) ok &= Fits(Dynamic(logic, scope), value, seen, &scope);
  if (Over(ok)) return false;
  for (const NodeIndex each : logic.all) {
    ok &= Fits(each, value, seen, &scope);
    if (Over(ok)) return false;
  }
  if (!logic.any.empty()) ok &= Any(node, value, seen, scope);
  if (Over(ok)) return false;
  if (!logic.one.empty()) ok &= One(node, value, seen, scope);
  if (Over(ok)) return false;
  if (logic.negated != kNoNode) ok &= Not(node, value, scope);
  if (Over(ok)) return false;
  return logic.condition == kNoNode ? ok : Conditional(node, value, seen, scope) && ok;
}

NodeIndex Check::Dynamic(const LogicRules& logic, const Scope& scope) {
  NodeIndex target = logic.dynamic;
  budget_.Spend(static_cast<std::uint64_t>(depth_ / kScopesPerStep));
  if (logic.dynamic_anchor.empty()) return target;
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    const auto& anchors = tree_.resources[at->resource].dynamic_anchors;
    const auto found = anchors.find(logic.dynamic_anchor);
    if (found != anchors.end()) target = found->second;
  }
  return target;
}

bool Check::Any(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  bool fits = false;
  for (const NodeIndex each : node.logic->any) {
    fits |= Asks(each, value, seen, scope);
    if (fits && seen == nullptr) return true;
  }
  if (!fits && wanted()) Explain(node, "anyOf", node.logic->any, value, scope);
  return fits;
}

bool Check::One(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const bool unsure_before = std::exchange(unsure_, false);
  std::vector<std::size_t> fitting;
  Seen last(seen != nullptr ? doc_[value].count : 0);
  for (std::size_t i = 0; i < node.logic->one.size(); ++i) {
    Seen own(last.marks.size());
    if (!Asks(node.logic->one[i], value, seen != nullptr ? &own : nullptr, scope)) continue;
    fitting.push_back(i + 1);
    last.Add(own);
    if (fitting.size() > 1 && !wanted()) break;
  }
  const bool unsure = std::exchange(unsure_, unsure_ || unsure_before);
  if (fitting.size() == 1 || (fitting.size() > 1 && unsure)) {
    if (seen != nullptr) seen->Add(last);
    return true;
  }
  if (!wanted()) return false;
  if (fitting.empty()) {
    Explain(node, "oneOf", node.logic->one, value, scope);
    return false;
  }
  return Fail(node, "oneOf", value,
              fmt::format("what fits exactly one of {} alternatives", node.logic->one.size()),
              fmt::format("{}, which fits alternatives {} and {}", Describe(doc_, value),
                          fitting[0], fitting[1]));
}

bool Check::Not(const Node& node, std::uint32_t value, const Scope& scope) {
  const bool unsure_before = std::exchange(unsure_, false);
  const bool fits = Asks(node.logic->negated, value, nullptr, scope);
  const bool unsure = std::exchange(unsure_, unsure_ || unsure_before);
  if (!fits || unsure) return true;
  if (!wanted()) return false;
  const Node& negated = tree_.nodes[node.logic->negated];
  std::string expected = "what the schema does not exclude";
  if (!negated.values.empty()) {
    expected = "anything but " + ValueWords(tree_.doc, negated.values.front().any_of);
  } else if (negated.types != 0 && negated.object == nullptr && negated.logic == nullptr) {
    expected = "anything but " + TypeWords(negated.types);
  }
  return Fail(node, "not", value, std::move(expected));
}

bool Check::Conditional(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope) {
  const LogicRules& logic = *node.logic;
  const bool unsure_before = std::exchange(unsure_, false);
  const bool holds = Asks(logic.condition, value, seen, scope);
  const bool unsure = std::exchange(unsure_, unsure_ || unsure_before);
  if (unsure) return true;
  return Fits(holds ? logic.when_true : logic.when_false, value, seen, &scope);
}

void Check::Explain(const Node& node, std::string_view keyword, const std::vector<NodeIndex>& nodes,
                    std::uint32_t value, const Scope& scope) {
  std::vector<std::string> expected;
  std::vector<Problem> nearest;  // of the one alternative that this value seems to be meant for
  std::size_t near = 0;
  std::vector<Problem>* const before = problems_;
  for (const NodeIndex each : nodes) {
    std::vector<Problem> problems;
    problems_ = &problems;
    Fits(each, value, nullptr, &scope);
    problems_ = before;
    if (problems.empty()) continue;
    const Problem& first = problems.front();
    const bool here = first.pointer == path_;
    // A constant is mostly what tells alternatives apart.
    const bool far = first.keyword.ends_with("/const") || first.keyword.ends_with("/enum") ||
                     (here && first.keyword.ends_with("/type"));
    const std::string where =
        here ? "" : fmt::format("with {} as ", first.pointer.substr(path_.size()));
    std::string words = where + first.expected;
    if (std::ranges::find(expected, words) == expected.end()) expected.push_back(std::move(words));
    if (!far && ++near == 1) nearest = std::move(problems);
  }
  if (near == 1) {
    for (Problem& problem : nearest) {
      if (problems_->size() < kMaxProblems) problems_->push_back(std::move(problem));
    }
    return;
  }
  std::string all;
  for (std::size_t i = 0; i < expected.size() && i < kNamedAlternatives; ++i) {
    if (all.size() > kMaxExpected) break;
    all.append(i == 0 ? "" : ", or ").append(expected[i]);
  }
  if (all.empty()) all = fmt::format("what fits one of {} alternatives", nodes.size());
  Fail(node, keyword, value, std::move(all));
}

}  // namespace switchyard::json_schema
