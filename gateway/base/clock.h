// Time is passed in, never taken. Tests advance a ManualClock; nothing sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace switchyard {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// Thread-safe.
class Clock {
 public:
  // What timers can rely on.
  enum class Pace {
    kRuns,    // as the machine's steady clock
    kLeaps,   // so, too, but it may jump ahead
    kStands,  // until somebody advances it
  };

  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;                                  // monotonic, for durations
  virtual std::chrono::system_clock::time_point WallNow() const = 0;  // for records and tokens

  virtual Pace pace() const { return Pace::kStands; }

  static const Clock& Real();
};

class ManualClock final : public Clock {
 public:
  TimePoint Now() const override;
  std::chrono::system_clock::time_point WallNow() const override;
  void Advance(Duration by);

 private:
  std::atomic<std::int64_t> nanoseconds_{1'000'000'000};
};

// For tests of whole gateways: real time, and hours that pass at once. Timers run, and those that a
// leap makes due fire within milliseconds.
class LeapingClock final : public Clock {
 public:
  TimePoint Now() const override;
  std::chrono::system_clock::time_point WallNow() const override;
  Pace pace() const override { return Pace::kLeaps; }
  void Advance(Duration by);

 private:
  std::atomic<std::int64_t> ahead_{0};  // nanoseconds
};

}  // namespace switchyard
