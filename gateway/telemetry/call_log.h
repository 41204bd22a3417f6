// One line a call, written at its end, also when it failed or was cancelled. Thread-safe; a worker
// pays for formatting and a copy (well below a microsecond), never for the reader of the log.
#pragma once

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "telemetry/call_series.h"
#include "telemetry/log.h"

namespace switchyard::telemetry {

// Borrowed until Write() returns. Empty views are left out of the line.
struct CallLine {
  std::chrono::system_clock::time_point time;  // of its end
  std::string_view endpoint, client, era, server, tool, method, trace;
  Outcome outcome = Outcome::kOk;
  std::string_view code;     // a word of ErrorCode
  std::string_view message;  // why it failed
  std::string_view detail;   // what only the log may see
  Duration duration{};
  std::size_t bytes_in = 0, bytes_out = 0;
};

class CallLog {
 public:
  // `lines` outlives this.
  CallLog(LineWriter& lines, LogFormat format) : lines_(lines), format_(format) {}

  void Write(const CallLine& call);

 private:
  LineWriter& lines_;
  const LogFormat format_;
};

}  // namespace switchyard::telemetry
