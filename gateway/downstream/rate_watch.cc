#include "downstream/rate_watch.h"

#include <algorithm>
#include <chrono>

namespace switchyard::downstream {

std::string RateWatch::Limit::ToText() const {
  return std::to_string(per_second) + " a second for " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(lasts).count()) + " s";
}

bool RateWatch::Add(std::int64_t count, TimePoint now) {
  const Duration each = Duration(std::chrono::seconds(1)) / limit_.per_second;
  // Longer ago makes no difference.
  const Duration full_after = std::chrono::seconds(limit_.burst / limit_.per_second + 1);
  const Duration passed = std::min<Duration>(now - since_, full_after);
  const std::int64_t earned = passed / each;
  // What is less than one stays for the next time.
  since_ = passed < full_after ? since_ + earned * each : now;
  const std::int64_t had = left_ + earned;
  if (had >= limit_.burst) over_since_.reset();  // it has rested
  left_ = std::min(had, limit_.burst) - count;
  if (left_ >= 0) return false;
  left_ = 0;
  if (!over_since_) over_since_ = now;
  return now - *over_since_ >= limit_.lasts;
}

}  // namespace switchyard::downstream
