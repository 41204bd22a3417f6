#include "policies/lib/budget_calendar.h"

#include <algorithm>

#include <fmt/format.h>

namespace switchyard::policies {
namespace {

using namespace std::chrono;

template <class Length>
Period Of(sys_seconds local) {
  const auto begin = floor<Length>(local);
  return {.begin = begin, .end = begin + Length(1)};
}

Period WeekOf(sys_seconds local) {
  const sys_days today = floor<days>(local);
  const sys_days monday = today - (weekday(today) - Monday);
  return {.begin = monday, .end = monday + days(7)};
}

Period MonthOf(sys_seconds local) {
  const year_month_day today(floor<days>(local));
  const sys_days first = today.year() / today.month() / day(1);
  const sys_days next = (today.year() / today.month() + months(1)) / day(1);
  return {.begin = first, .end = next};
}

Period LocalPeriod(Calendar calendar, sys_seconds local) {
  switch (calendar) {
    case Calendar::kMinute: return Of<minutes>(local);
    case Calendar::kHour: return Of<hours>(local);
    case Calendar::kDay: return Of<days>(local);
    case Calendar::kWeek: return WeekOf(local);
    case Calendar::kMonth: return MonthOf(local);
  }
  return Of<days>(local);
}

bool IsNumber(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Period PeriodAt(Calendar calendar, WallTime now, minutes offset) {
  const Period local = LocalPeriod(calendar, floor<seconds>(now) + offset);
  return {.begin = local.begin - offset, .end = local.end - offset};
}

std::int64_t PeriodName(Calendar calendar, WallTime now, minutes offset) {
  const bool short_one = calendar == Calendar::kMinute || calendar == Calendar::kHour;
  const sys_seconds begin = PeriodAt(calendar, now, offset).begin;
  return (short_one ? begin : begin + offset).time_since_epoch().count();
}

Duration LongestOf(Calendar calendar) {
  switch (calendar) {
    case Calendar::kMinute: return minutes(1);
    case Calendar::kHour: return hours(1);
    case Calendar::kDay: return days(1);
    case Calendar::kWeek: return days(7);
    case Calendar::kMonth: return days(31);
  }
  return days(31);
}

std::optional<minutes> ParseOffset(std::string_view text) {
  if (text == "Z" || text == "UTC") return minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const std::string_view hour = text.substr(1, 2), minute = text.substr(4, 2);
  if (!IsNumber(hour) || !IsNumber(minute)) return std::nullopt;
  const auto value = [](std::string_view two) { return (two[0] - '0') * 10 + (two[1] - '0'); };
  if (value(minute) > 59) return std::nullopt;
  const minutes size = hours(value(hour)) + minutes(value(minute));
  if (size > hours(18)) return std::nullopt;
  return text[0] == '-' ? -size : size;
}

std::string UtcText(sys_seconds time) {
  const sys_days midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace switchyard::policies
