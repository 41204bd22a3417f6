// A circuit breaker as a state machine: closed (all calls pass, their results are judged), open
// (none passes until a time), half-open (a few probes pass and decide). Pure: time is a parameter.
// A value; one thread at a time.
//
// A result counts only for the state in which its call was admitted: what began before it opened
// says nothing of the server after that. A call that says nothing because it was given up counts
// as slow once it was. A clock that steps back stands still for the window and
// makes an open time no longer than it was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace switchyard::policies {

class Breaker {
 public:
  struct Settings {
    unsigned consecutive_failures = 5;  // opens it; 0 = not judged
    // Shares of the calls that ended within the window, 0 to 1; 0 = not judged.
    double failure_rate = 0;
    double slow_rate = 0;
    Duration slow_call = std::chrono::seconds(10);  // a call is slow from here on
    Duration window = std::chrono::seconds(30);
    unsigned min_calls = 20;  // fewer in the window are no rate
    // The first time open; twice as long each time after that, until it stayed closed for as long
    // as it was open last.
    Duration open_for = std::chrono::seconds(5);
    Duration max_open_for = std::chrono::minutes(5);
    // At a time while half-open, and successes that close it; at least 1. One that lasts as long as
    // max_open_for has failed.
    unsigned probes = 1;
  };

  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  enum class Why : std::uint8_t { kConsecutive, kFailureRate, kSlowRate, kProbe };
  enum class Verdict : std::uint8_t {
    kSuccess,
    kFailure,
    kNone,  // says nothing of the server: cancelled, or not the server's fault
  };

  // Goes with one call to its Report().
  struct Ticket {
    std::uint64_t generation = 0;
  };
  struct Admission {
    bool admitted = false;
    Ticket ticket = {};      // admitted
    Duration retry_after{};  // not admitted: when asking again makes sense
  };

  Admission Admit(const Settings& settings, TimePoint now);
  // Exactly once for each admitted call.
  void Report(const Settings& settings, Ticket ticket, Verdict verdict, Duration took,
              TimePoint now);

  // As of the last of these two: it turns half-open when a call comes and not by itself.
  State state() const { return state_; }
  Why why() const { return why_; }  // it opened last; meaningless before it ever did
  // Until a call may pass again; zero unless open.
  Duration OpenFor(TimePoint now) const;
  TimePoint since() const { return since_; }       // it is not closed; meaningless while it is
  bool fails() const { return consecutive_ > 0; }  // the last call that ended while it was closed
  std::uint64_t generation() const { return generation_; }

 private:
  static constexpr std::int64_t kSlices = 10;
  struct Counts {
    std::uint32_t calls = 0, failures = 0, slow = 0;
  };

  void Count(const Settings& settings, bool failed, bool slow, TimePoint now);
  Counts Sum() const;
  void Judge(const Settings& settings, TimePoint now);
  void Probed(const Settings& settings, Verdict verdict, bool slow, TimePoint now);
  void Open(const Settings& settings, Why why, TimePoint now);
  void Enter(State state);

  State state_ = State::kClosed;
  Why why_ = Why::kConsecutive;
  std::uint64_t generation_ = 0;  // one more for each change of state

  // Closed.
  unsigned consecutive_ = 0;
  std::array<Counts, kSlices> slices_{};
  std::int64_t newest_ = 0;  // index of the newest slice

  // Open, and what is remembered for the next time.
  TimePoint opened_at_{};
  Duration open_for_{};  // zero: it never was
  TimePoint closed_at_{};
  TimePoint since_{};

  // Half-open.
  unsigned probing_ = 0;
  TimePoint probed_at_{};  // last
  unsigned succeeded_ = 0;
};

std::string_view ToString(Breaker::State state);  // closed, open, half_open
std::string_view ToString(Breaker::Why why);      // for messages

}  // namespace switchyard::policies
