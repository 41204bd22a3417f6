// What a peer can have the log say as often as it likes is said at once, and then at most once a
// minute. A value.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace switchyard {

class LogPace {
 public:
  static constexpr Duration kTellAgain = std::chrono::minutes(1);

  // It happened. True: the log is to have it.
  bool Due(TimePoint now) {
    if (told_ && now - *told_ < kTellAgain) return false;
    told_ = now;
    return true;
  }

 private:
  std::optional<TimePoint> told_;
};

}  // namespace switchyard
