// Counts of how long something took, in seconds, by bounds that its metric chooses. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "base/clock.h"

namespace switchyard::telemetry {

class Histogram {
 public:
  using Bounds = std::array<double, 12>;
  // What people take, and who waits for them.
  static constexpr Bounds kOfPeople = {1.0,   5.0,   15.0,   30.0,   60.0,    120.0,
                                       300.0, 900.0, 1800.0, 3600.0, 14400.0, 86400.0};
  // What the gateway takes itself.
  static constexpr Bounds kOfMachines = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,   0.25,   0.5,   1.0,  5.0};

  explicit Histogram(const Bounds& bounds = kOfPeople) : bounds_(bounds) {}

  void Observe(Duration took) {
    const double seconds = std::chrono::duration<double>(took).count();
    std::size_t place = 0;
    while (place < bounds_.size() && seconds > bounds_.at(place)) ++place;
    counts_.at(place).fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(took.count(), std::memory_order_relaxed);
  }
  const Bounds& bounds() const { return bounds_; }
  // By bound, the last one beyond all of them; not added up.
  std::uint64_t count(std::size_t place) const {
    return counts_.at(place).load(std::memory_order_relaxed);
  }
  double sum() const {
    return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  }

 private:
  const Bounds bounds_;
  std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Bounds> + 1> counts_{};
  std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace switchyard::telemetry
