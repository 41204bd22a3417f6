// Counts of how long something took, in seconds, by bounds that its metric chooses. Each worker
// counts in a place of its own (counter.h). Thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "base/clock.h"
#include "telemetry/counter.h"

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
    counts_.at(place).Add();
    nanoseconds_.Add(static_cast<std::uint64_t>(std::max(took, Duration(0)).count()));
  }
  const Bounds& bounds() const { return bounds_; }
  // By bound, the last one beyond all of them; not added up.
  std::uint64_t count(std::size_t place) const { return counts_.at(place).value(); }
  double sum() const { return static_cast<double>(nanoseconds_.value()) * 1e-9; }

 private:
  const Bounds bounds_;
  std::array<Counter, std::tuple_size_v<Bounds> + 1> counts_{};
  Counter nanoseconds_;
};

}  // namespace switchyard::telemetry
