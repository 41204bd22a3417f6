// Real time until Halt(); from then on none passes but what a test says, however long a loaded
// machine takes for what the test does meanwhile. Timers run, and fire within milliseconds of what
// makes them due. A gateway needs some time to start: it is halted after that.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace switchyard::tests {

// Thread-safe; Halt() once.
class HaltingClock final : public Clock {
 public:
  TimePoint Now() const override {
    const TimePoint halted = halted_.load();
    return (halted == TimePoint::max() ? Real().Now() : halted) + Duration(ahead_.load());
  }
  std::chrono::system_clock::time_point WallNow() const override {
    return wall_start_ +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(Now() - start_);
  }
  Pace pace() const override { return Pace::kLeaps; }

  void Halt() { halted_ = Real().Now(); }
  void Advance(Duration by) { ahead_ += by.count(); }

 private:
  const TimePoint start_ = Real().Now();
  const std::chrono::system_clock::time_point wall_start_ = Real().WallNow();
  std::atomic<TimePoint> halted_{TimePoint::max()};
  std::atomic<std::int64_t> ahead_{0};  // nanoseconds
};

}  // namespace switchyard::tests
