// Time is passed in, never taken. Tests advance a ManualClock; nothing sleeps.
#pragma once

#include <atomic>
#include <chrono>

namespace switchyard {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;                                  // monotonic, for durations
  virtual std::chrono::system_clock::time_point WallNow() const = 0;  // for records and tokens

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

}  // namespace switchyard
