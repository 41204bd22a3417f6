// A YAML text as a plain immutable tree with positions. The only place that knows the YAML library.
// Stricter than YAML: one document, string keys, no duplicate keys, no tags; and bounded, because
// anchors let ten lines stand for a billion nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace switchyard::config {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
  std::string key;
  Mark at;
  NodePtr value;
};

// Immutable once parsed; a node under an anchor is shared by its aliases.
struct Node {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Mark at;
  std::string text;  // of a scalar
  bool quoted = false;
  std::vector<NodePtr> items;
  std::vector<Entry> entries;  // in file order; those merged by `<<` come last
  std::size_t weight = 1;      // nodes below and including this one, aliases counted each time
  std::size_t depth = 1;

  const Entry* Find(std::string_view key) const;
};

inline constexpr std::size_t kMaxText = 1024 * 1024;
inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr std::size_t kMaxDepth = 32;

// Null when nothing can be read (syntax, a bound, an empty text), with the problem reported. Other
// problems (duplicate keys, tags) are reported and the tree is still returned, so that the reader
// can go on to find more.
NodePtr ParseTree(const std::string& text, Problems& problems);

}  // namespace switchyard::config
