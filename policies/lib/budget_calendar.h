// Minutes, hours, days, weeks and months as the calendar has them, at a fixed distance from UTC.
// Pure.
//
// A fixed distance, since the standard library of this toolchain has no time zones: where clocks
// change in spring and autumn, a day begins an hour early or late for half of the year.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace switchyard::policies {

using WallTime = std::chrono::system_clock::time_point;

enum class Calendar : std::uint8_t { kMinute, kHour, kDay, kWeek, kMonth };
inline constexpr std::array<std::string_view, 5> kCalendarWords = {"minute", "hour", "day", "week",
                                                                   "month"};

struct Period {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
};
// The one that `now` is in. Weeks begin on Monday. `offset`: local time is ahead of UTC by it.
Period PeriodAt(Calendar calendar, WallTime now, std::chrono::minutes offset);

// Names the one that `now` is in, among those of `calendar`. Days, weeks and months go by their
// local date, so that another offset, which moves their ends, does not begin them anew; minutes and
// hours by UTC, for the same reason (all but an offset of half an hour leaves them where they are).
std::int64_t PeriodName(Calendar calendar, WallTime now, std::chrono::minutes offset);

// No period is longer.
Duration LongestOf(Calendar calendar);

// +01:00, -05:30, Z; at most 18 hours. nullopt: it is none.
std::optional<std::chrono::minutes> ParseOffset(std::string_view text);

// 2026-11-23T00:00:00Z
std::string UtcText(std::chrono::sys_seconds time);

}  // namespace switchyard::policies
