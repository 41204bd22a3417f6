// A schema compiled: nodes that refer to each other by index, with their keywords sorted by what
// they judge. Made by compile.h, immutable then, safe to read from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policies/lib/json_schema/decimal.h"
#include "policies/lib/json_schema/formats.h"
#include "policies/lib/json_schema/json_doc.h"

namespace re2 {
class RE2;
}

namespace switchyard::json_schema {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = std::numeric_limits<NodeIndex>::max();
using Pattern = std::shared_ptr<const re2::RE2>;

enum TypeBit : std::uint8_t {
  kNullType = 1,
  kBooleanType = 2,
  kObjectType = 4,
  kArrayType = 8,
  kNumberType = 16,
  kStringType = 32,
  kIntegerType = 64,
};

struct NumberRules {
  struct Limit {
    Decimal value;
    std::string text;  // as the schema writes it, for messages
  };
  std::optional<Limit> minimum, maximum, above, below, multiple_of;
};

// Of lengths and numbers of things; both ends belong to it.
struct Bounds {
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t min = 0, max = kNoLimit;

  bool Holds(std::uint64_t count) const { return count >= min && count <= max; }
  bool any() const { return min != 0 || max != kNoLimit; }
};

struct StringRules {
  Bounds length;  // in code points
  Pattern pattern;
  std::string pattern_text;
  FormatCheck format = nullptr;
  std::string format_name;
};

struct ArrayRules {
  Bounds items;
  Bounds contained{.min = 1};
  bool unique = false;
  std::vector<NodeIndex> prefix;
  NodeIndex rest = kNoNode;
  NodeIndex contains = kNoNode;
  NodeIndex unevaluated = kNoNode;
};

struct ObjectRules {
  struct Name {
    std::string key;
    NodeIndex schema = kNoNode;
    std::int32_t required = -1;  // its place in `required`
    bool property = false;       // one of `properties`
  };
  struct Dependent {
    std::string key;
    std::vector<std::string> required;
    NodeIndex schema = kNoNode;
  };
  Bounds members;
  std::vector<Name> names;  // of `properties` and `required`, sorted by size, then bytes
  std::vector<std::string> required;
  std::vector<std::pair<Pattern, NodeIndex>> patterns;
  std::vector<Dependent> dependents;
  bool unknown_pattern = false;  // one of patternProperties is not checked: nothing is additional
  NodeIndex additional = kNoNode;
  NodeIndex member_names = kNoNode;
  NodeIndex unevaluated = kNoNode;

  const Name* Find(std::string_view key) const;
};

struct LogicRules {
  std::vector<NodeIndex> all, any, one;
  NodeIndex negated = kNoNode;
  NodeIndex condition = kNoNode, when_true = kNoNode, when_false = kNoNode;
  NodeIndex reference = kNoNode;
  NodeIndex dynamic = kNoNode;  // where $dynamicRef leads, if nobody further out
  std::string dynamic_anchor;   // has this anchor; "" = it is like $ref
};

struct ValueRules {
  std::vector<std::uint32_t> any_of;  // values of the schema's text
  std::string keyword;                // const or enum
};

struct Node {
  std::string location;  // a JSON pointer into the schema
  std::uint32_t resource = 0;
  bool never = false;      // the schema `false`
  bool partial = false;    // something of it is not checked
  std::uint8_t types = 0;  // TypeBits, 0 = any
  std::vector<ValueRules> values;
  std::unique_ptr<NumberRules> number;
  std::unique_ptr<StringRules> string;
  std::unique_ptr<ArrayRules> array;
  std::unique_ptr<ObjectRules> object;
  std::unique_ptr<LogicRules> logic;
};

// A schema with an $id of its own, or the root.
struct Resource {
  std::string uri;
  std::uint32_t root = 0;                        // value of the schema's text
  std::map<std::string, std::uint32_t> anchors;  // values of the schema's text
  std::map<std::string, NodeIndex> dynamic_anchors;
};

struct Tree {
  std::string text;  // `doc` borrows it
  JsonDoc doc;
  std::vector<Node> nodes;  // the first is the root
  std::vector<Resource> resources;
  std::vector<std::string> notes;  // what is not checked, and why
};

}  // namespace switchyard::json_schema
