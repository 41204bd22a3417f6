// How many repetitions a server's traffic pays for: over any window at most a share of its calls
// and a small number more. So an outage is not made worse by everybody's retries, and a server with
// little traffic still gets a few.
//
// Thread-safe. To count a call is one compare-and-swap; a lock is taken by repetitions only. Time
// is a parameter; what is kept is 160 bytes whatever comes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace switchyard::policies {

class RetryBudget {
 public:
  static constexpr std::size_t kSlots = 10;  // the window moves in tenths

  explicit RetryBudget(Duration window);  // >= 1 us
  RetryBudget(const RetryBudget&) = delete;

  void CountCall(TimePoint now);
  // False: `fewest` and `share` of the calls are used up by repetitions in the window, and nothing
  // was taken.
  bool Take(TimePoint now, double share, std::uint64_t fewest);

 private:
  // Each slot is the number of its tenth of time, and what was counted in it: one word, so that a
  // slot begins anew in one step.
  using Slots = std::array<std::atomic<std::uint64_t>, kSlots>;

  std::uint64_t EpochOf(TimePoint now) const;
  static void Count(Slots& slots, std::uint64_t epoch);
  static std::uint64_t Sum(const Slots& slots, std::uint64_t epoch);

  const Duration slot_;
  Slots calls_{};
  Slots taken_{};
  std::mutex taking_;  // who takes sees what the others took
};

}  // namespace switchyard::policies
