// A token bucket as the time at which it will be full again (the "generic cell rate algorithm" of
// ITU-T I.371): one number, exact in whole nanoseconds, and a full bucket needs no memory at all.
// Pure; a value.
//
// A clock that jumps back takes tokens as one that jumps forward gives them, down to an empty
// bucket: what was given never exceeds the burst and what the clock's steps forward refilled, and
// nobody waits longer than for an empty bucket.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "core/store.h"

namespace switchyard::store {

class TokenBucket {
 public:
  // Until it has what is wanted; zero = now.
  Duration Wait(const Store::Bucket& bucket, TimePoint now) const {
    if (bucket.tokens > bucket.burst) return Duration::max();
    if (full_at_ <= now) return Duration::zero();
    const Duration missing = std::min<Duration>(full_at_ - now, Whole(bucket));
    const Duration wanted = bucket.interval * bucket.tokens;
    return std::max(missing + wanted - Whole(bucket), Duration::zero());
  }
  // After a Wait() of zero at the same time.
  void Take(const Store::Bucket& bucket, TimePoint now) {
    const TimePoint since = std::clamp(full_at_, now, now + Whole(bucket));
    full_at_ = since + bucket.interval * bucket.tokens;
  }

  // Nothing is lost by forgetting it.
  bool IsFull(TimePoint now) const { return full_at_ <= now; }
  TimePoint full_at() const { return full_at_; }

 private:
  static Duration Whole(const Store::Bucket& bucket) { return bucket.interval * bucket.burst; }

  TimePoint full_at_ = TimePoint::min();
};

}  // namespace switchyard::store
