// Rates as the configuration writes them: 10/s, 600/min, 100/h, 5000/d. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace switchyard::policies {

struct Rate {
  std::int64_t count = 1;
  Duration per = std::chrono::seconds(1);

  // Between two of them; rounded up, so never more than the rate. At least a microsecond, see
  // ParseRate.
  Duration interval() const { return (per + Duration(count - 1)) / count; }
};

inline constexpr std::string_view kRateForms = "a rate such as 10/s, 600/min, 100/h or 5000/d";

// A whole number above 0 per s, min, h or d, a million a second at most. nullopt: it is none.
std::optional<Rate> ParseRate(std::string_view text);

}  // namespace switchyard::policies
