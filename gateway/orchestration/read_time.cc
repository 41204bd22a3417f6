#include "orchestration/read_time.h"

#include <charconv>
#include <chrono>
#include <cstddef>

namespace switchyard::orchestration {
namespace {

// Digits only, at once and no more than these.
bool Digits(std::string_view& text, std::size_t count, int& into) {
  if (text.size() < count) return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + count, into);
  if (fault != std::errc() || end != text.data() + count || text[0] == '-') return false;
  text.remove_prefix(count);
  return true;
}

bool Skip(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// As many digits as there are, of which those of thousandths count.
bool Fraction(std::string_view& text, int& thousandths) {
  std::size_t count = 0;
  for (int weight = 100; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++count) {
    thousandths += (text.front() - '0') * weight;
    weight /= 10;
    text.remove_prefix(1);
  }
  return count > 0 && count <= 9;
}

// "Z", or how far the clock is ahead of UTC: "+02:00".
std::optional<std::chrono::minutes> Offset(std::string_view text) {
  if (text == "Z") return std::chrono::minutes(0);
  const bool behind = text.starts_with('-');
  int hours = 0, minutes = 0;
  const bool reads = (Skip(text, '+') || Skip(text, '-')) && Digits(text, 2, hours) &&
                     Skip(text, ':') && Digits(text, 2, minutes) && text.empty();
  if (!reads || hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::minutes((behind ? -1 : 1) * (hours * 60 + minutes));
}

}  // namespace

std::optional<std::int64_t> ReadTime(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0;
  if (!Digits(text, 4, year) || !Skip(text, '-') || !Digits(text, 2, month) || !Skip(text, '-') ||
      !Digits(text, 2, day) || !Skip(text, 'T') || !Digits(text, 2, hour) || !Skip(text, ':') ||
      !Digits(text, 2, minute) || !Skip(text, ':') || !Digits(text, 2, second)) {
    return std::nullopt;
  }
  if (Skip(text, '.') && !Fraction(text, fraction)) return std::nullopt;
  const std::optional<std::chrono::minutes> ahead = Offset(text);
  if (!ahead) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto at = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second) +
                  std::chrono::milliseconds(fraction) - *ahead;
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

}  // namespace switchyard::orchestration
