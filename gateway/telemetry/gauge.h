// A number that goes up and down, set by any thread. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace switchyard::telemetry {

class Gauge {
 public:
  void Set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace switchyard::telemetry
