// How calls under budgets are settled, whether their store is asked at once or later. For
// policies/budget.cc alone; tests see it through the policy.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "core/notes.h"
#include "core/store.h"
#include "policies/lib/budget_cost.h"
#include "telemetry/counter.h"

namespace switchyard::policies::budget {

// What all calls share; outlives them.
struct Shared {
  const Clock& clock;
  Store* store;
};

// For the record of a call, if anybody keeps one: what it used, once whatever the number of budgets
// that count it.
class CostNote {
 public:
  explicit CostNote(CallNotes* notes) : notes_(notes) {}
  CostNote(const CostNote&) = delete;
  ~CostNote() {
    if (notes_ == nullptr) return;
    CallNotes::Cost& cost = notes_->cost;
    std::array<std::optional<std::int64_t>*, 5> into = {&cost.calls, &cost.bytes, &cost.tokens,
                                                        &cost.money, &cost.milliseconds};
    for (std::size_t i = 0; i < into.size(); ++i) {
      if (seen_[i]) *into[i] = into[i]->value_or(0) + *seen_[i];  // an attempt elsewhere cost, too
    }
  }
  void Saw(Unit unit, std::int64_t amount) { seen_.at(static_cast<std::size_t>(unit)) = amount; }

 private:
  CallNotes* notes_;
  std::array<std::optional<std::int64_t>, 5> seen_{};
};

// Calls of which the store could not say, or did not take, what they use of some budgets: each is
// counted, the log has one of them now and then. Thread-safe.
class Unknowns {
 public:
  using Counters = std::vector<switchyard::telemetry::Counter*>;
  explicit Unknowns(Counters counters) : counters_(std::move(counters)) {}  // one a budget

  void Count() const {
    for (switchyard::telemetry::Counter* const counter : counters_) counter->Add();
  }
  // What the store said to a settlement.
  void Hear(const Result<Store::Charged>& settled, TimePoint now) {
    if (!settled)
      return Unsettled("what was set aside for it stands", settled.error().message, now);
    if (settled->left_out == 0) return;
    Unsettled("others are settled", "no room for another counter, see state.max_keys", now);
  }

 private:
  void Unsettled(std::string_view but, std::string_view why, TimePoint now) {
    constexpr Duration kBetween = std::chrono::seconds(10);
    Count();
    TimePoint::rep next = next_.load(std::memory_order_relaxed);
    const TimePoint after = now + kBetween;
    if (now.time_since_epoch().count() < next ||
        !next_.compare_exchange_strong(next, after.time_since_epoch().count())) {
      return;
    }
    spdlog::error("budget: what a call used of a budget is not written down, {}: {}", but, why);
  }

  Counters counters_;                                                             // of the process
  std::atomic<TimePoint::rep> next_{std::numeric_limits<TimePoint::rep>::min()};  // in the log
};

using Charged = Store::Charged;

// Moves as nothing.
struct Held {
  bool on = false;
  Held() = default;
  Held(Held&& other) noexcept : on(std::exchange(other.on, false)) {}
  Held& operator=(Held&&) = delete;
};

// The answer to a settlement, told of if there is none.
inline Task<Result<Charged>> Tells(Task<Result<Charged>> later, std::shared_ptr<Unknowns> unknowns,
                                   TimePoint now) {
  Result<Charged> settled = co_await std::move(later);
  unknowns->Hear(settled, now);
  co_return settled;
}

inline Task<void> SettleLater(Task<Result<Charged>> later) {
  const Result<Charged> settled = co_await std::move(later);  // it has told
}

}  // namespace switchyard::policies::budget
