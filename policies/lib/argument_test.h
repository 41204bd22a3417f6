// A test of what stands at one place of a call's arguments, for rules that depend on it. Pure;
// values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace switchyard::policies {

// kCannotTell: what came is not of the kind that the test is about (a string where a number is
// compared), or two readers could take it for two things (a key that stands there twice). A rule
// that allows does not hold then, one that denies does.
enum class Holds : std::uint8_t { kNo, kYes, kCannotTell };

// Of what stands at one place of the arguments. All that is said must hold.
struct ArgumentTest {
  std::string at;                                   // RFC 6901, as it was written
  std::vector<std::string> tokens = {};             // of `at`; "*" is every member or element
  std::vector<std::string> globs = {};              // any of them, over the whole text
  std::vector<std::string> one_of = {};             // numbers are the same however they are written
  std::shared_ptr<const re2::RE2> regex = nullptr;  // fits the whole text
  std::optional<double> min = {}, max = {};
  std::optional<bool> present = {};

  Holds Judge(std::string_view arguments) const;
  std::string ToText() const;
};

// nullopt: not "" and not /...; or with a ~ that is neither ~0 nor ~1.
std::optional<std::vector<std::string>> PointerTokens(std::string_view pointer);

// kNo if either is, kCannotTell if either is then.
Holds Both(Holds a, Holds b);

}  // namespace switchyard::policies
