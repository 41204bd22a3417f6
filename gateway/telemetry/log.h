// The process log: spdlog's default logger, as JSON lines or text, on stderr (stdout belongs to
// `serve --stdio`). One object, made by main before anything logs; while it lives spdlog::info()
// and its siblings write through it, from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/line_writer.h"

namespace switchyard::telemetry {

enum class LogFormat : std::uint8_t { kJson, kText };

class Log {
 public:
  // `level`: trace, debug, info, warn, error, off.
  Log(const std::string& level, LogFormat format, int fd = 2);
  ~Log();  // writes what is left; spdlog's own stderr logger takes over

  void SetLevel(const std::string& level);
  LineWriter& lines() { return lines_; }
  LogFormat format() const { return format_; }

 private:
  LineWriter lines_;
  const LogFormat format_;
};

}  // namespace switchyard::telemetry
