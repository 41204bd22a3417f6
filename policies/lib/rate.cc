#include "policies/lib/rate.h"

#include <charconv>

namespace switchyard::policies {
namespace {

std::optional<Duration> ParseUnit(std::string_view unit) {
  using namespace std::chrono;
  if (unit == "s") return seconds(1);
  if (unit == "min") return minutes(1);
  if (unit == "h") return hours(1);
  if (unit == "d") return hours(24);
  return std::nullopt;
}

}  // namespace

std::optional<Rate> ParseRate(std::string_view text) {
  constexpr Duration kShortest = std::chrono::microseconds(1);
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<Duration> per = ParseUnit(text.substr(slash + 1));
  std::int64_t count = 0;
  const auto [end, broken] = std::from_chars(text.data(), text.data() + slash, count);
  if (!per || broken != std::errc() || end != text.data() + slash) return std::nullopt;
  if (count < 1 || count > *per / kShortest) return std::nullopt;
  return Rate{.count = count, .per = *per};
}

}  // namespace switchyard::policies
