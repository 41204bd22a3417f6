// How long to wait before the next try: doubles up to a cap, with jitter, and starts over after a
// good stretch. Pure: time and randomness are passed in.
#pragma once

#include "base/clock.h"

namespace switchyard {

class Backoff {
 public:
  struct Config {
    Duration initial = std::chrono::milliseconds(250);
    Duration cap = std::chrono::seconds(30);
    Duration reset_after = std::chrono::seconds(60);  // up this long = the trouble is over
  };

  explicit Backoff(Config config) : config_(config), next_(config.initial) {}

  // `random` in [0, 1): the pause is between half and all of the current step.
  Duration Next(double random) {
    const Duration step = next_;
    next_ = std::min(next_ * 2, config_.cap);
    return Duration(
        static_cast<Duration::rep>(static_cast<double>(step.count()) * (0.5 + random / 2)));
  }

  void WasUp(Duration for_how_long) {
    if (for_how_long >= config_.reset_after) next_ = config_.initial;
  }

 private:
  Config config_;
  Duration next_;
};

}  // namespace switchyard
