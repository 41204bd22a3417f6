// A Breaker for all workers. Thread-safe. As long as it is closed and the last call did not fail, a
// call costs a few atomic loads; its end takes a lock for some counting where rates are judged, and
// whenever something fails.
#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "policies/lib/breaker.h"

namespace switchyard::policies {

class SharedBreaker {
 public:
  // What it says of itself, at one time.
  struct Facts {
    Breaker::State state = Breaker::State::kClosed;
    Duration open_since{};   // how long it is not closed
    Duration retry_after{};  // until a call may pass; zero: the next one
    std::string why = {};    // in words, not closed
    std::string last = {};   // what the last failure said, "" = nothing
  };
  // Called for each change, in order, under its lock: must not call back. On any thread.
  using OnChange = std::function<void(const Facts&)>;

  explicit SharedBreaker(OnChange on_change) : on_change_(std::move(on_change)) {}

  // As Breaker::Admit(); not admitted: why, and when asking again makes sense.
  std::expected<Breaker::Ticket, Facts> Admit(const Breaker::Settings& settings, TimePoint now);
  // As Breaker::Report(). `failure`: what the failure said, for messages.
  void Report(const Breaker::Settings& settings, Breaker::Ticket ticket, Breaker::Verdict verdict,
              Duration took, TimePoint now, std::string_view failure = {});

  bool closed() const { return closed_.load(std::memory_order_acquire) != 0; }
  Facts Look(TimePoint now) const;

 private:
  void Follow(Breaker::State before, const Breaker::Settings& settings, TimePoint now);
  Facts FactsAt(TimePoint now) const;  // both need mutex_

  const OnChange on_change_;
  std::atomic<std::uint64_t> closed_{1};  // 1 + its generation while it is closed, else 0
  std::atomic<bool> fails_{false};        // Breaker::fails()

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Breaker breaker_;
  std::string why_, last_;
};

}  // namespace switchyard::policies
