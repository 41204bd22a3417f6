// One line a call, written at its end, also when it failed or was cancelled. Thread-safe; a worker
// pays for formatting and a copy (well below a microsecond), never for the reader of the log.
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "telemetry/call_series.h"
#include "telemetry/log.h"

namespace switchyard::telemetry {

// Borrowed until Write() returns. Empty views are left out of the line.
struct CallLine {
  std::chrono::system_clock::time_point time;  // of its end
  std::string_view endpoint, subject, client, era, server, tool, method, stand_in, trace;
  Outcome outcome = Outcome::kOk;
  std::string_view code;     // a word of ErrorCode
  std::string_view message;  // why it failed
  std::string_view detail;   // what only the log may see
  Duration duration{};
  std::size_t bytes_in = 0, bytes_out = 0;
  unsigned attempts = 1;  // in the line where there were more
};

class CallLog {
 public:
  // `lines` outlives this.
  CallLog(LineWriter& lines, LogFormat format) : lines_(lines), format_(format) {}

  void Write(const CallLine& call);

  // Whether anybody wants lines; asked before one is put together.
  bool on() const { return on_.load(std::memory_order_relaxed); }
  void Switch(bool on) { on_.store(on, std::memory_order_relaxed); }

 private:
  LineWriter& lines_;
  const LogFormat format_;
  std::atomic<bool> on_{true};
};

}  // namespace switchyard::telemetry
