// A number that all workers count up, each in a place of its own: a relaxed add on a cache line
// that no other worker writes. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace switchyard::telemetry {

class Counter {
 public:
  void Add(std::uint64_t by = 1) {
    places_[OwnPlace()].number.fetch_add(by, std::memory_order_relaxed);
  }
  std::uint64_t value() const {
    std::uint64_t sum = 0;
    for (const Place& place : places_) sum += place.number.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kPlaces = 16;  // more threads than that share some
  struct alignas(64) Place {
    std::atomic<std::uint64_t> number{0};
  };

  static std::size_t OwnPlace() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t own = next.fetch_add(1, std::memory_order_relaxed) % kPlaces;
    return own;
  }

  std::array<Place, kPlaces> places_;
};

}  // namespace switchyard::telemetry
