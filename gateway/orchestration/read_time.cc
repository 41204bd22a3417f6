#include "orchestration/read_time.h"

#include <array>
#include <chrono>
#include <cstddef>

#include "base/time_parts.h"

namespace switchyard::orchestration {
namespace {

struct Part {
  std::size_t digits;
  char after;  // 0 = nothing
};
constexpr std::array kParts = {Part{4, '-'}, Part{2, '-'}, Part{2, 'T'},
                               Part{2, ':'}, Part{2, ':'}, Part{2, 0}};
constexpr std::size_t kLongestFraction = 9;

}  // namespace

std::optional<std::int64_t> ReadTime(std::string_view text) {
  using namespace std::chrono;
  std::array<int, kParts.size()> parts{};
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const std::optional<int> number = TakeDigits(text, kParts[i].digits);
    if (!number || (kParts[i].after != 0 && !TakeChar(text, kParts[i].after))) return std::nullopt;
    parts[i] = *number;
  }
  microseconds fraction{0};
  if (TakeChar(text, '.')) {
    const std::size_t before = text.size();
    const std::optional<microseconds> taken = TakeFraction(text);
    if (!taken || before - text.size() > kLongestFraction) return std::nullopt;
    fraction = *taken;
  }
  const std::optional<minutes> ahead = ReadOffset(text);
  if (!ahead) return std::nullopt;
  const auto [year_of, month_of, day_of, hour, minute, second] = parts;
  const year_month_day date(year(year_of), month(static_cast<unsigned>(month_of)),
                            day(static_cast<unsigned>(day_of)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto at = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + fraction;
  return floor<milliseconds>(at - *ahead).time_since_epoch().count();
}

}  // namespace switchyard::orchestration
