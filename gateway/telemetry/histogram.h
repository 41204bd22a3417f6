// Seconds that people take: counts of how long something took, by bounds of its own. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace switchyard::telemetry {

class Histogram {
 public:
  static constexpr std::array kBounds = {1.0,   5.0,   15.0,   30.0,   60.0,    120.0,
                                         300.0, 900.0, 1800.0, 3600.0, 14400.0, 86400.0};

  void Observe(Duration took) {
    const double seconds = std::chrono::duration<double>(took).count();
    std::size_t place = 0;
    while (place < kBounds.size() && seconds > kBounds.at(place)) ++place;
    counts_.at(place).fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(took.count(), std::memory_order_relaxed);
  }
  // By bound, the last one beyond all of them; not added up.
  std::uint64_t count(std::size_t place) const {
    return counts_.at(place).load(std::memory_order_relaxed);
  }
  double sum() const {
    return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace switchyard::telemetry
