#include "policies/lib/retry_budget.h"

#include <algorithm>

namespace switchyard::policies {
namespace {

constexpr unsigned kCountBits = 28;
constexpr std::uint64_t kMostCounted = (std::uint64_t{1} << kCountBits) - 1;
constexpr std::uint64_t kEpochs = (std::uint64_t{1} << (64 - kCountBits)) - 1;

}  // namespace

RetryBudget::RetryBudget(Duration window)
    : slot_(std::max<Duration>(window / static_cast<int>(kSlots), Duration(1))) {}

std::uint64_t RetryBudget::EpochOf(TimePoint now) const {
  return static_cast<std::uint64_t>(now.time_since_epoch() / slot_) & kEpochs;
}

void RetryBudget::Count(Slots& slots, std::uint64_t epoch) {
  std::atomic<std::uint64_t>& slot = slots[epoch % kSlots];
  std::uint64_t seen = slot.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t of = seen >> kCountBits;
    if (of > epoch) return;  // who comes a whole window late is not counted
    const std::uint64_t count = of == epoch ? seen & kMostCounted : 0;
    const std::uint64_t more = std::min(count + 1, kMostCounted);
    if (slot.compare_exchange_weak(seen, epoch << kCountBits | more, std::memory_order_relaxed)) {
      return;
    }
  }
}

std::uint64_t RetryBudget::Sum(const Slots& slots, std::uint64_t epoch) {
  std::uint64_t sum = 0;
  for (const std::atomic<std::uint64_t>& slot : slots) {
    const std::uint64_t seen = slot.load(std::memory_order_relaxed);
    if ((seen >> kCountBits) + kSlots > epoch) sum += seen & kMostCounted;
  }
  return sum;
}

void RetryBudget::CountCall(TimePoint now) { Count(calls_, EpochOf(now)); }

bool RetryBudget::Take(TimePoint now, double share, std::uint64_t fewest) {
  const std::uint64_t epoch = EpochOf(now);
  const std::lock_guard lock(taking_);
  const double paid_for =
      static_cast<double>(fewest) + share * static_cast<double>(Sum(calls_, epoch));
  if (static_cast<double>(Sum(taken_, epoch) + 1) > paid_for) return false;
  Count(taken_, epoch);
  return true;
}

}  // namespace switchyard::policies
