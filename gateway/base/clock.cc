#include "base/clock.h"

namespace switchyard {
namespace {

class RealClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point WallNow() const override {
    return std::chrono::system_clock::now();
  }
  Pace pace() const override { return Pace::kRuns; }
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock clock;
  return clock;
}

TimePoint ManualClock::Now() const { return TimePoint(Duration(nanoseconds_.load())); }

std::chrono::system_clock::time_point ManualClock::WallNow() const {
  // 2026-01-01 plus what has been advanced: a plausible date in records.
  constexpr std::chrono::seconds kEpoch{1'767'225'600};
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          kEpoch + Duration(nanoseconds_.load())));
}

void ManualClock::Advance(Duration by) { nanoseconds_ += by.count(); }

TimePoint LeapingClock::Now() const { return Real().Now() + Duration(ahead_.load()); }

std::chrono::system_clock::time_point LeapingClock::WallNow() const {
  return Real().WallNow() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(Duration(ahead_.load()));
}

void LeapingClock::Advance(Duration by) { ahead_ += by.count(); }

}  // namespace switchyard
