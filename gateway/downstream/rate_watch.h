// Whether something comes faster than anybody can use, and for how long: a bucket that holds
// `burst` and fills by `per_second`, and the time since which it has been empty again and again. A
// value; time is passed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace switchyard::downstream {

class RateWatch {
 public:
  struct Limit {
    std::int64_t per_second = 0;
    std::int64_t burst = 0;  // more than that at once
    Duration lasts = {};     // how long it must go on until it counts

    // "1000 a second for 3 s"
    std::string ToText() const;
  };

  explicit RateWatch(Limit limit) : limit_(limit), left_(limit.burst) {}

  // `count` more. True: too fast, and for that long.
  bool Add(std::int64_t count, TimePoint now);

  const Limit& limit() const { return limit_; }

 private:
  Limit limit_;
  std::int64_t left_;
  TimePoint since_;  // what was earned until then is in `left_`
  std::optional<TimePoint> over_since_;
};

}  // namespace switchyard::downstream
