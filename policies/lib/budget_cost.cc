#include "policies/lib/budget_cost.h"

#include <algorithm>

#include "policies/lib/budget_money.h"

namespace switchyard::policies {
namespace {

std::int64_t Plus(std::int64_t a, std::int64_t b) { return std::min(a + b, kMostMicros); }

void Follow(std::atomic<std::int64_t>& largest, std::int64_t seen) {
  std::int64_t known = largest.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t next = seen >= known ? seen : known - (known - seen + 15) / 16;
    if (next == known || largest.compare_exchange_weak(known, next, std::memory_order_relaxed)) {
      return;
    }
  }
}

std::int64_t Or(const std::atomic<std::int64_t>& learnt, std::int64_t otherwise) {
  const std::int64_t value = learnt.load(std::memory_order_relaxed);
  // Nothing at all would pass where nothing is left.
  return value < 0 ? otherwise : std::max<std::int64_t>(value, 1);
}

}  // namespace

std::int64_t CostOf(const Usage& usage, const Price& price) {
  if (usage.told) return *usage.told;
  std::int64_t cost = usage.calls > 0 ? price.per_call : 0;
  cost = Plus(cost, ShareOf(usage.tokens_in, price.per_1k_in, 1000));
  cost = Plus(cost, ShareOf(usage.tokens_out, price.per_1k_out, 1000));
  return Plus(cost, ShareOf(usage.milliseconds, price.per_second, 1000));
}

std::int64_t AmountOf(Unit unit, const Usage& usage, const Price& price) {
  switch (unit) {
    case Unit::kCalls: return usage.calls;
    case Unit::kBytes: return usage.bytes;
    case Unit::kTokens: return usage.tokens_in + usage.tokens_out;
    case Unit::kMoney: return CostOf(usage, price);
    case Unit::kTime: return usage.milliseconds;
  }
  return 0;
}

std::int64_t Reservation(Unit unit, const Usage& guess, const Price& price, std::int64_t limit) {
  const Usage known = {.tokens_in = guess.tokens_in};
  std::int64_t surely = AmountOf(unit, known, price);
  if (unit == Unit::kMoney) {
    if (price.none()) return 0;
    // What the server says may be less than the table. But something has to be asked for, or a
    // used-up budget would let the call pass.
    surely = price.meta.empty() ? std::max<std::int64_t>(surely, 1) : 1;
  }
  return std::max(surely, std::min(AmountOf(unit, guess, price), limit));
}

std::int64_t Settlement(Unit unit, const Usage& usage, const Price& price, std::int64_t reserved) {
  const std::int64_t real = AmountOf(unit, usage, price);
  return unit == Unit::kMoney && usage.unpriced ? std::max(real, reserved) : real;
}

void Learnt::Saw(const Usage& usage) {
  Follow(bytes_, usage.bytes);
  Follow(tokens_, usage.tokens_out);
  Follow(milliseconds_, usage.milliseconds);
  if (usage.told) Follow(told_, *usage.told);
}

Usage Learnt::Guess(const Reserve& reserve, const Price& price, std::int64_t tokens_in) const {
  Usage usage{.bytes = reserve.bytes.value_or(Or(bytes_, kBytes)),
              .tokens_in = tokens_in,
              .tokens_out = reserve.tokens.value_or(Or(tokens_, kTokens)),
              .milliseconds = reserve.milliseconds.value_or(Or(milliseconds_, kMilliseconds))};
  const std::int64_t told = told_.load(std::memory_order_relaxed);
  if (!price.meta.empty() && told >= 0) usage.told = told;
  if (reserve.money) usage.told = reserve.money;
  return usage;
}

}  // namespace switchyard::policies
