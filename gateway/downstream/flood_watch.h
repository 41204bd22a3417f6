// Notices a server that says more than anybody can use: notifications, and answers that nobody
// waits for. What is kept of them is bounded where it is kept, and no call fails for it; this has
// the log name the server, at most once a minute. Each process and each session of a server has
// one, and each worker one for its other streams.
//
// One worker's thread. The clock outlives it.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace switchyard::downstream {

class FloodWatch {
 public:
  static constexpr std::int64_t kPerSecond = 1000;
  static constexpr std::int64_t kBurst = 5000;  // more than that at once

  FloodWatch(std::string server, const Clock& clock);

  // One message that answers no call.
  void Note() {
    ++total_;
    if (++unseen_ == kLook) Look();
  }

 private:
  static constexpr std::int64_t kLook = 100;  // messages between two looks at the clock

  void Look();

  const std::string server_;
  const Clock& clock_;
  std::uint64_t total_ = 0;
  std::int64_t unseen_ = 0;
  std::int64_t left_ = kBurst;
  TimePoint since_;
  TimePoint told_ = TimePoint::min();
};

}  // namespace switchyard::downstream
