#include "policies/authorize/when.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace switchyard::policies::authorize {

bool Hours::Has(WallTime time) const {
  using namespace std::chrono;
  const auto local = floor<minutes>(time + offset);
  const auto day = floor<std::chrono::days>(local);
  const unsigned today = weekday(day).iso_encoding() - 1;
  const auto minute = static_cast<int>((local - day).count());
  if (from < to) return days[today] && minute >= from && minute < to;
  const unsigned yesterday = (today + 6) % 7;
  return (days[today] && minute >= from) || (days[yesterday] && minute < to);
}

std::string Hours::ToText() const {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu",
                                                     "fri", "sat", "sun"};
  std::string text;
  for (std::size_t i = 0; i < kDays.size(); ++i) {
    if (days[i]) text.append(text.empty() ? "" : ",").append(kDays.at(i));
  }
  const auto count = static_cast<int>(offset.count());
  const int off = count < 0 ? -count : count;
  return fmt::format("{} {:02}:{:02}-{:02}:{:02} at {}{:02}:{:02}", text, from / 60, from % 60,
                     to / 60, to % 60, count < 0 ? '-' : '+', off / 60, off % 60);
}

Holds When::Judge(std::string_view raw_arguments, WallTime now) const {
  const bool in_time = time.empty() || std::ranges::any_of(time, [now](const Hours& hours) {
                         return hours.Has(now);
                       });
  Holds holds = in_time ? Holds::kYes : Holds::kNo;
  for (const ArgumentTest& test : arguments) {
    if (holds == Holds::kNo) return holds;
    holds = Both(holds, test.Judge(raw_arguments));
  }
  return holds;
}

Holds When::Judge(std::string_view raw_arguments, WallTime now, Holds over) const {
  const Holds holds = Judge(raw_arguments, now);
  if (!pace || holds == Holds::kNo) return holds;
  if (over == Holds::kCannotTell) return over;
  return (over == Holds::kYes) == pace->over ? holds : Holds::kNo;
}

}  // namespace switchyard::policies::authorize
