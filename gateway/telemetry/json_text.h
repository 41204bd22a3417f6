// Pieces of log lines, appended to a buffer of the caller. No allocation beyond the buffer's.
#pragma once

#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"

namespace switchyard::telemetry {

using Line = fmt::memory_buffer;

void Append(Line& line, std::string_view text);
// As a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that a line is
// always JSON; at most `limit` bytes of the text.
void AppendQuoted(Line& line, std::string_view text, std::size_t limit = 4096);
// 2026-01-31T23:59:59.123Z
void AppendTime(Line& line, std::chrono::system_clock::time_point time);
// 12.345
void AppendMilliseconds(Line& line, Duration duration);

}  // namespace switchyard::telemetry
