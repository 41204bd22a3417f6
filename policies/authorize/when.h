// On which arguments, at what time and how often a rule of `authorize` holds. Pure; values.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/authorize/pace.h"
#include "policies/lib/argument_test.h"

namespace switchyard::policies::authorize {

using WallTime = std::chrono::system_clock::time_point;

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
  std::optional<Pace> pace = {};             // nullopt = however often

  bool always() const { return arguments.empty() && time.empty() && !pace; }
  // But for the pace.
  Holds Judge(std::string_view raw_arguments, WallTime now) const;
  // All of it. `over`: whether the call is over the rate.
  Holds Judge(std::string_view raw_arguments, WallTime now, Holds over) const;
};

}  // namespace switchyard::policies::authorize
