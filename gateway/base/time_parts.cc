#include "base/time_parts.h"

#include <charconv>
#include <cstdint>

namespace switchyard {

std::optional<int> TakeDigits(std::string_view& text, std::size_t count) {
  int number = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, number);
  if (error != std::errc() || end != text.data() + count || text[0] == '-') return std::nullopt;
  text.remove_prefix(count);
  return number;
}

bool TakeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::microseconds> TakeFraction(std::string_view& text) {
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    micros += unit * (text[0] - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  return std::chrono::microseconds(micros);
}

std::optional<std::chrono::minutes> ReadOffset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!TakeChar(text, '+') && !TakeChar(text, '-')) return std::nullopt;
  const auto hours = TakeDigits(text, 2);
  if (!hours || !TakeChar(text, ':')) return std::nullopt;
  const auto minutes = TakeDigits(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (std::chrono::hours(*hours) + std::chrono::minutes(*minutes));
}

}  // namespace switchyard
