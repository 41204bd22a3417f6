// One value against one Tree: the recursion of JSON Schema, in bounded depth and work. Lives for
// one question, on one thread.
//
// Without `problems` it stops at the first thing that is wrong; with them it goes on, so that the
// caller learns of several at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "policies/lib/json_schema/equal.h"
#include "policies/lib/json_schema/problem.h"
#include "policies/lib/json_schema/tree.h"

namespace switchyard::json_schema {

class Check {
 public:
  // Of schemas within each other; deeper ones are not judged.
  static constexpr int kMaxDepth = 400;
  static constexpr std::size_t kMaxProblems = 5;

  Check(const Tree& tree, const JsonDoc& doc, bool formats, std::vector<Problem>* problems);

  // Meaningless once gave_up().
  bool Run() { return Fits(0, 0, nullptr, nullptr); }
  bool gave_up() const { return budget_.spent(); }

 private:
  // Which children of a value some keyword has judged, for unevaluatedProperties and -Items.
  struct Seen {
    explicit Seen(std::size_t children) : marks(children, 0) {}
    void Add(const Seen& other) {
      for (std::size_t i = 0; i < marks.size(); ++i) marks[i] |= other.marks[i];
    }
    boost::container::small_vector<char, 32> marks;
  };
  // The resources that were entered on the way, for $dynamicRef.
  struct Scope {
    std::uint32_t resource;
    const Scope* outer;
  };
  // Makes what is checked within it a question for yes or no.
  class Quiet;
  class Step;

  bool Fits(NodeIndex index, std::uint32_t value, Seen* seen, const Scope* outer);
  bool FitsRules(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  // Asked only; what it has seen is added when it fits.
  bool Asks(NodeIndex index, std::uint32_t value, Seen* seen, const Scope& scope);

  bool Types(const Node& node, std::uint32_t value);
  bool Values(const Node& node, std::uint32_t value);
  bool Number(const Node& node, std::uint32_t value);
  bool String(const Node& node, std::uint32_t value);
  bool Array(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool Elements(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool Contains(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool Object(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  // `known`: what the rules say of the name; null = nothing.
  bool Member(const Node& node, std::uint32_t object, std::uint32_t key, std::string_view name,
              const ObjectRules::Name* known, bool& judged, const Scope& scope);
  bool MemberName(const Node& node, std::uint32_t key, std::string_view name, const Scope& scope);
  bool Missing(const Node& node, std::uint32_t value, std::string_view name,
               std::string_view keyword);
  bool Dependents(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool UnevaluatedMembers(const Node& node, std::uint32_t value, Seen& seen, const Scope& scope);
  bool UnevaluatedElements(const Node& node, std::uint32_t value, Seen& seen, const Scope& scope);

  bool Logic(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool Any(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool One(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  bool Not(const Node& node, std::uint32_t value, const Scope& scope);
  bool Conditional(const Node& node, std::uint32_t value, Seen* seen, const Scope& scope);
  NodeIndex Dynamic(const LogicRules& logic, const Scope& scope);
  // Why none of the alternatives fits.
  void Explain(const Node& node, std::string_view keyword, const std::vector<NodeIndex>& nodes,
               std::uint32_t value, const Scope& scope);

  // Always false. Records the problem when they are wanted and there is room.
  bool Fail(const Node& node, std::string_view keyword, std::uint32_t value, std::string expected,
            std::string got = {});
  bool wanted() const { return problems_ != nullptr; }
  bool Over(bool ok) const { return !ok && !wanted(); }

  const Tree& tree_;
  const JsonDoc& doc_;
  const bool formats_;
  std::vector<Problem>* problems_;
  Budget budget_;
  int depth_ = 0;
  // Something that is not checked was met: what holds then may not hold, so nothing may be refused
  // because of it (`not`, a second alternative of `oneOf`, a condition).
  bool unsure_ = false;
  std::string path_;  // of the value, as far as it is wanted
};

// Adds one step to the path for its lifetime.
class Check::Step {
 public:
  Step(Check& check, std::string_view key) : check_(check), size_(check.path_.size()) {
    if (check.wanted()) Append(key);
  }
  Step(Check& check, std::size_t index) : check_(check), size_(check.path_.size()) {
    if (check.wanted()) Append(std::to_string(index));
  }
  Step(const Step&) = delete;
  ~Step() { check_.path_.resize(size_); }

 private:
  void Append(std::string_view key);

  Check& check_;
  const std::size_t size_;
};

class Check::Quiet {
 public:
  explicit Quiet(Check& check) : check_(check), before_(std::exchange(check.problems_, nullptr)) {}
  Quiet(const Quiet&) = delete;
  ~Quiet() { check_.problems_ = before_; }

 private:
  Check& check_;
  std::vector<Problem>* const before_;
};

}  // namespace switchyard::json_schema
