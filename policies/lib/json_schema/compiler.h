// The work of compile.h: goes through the schemas of a text, one after the other, and turns their
// members into rules. Only for compile.cc (the walk) and keywords.cc (what each member means).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policies/lib/json_schema/resources.h"
#include "policies/lib/json_schema/tree.h"

namespace switchyard::json_schema {

class Compiler {
 public:
  explicit Compiler(Tree& tree);
  void Run();

 private:
  struct Waiting {
    Place place;
    NodeIndex node;
    std::string location;
  };
  // One member of a schema.
  struct Member {
    std::string name;
    std::uint32_t value;
    std::uint32_t schema;
    std::uint32_t resource;
    std::string location;  // of the member
  };
  struct Keyword {
    std::string_view name;
    void (Compiler::*read)(Node&, const Member&);
    bool only_2020 = false;
  };
  static const Keyword* FindKeyword(std::string_view name);

  void Build(Node& node, const Waiting& from);
  // What a member says is left out.
  void Note(const Member& member, std::string_view why);
  bool Is(const Member& member, JsonDoc::Kind kind, std::string_view wanted);

  // The node of a schema; those not met before wait for Run(). kNoNode: there are too many.
  NodeIndex Want(Place place, std::string location);
  // The same for a schema within a member; kNoNode also for what is no schema.
  NodeIndex Sub(std::uint32_t value, const Member& member, std::string location);
  NodeIndex Sub(const Member& member) { return Sub(member.value, member, member.location); }
  std::vector<NodeIndex> List(const Member& member);  // kNoNode in place of what is no schema
  std::vector<std::string> Strings(std::uint32_t list, const Member& member);
  std::vector<std::pair<std::string, std::uint32_t>> Entries(const Member& member);

  // Readers of members, for one or several keywords each (keywords.cc).
  void Type(Node& node, const Member& member);
  void Values(Node& node, const Member& member);
  void Number(Node& node, const Member& member);
  void Count(Node& node, const Member& member);
  Pattern Regex(std::string_view text, const Member& member);
  void PatternOf(Node& node, const Member& member);
  void Format(Node& node, const Member& member);
  void Items(Node& node, const Member& member);
  void AdditionalItems(Node& node, const Member& member);
  void PrefixItems(Node& node, const Member& member);
  void Contains(Node& node, const Member& member);
  void UniqueItems(Node& node, const Member& member);
  void UnevaluatedItems(Node& node, const Member& member);
  void Properties(Node& node, const Member& member);
  void PatternProperties(Node& node, const Member& member);
  void AdditionalProperties(Node& node, const Member& member);
  void PropertyNames(Node& node, const Member& member);
  void UnevaluatedProperties(Node& node, const Member& member);
  void Required(Node& node, const Member& member);
  void Dependents(Node& node, const Member& member);
  void AllOf(Node& node, const Member& member);
  void AnyOf(Node& node, const Member& member);
  void OneOf(Node& node, const Member& member);
  void Not(Node& node, const Member& member);
  void If(Node& node, const Member& member);
  void Then(Node& node, const Member& member);
  void Else(Node& node, const Member& member);
  void Ref(Node& node, const Member& member);
  void Unsupported(Node& node, const Member& member);

  Tree& tree_;
  const JsonDoc& doc_;
  const Dialect dialect_;
  const Resources resources_;
  std::unordered_map<std::uint32_t, NodeIndex> known_;
  std::deque<Waiting> waiting_;
  Node* building_ = nullptr;
  std::size_t patterns_ = 0;
  bool full_ = false;
};

// A JSON pointer one step further; ends at a bound, since a schema may have any names.
std::string Below(const std::string& location, std::string_view key);

}  // namespace switchyard::json_schema
