// On which arguments and at what time a rule of `authorize` holds. Pure; values.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace switchyard::policies::authorize {

using WallTime = std::chrono::system_clock::time_point;

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

// On some days of the week, from a minute of the day on and before another one.
struct Hours {
  std::bitset<7> days = {0b1111111};  // bit 0 = Monday: the day on which the time begins
  int from = 0, to = 24 * 60;         // `to` not after `from`: on the next day
  std::chrono::minutes offset{};      // of local time from UTC

  bool Has(WallTime time) const;
  std::string ToText() const;
};

struct When {
  std::vector<ArgumentTest> arguments = {};  // all of them
  std::vector<Hours> time = {};              // any of them; empty = at any time

  bool always() const { return arguments.empty() && time.empty(); }
  Holds Judge(std::string_view raw_arguments, WallTime now) const;
};

}  // namespace switchyard::policies::authorize
