// Counts what a server says that is of no use (no JSON-RPC, answers to nobody): so many in a row
// cut it off, and the log has the first, each hundredth and the first of each minute. A value.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace switchyard::downstream {

class RubbishCount {
 public:
  // One more. True: the log is to have it.
  bool Note(TimePoint now) {
    ++in_row_;
    const bool tell = total_++ % kEvery == 0 || now - told_ >= kTellAgain;
    if (tell) told_ = now;
    return tell;
  }
  void SawUse() { in_row_ = 0; }

  unsigned in_row() const { return in_row_; }
  std::uint64_t total() const { return total_; }

 private:
  static constexpr std::uint64_t kEvery = 100;
  static constexpr Duration kTellAgain = std::chrono::minutes(1);

  unsigned in_row_ = 0;
  std::uint64_t total_ = 0;
  TimePoint told_;  // of no meaning before the first
};

}  // namespace switchyard::downstream
