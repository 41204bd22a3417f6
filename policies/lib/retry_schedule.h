// How long to wait before a try is repeated. Pure: randomness is passed in. (base/backoff.h is for
// what goes on for ever and starts over; here a call has some tries and is done.)
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace switchyard::policies {

struct RetrySchedule {
  enum class Growth : std::uint8_t { kImmediate, kLinear, kExponential };

  Growth growth = Growth::kExponential;
  Duration base = std::chrono::milliseconds(100);  // the first wait
  Duration cap = std::chrono::seconds(10);         // the longest
  double jitter = 0.5;                             // 0 to 1: the share of a wait left to chance

  // Before the repetition with this number, from 1. `random` in [0, 1): the wait is between
  // (1 - jitter) and all of its step, so never longer than the cap.
  Duration Wait(unsigned repetition, double random) const;
};

}  // namespace switchyard::policies
