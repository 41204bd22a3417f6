// Notices a server that says more than anybody can use: notifications, and answers that nobody
// waits for. What is kept of them is bounded where it is kept, and no call fails for it.
//
// FloodWatch has the log name the server, at most once a minute. Each process and each session of a
// server has one, and each worker one for its other streams. FloodEnd says when a process or a
// stream is to be cut off for it: its own, so that no other pays.
//
// One worker's thread. The clock outlives them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/log_pace.h"
#include "downstream/rate_watch.h"

namespace switchyard::downstream {

// Named: a server may say that much for a moment.
inline constexpr RateWatch::Limit kFloodNamed{.per_second = 1000, .burst = 5000};
// Cut off: far beyond use, and not only for a moment.
inline constexpr RateWatch::Limit kFloodCutOff{
    .per_second = 10'000, .burst = 20'000, .lasts = std::chrono::seconds(10)};

inline constexpr std::int64_t kFloodLook = 100;  // messages between two looks at the clock

class FloodWatch {
 public:
  FloodWatch(std::string server, const Clock& clock);

  // One message that answers no call.
  void Note() {
    ++total_;
    if (++unseen_ == kFloodLook) Look();
  }

 private:
  void Look();

  const std::string server_;
  const Clock& clock_;
  std::uint64_t total_ = 0;
  std::int64_t unseen_ = 0;
  RateWatch rate_{kFloodNamed};
  LogPace pace_;
};

class FloodEnd {
 public:
  explicit FloodEnd(const Clock& clock) : clock_(clock) {}

  // One message. True: enough of it.
  bool Note() {
    if (++unseen_ < kFloodLook) return false;
    unseen_ = 0;
    return rate_.Add(kFloodLook, clock_.Now());
  }
  // "floods: more than 10000 a second for 10 s"
  static std::string Why();

 private:
  const Clock& clock_;
  std::int64_t unseen_ = 0;
  RateWatch rate_{kFloodCutOff};
};

}  // namespace switchyard::downstream
