// Counts what a server says that is of no use (no JSON-RPC, answers to nobody). So many in a row
// cut it off, and so many a second whatever is in between; the log has the first, and at most one a
// minute. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log_pace.h"
#include "downstream/rate_watch.h"

namespace switchyard::downstream {

class RubbishCount {
 public:
  // A program that prints what it does on stdout stays below that.
  static constexpr RateWatch::Limit kFastest{
      .per_second = 1000, .burst = 2000, .lasts = std::chrono::seconds(3)};

  explicit RubbishCount(unsigned most_in_row) : most_in_row_(most_in_row) {}

  // One more. True: the log is to have it.
  bool Note(TimePoint now) {
    ++in_row_;
    ++total_;
    too_fast_ = rate_.Add(1, now) || too_fast_;
    return pace_.Due(now);
  }
  void SawUse() { in_row_ = 0; }

  std::uint64_t total() const { return total_; }
  bool too_much() const { return too_fast_ || in_row_ >= most_in_row_; }
  // Why it is: "100 lines in a row that are no answer of MCP".
  std::string Why(std::string_view lines) const {
    std::string why =
        too_fast_ ? "more than " + kFastest.ToText() + ": " : std::to_string(in_row_) + " ";
    why.append(lines).append(too_fast_ ? "" : " in a row").append(" that are no answer of MCP");
    return why;
  }

 private:
  unsigned most_in_row_;
  unsigned in_row_ = 0;
  std::uint64_t total_ = 0;
  bool too_fast_ = false;
  RateWatch rate_{kFastest};
  LogPace pace_;
};

}  // namespace switchyard::downstream
