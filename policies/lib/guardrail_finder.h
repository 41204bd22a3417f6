// Finds secrets and personal data in a text. One pass: two bytes at a time are looked up in a table
// of what may begin there, and only then a detector looks closer, each within a bound of its own;
// the operator's patterns are one more pass, of all of them together. So the time is linear in the
// text, whatever it says, and a clean text costs little.
//
// Immutable after construction; safe from any thread. Pure.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/guardrail_detectors.h"

namespace re2 {
class RE2;
}

namespace switchyard::policies::guardrail {

struct Shape;

// The operator's own.
struct Pattern {
  std::string name;
  std::string text;
  std::shared_ptr<const re2::RE2> regex;
};
// The error is a sentence's end: `is no regular expression of RE2: ...`.
std::expected<Pattern, std::string> CompilePattern(std::string name, std::string text);

struct Wanted {
  std::bitset<kBuiltIn> detectors = {};
  // By their place; null where one is not wanted.
  std::vector<std::shared_ptr<const Pattern>> patterns = {};
  // Whether a text is a key of the gateway's own, by its checksum; null: nobody can tell.
  bool (*is_own_key)(std::string_view) = nullptr;
};

class Finder {
 public:
  // Of a pattern: what is longer is found in pieces or not at all.
  static constexpr std::size_t kLongestMatch = 4096;
  // Of one pattern in one text. Where there are more, all from there on counts as one.
  static constexpr std::size_t kMostMatches = 4096;

  explicit Finder(Wanted wanted);
  ~Finder();
  Finder(const Finder&) = delete;

  // Sorted by where they begin, then by detector; they may overlap. kSecretField is not looked for,
  // as it takes a member's name.
  std::vector<Finding> Find(std::string_view text) const;
  // A member's value as a whole.
  bool IsSecretField(std::string_view name, std::string_view value) const;

 private:
  class Patterns;

  const Wanted wanted_;
  // What begins with these two bytes may be something.
  std::bitset<65536> begins_;
  std::array<std::vector<const Shape*>, 256> shapes_;  // those that are wanted, by their first byte
  const std::unique_ptr<const Patterns> patterns_;     // null = none is wanted
};

}  // namespace switchyard::policies::guardrail
