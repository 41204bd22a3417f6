#include "policies/lib/shared_breaker.h"

#include <algorithm>

#include <fmt/format.h>

#include "policies/lib/settings.h"

namespace switchyard::policies {
namespace {

constexpr std::size_t kLongestFailure = 200;

std::string Words(Breaker::Why why, const Breaker::Settings& settings) {
  const auto share = [&settings](double rate) {
    return fmt::format("at least {:g}% of the calls within {}", rate * 100,
                       ShortDuration(settings.window));
  };
  switch (why) {
    case Breaker::Why::kConsecutive:
      return fmt::format("{} calls failed one after the other", settings.consecutive_failures);
    case Breaker::Why::kFailureRate: return share(settings.failure_rate) + " failed";
    case Breaker::Why::kSlowRate:
      return share(settings.slow_rate) + " took " + ShortDuration(settings.slow_call) + " or more";
    case Breaker::Why::kProbe: return "a probe failed or was slow";
  }
  return "calls failed";
}

// Cut between characters.
std::string_view Cut(std::string_view text) {
  if (text.size() <= kLongestFailure) return text;
  std::size_t end = kLongestFailure;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

std::expected<Breaker::Ticket, SharedBreaker::Facts> SharedBreaker::Admit(
    const Breaker::Settings& settings, TimePoint now) {
  const std::uint64_t closed = closed_.load(std::memory_order_acquire);
  if (closed != 0) return Breaker::Ticket{.generation = closed - 1};
  const std::lock_guard lock(mutex_);
  const Breaker::State before = breaker_.state();
  const Breaker::Admission admission = breaker_.Admit(settings, now);
  Follow(before, settings, now);
  if (admission.admitted) return admission.ticket;
  Facts facts = FactsAt(now);
  facts.retry_after = admission.retry_after;
  return std::unexpected(std::move(facts));
}

void SharedBreaker::Report(const Breaker::Settings& settings, Breaker::Ticket ticket,
                           Breaker::Verdict verdict, Duration took, TimePoint now,
                           std::string_view failure) {
  const bool judged = settings.failure_rate > 0 || settings.slow_rate > 0;
  const bool fine = verdict == Breaker::Verdict::kNone ||
                    (verdict == Breaker::Verdict::kSuccess && !fails_.load());
  const bool same = closed_.load(std::memory_order_acquire) == ticket.generation + 1;
  if (fine && same && !judged) return;
  const std::lock_guard lock(mutex_);
  const Breaker::State before = breaker_.state();
  if (verdict == Breaker::Verdict::kFailure && ticket.generation == breaker_.generation()) {
    last_ = Cut(failure);
  }
  breaker_.Report(settings, ticket, verdict, took, now);
  Follow(before, settings, now);
}

void SharedBreaker::Follow(Breaker::State before, const Breaker::Settings& settings,
                           TimePoint now) {
  fails_.store(breaker_.fails());
  const Breaker::State state = breaker_.state();
  closed_.store(state == Breaker::State::kClosed ? breaker_.generation() + 1 : 0,
                std::memory_order_release);
  if (state == before) return;
  if (state == Breaker::State::kOpen) why_ = Words(breaker_.why(), settings);
  if (on_change_) on_change_(FactsAt(now));
}

SharedBreaker::Facts SharedBreaker::Look(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return FactsAt(now);
}

SharedBreaker::Facts SharedBreaker::FactsAt(TimePoint now) const {
  Facts facts{.state = breaker_.state()};
  if (facts.state == Breaker::State::kClosed) return facts;
  facts.open_since = std::max(now - breaker_.since(), Duration::zero());
  facts.retry_after = breaker_.OpenFor(now);
  facts.why = why_;
  facts.last = last_;
  return facts;
}

}  // namespace switchyard::policies
