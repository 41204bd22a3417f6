#include "policies/lib/breaker.h"

#include <algorithm>

namespace switchyard::policies {

void Breaker::Enter(State state) {
  state_ = state;
  ++generation_;
  consecutive_ = 0;
  slices_ = {};
  probing_ = 0;
  succeeded_ = 0;
}

Duration Breaker::OpenFor(TimePoint now) const {
  if (state_ != State::kOpen) return Duration::zero();
  return std::clamp<Duration>(open_for_ - (now - opened_at_), Duration::zero(), open_for_);
}

Breaker::Admission Breaker::Admit(const Settings& settings, TimePoint now) {
  if (state_ == State::kOpen) {
    // A clock that stepped back: what is left to wait begins here.
    opened_at_ = std::min(opened_at_, now);
    const Duration wait = OpenFor(now);
    if (wait > Duration::zero()) return {.admitted = false, .retry_after = wait};
    Enter(State::kHalfOpen);
  }
  if (state_ == State::kHalfOpen) {
    const unsigned probes = std::max(settings.probes, 1U);
    if (succeeded_ >= probes) {  // since fewer are asked for
      Enter(State::kClosed);
      closed_at_ = now;
      return {.admitted = true, .ticket = {.generation = generation_}};
    }
    if (probing_ + succeeded_ >= probes) {
      probed_at_ = std::min(probed_at_, now);
      if (now - probed_at_ >= settings.max_open_for) {  // a probe that hangs must not hold it
        Open(settings, Why::kProbe, now);
        return {.admitted = false, .retry_after = OpenFor(now)};
      }
      // Nobody knows how long a probe takes; the shortest open time is what was thought worth it.
      return {.admitted = false, .retry_after = settings.open_for};
    }
    ++probing_;
    probed_at_ = now;
  }
  return {.admitted = true, .ticket = {.generation = generation_}};
}

void Breaker::Report(const Settings& settings, Ticket ticket, Verdict verdict, Duration took,
                     TimePoint now) {
  if (ticket.generation != generation_) return;
  const bool slow = took >= settings.slow_call && settings.slow_rate > 0;
  if (state_ == State::kHalfOpen) return Probed(settings, verdict, slow, now);
  if (verdict == Verdict::kNone && !slow) return;
  const bool failed = verdict == Verdict::kFailure;
  if (verdict == Verdict::kSuccess) consecutive_ = 0;
  if (failed) ++consecutive_;
  Count(settings, failed, slow, now);
  Judge(settings, now);
}

void Breaker::Probed(const Settings& settings, Verdict verdict, bool slow, TimePoint now) {
  --probing_;
  // Slow is as bad as failed where slowness is judged at all.
  if (verdict == Verdict::kFailure || slow) return Open(settings, Why::kProbe, now);
  if (verdict == Verdict::kNone) return;
  if (++succeeded_ < std::max(settings.probes, 1U)) return;
  Enter(State::kClosed);
  closed_at_ = now;
}

void Breaker::Open(const Settings& settings, Why why, TimePoint now) {
  const bool again = state_ == State::kHalfOpen || now - closed_at_ < open_for_;
  const Duration next = again && open_for_ > Duration::zero() ? open_for_ * 2 : settings.open_for;
  open_for_ = std::min(std::max(next, settings.open_for),
                       std::max(settings.max_open_for, settings.open_for));
  if (state_ == State::kClosed) since_ = now;
  Enter(State::kOpen);
  why_ = why;
  opened_at_ = now;
}

void Breaker::Count(const Settings& settings, bool failed, bool slow, TimePoint now) {
  const std::int64_t slice = std::max<std::int64_t>(settings.window.count() / kSlices, 1);
  const std::int64_t count = now.time_since_epoch().count();
  const std::int64_t index = count / slice - (count % slice < 0 ? 1 : 0);
  if (index > newest_ + kSlices || index < newest_ - kSlices) {
    slices_ = {};  // all of it is over, or the clock is another one
    newest_ = index;
  }
  const auto place = [](std::int64_t at) {
    return static_cast<std::size_t>((at % kSlices + kSlices) % kSlices);
  };
  for (; newest_ < index; ++newest_) slices_[place(newest_ + 1)] = {};
  Counts& counts = slices_[place(newest_)];
  ++counts.calls;
  counts.failures += failed ? 1 : 0;
  counts.slow += slow ? 1 : 0;
}

Breaker::Counts Breaker::Sum() const {
  Counts sum;
  for (const Counts& slice : slices_) {
    sum.calls += slice.calls;
    sum.failures += slice.failures;
    sum.slow += slice.slow;
  }
  return sum;
}

void Breaker::Judge(const Settings& settings, TimePoint now) {
  if (settings.consecutive_failures > 0 && consecutive_ >= settings.consecutive_failures) {
    return Open(settings, Why::kConsecutive, now);
  }
  const Counts sum = Sum();
  if (sum.calls < std::max(settings.min_calls, 1U)) return;
  const auto share = [&sum](std::uint32_t part) {
    return static_cast<double>(part) / static_cast<double>(sum.calls);
  };
  if (settings.failure_rate > 0 && share(sum.failures) >= settings.failure_rate) {
    return Open(settings, Why::kFailureRate, now);
  }
  if (settings.slow_rate > 0 && share(sum.slow) >= settings.slow_rate) {
    Open(settings, Why::kSlowRate, now);
  }
}

std::string_view ToString(Breaker::State state) {
  switch (state) {
    case Breaker::State::kClosed: return "closed";
    case Breaker::State::kOpen: return "open";
    case Breaker::State::kHalfOpen: return "half_open";
  }
  return "closed";
}

std::string_view ToString(Breaker::Why why) {
  switch (why) {
    case Breaker::Why::kConsecutive: return "calls failed one after the other";
    case Breaker::Why::kFailureRate: return "too many calls failed";
    case Breaker::Why::kSlowRate: return "too many calls were slow";
    case Breaker::Why::kProbe: return "it did not recover yet";
  }
  return "calls failed";
}

}  // namespace switchyard::policies
