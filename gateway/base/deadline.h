// The point in time by which something must be over. Absolute; it only ever shrinks.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace switchyard {

class Deadline {
 public:
  Deadline() = default;  // never
  explicit Deadline(TimePoint at) : at_(at) {}

  static Deadline In(const Clock& clock, Duration d) { return Deadline(clock.Now() + d); }

  void ShrinkTo(TimePoint at) { at_ = std::min(at_, at); }
  void ShrinkTo(Deadline other) { ShrinkTo(other.at_); }
  TimePoint at() const { return at_; }
  bool never() const { return at_ == TimePoint::max(); }
  bool Passed(TimePoint now) const { return now >= at_; }

 private:
  TimePoint at_ = TimePoint::max();
};

}  // namespace switchyard
