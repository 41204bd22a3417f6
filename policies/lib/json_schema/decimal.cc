#include "policies/lib/json_schema/decimal.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <system_error>

namespace switchyard::json_schema {
namespace {

constexpr std::size_t kSmallDigits = 18;
constexpr std::int64_t kMaxExponent = std::int64_t{1} << 40;

using Wide = unsigned __int128;

std::uint64_t PowerOfTenModulo(std::uint64_t exponent, std::uint64_t modulus) {
  Wide result = 1 % modulus;
  Wide base = 10 % modulus;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result * base % modulus;
    base = base * base % modulus;
  }
  return static_cast<std::uint64_t>(result);
}

std::int64_t ParseExponent(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error == std::errc::result_out_of_range) {
    return text.starts_with('-') ? -kMaxExponent : kMaxExponent;
  }
  return std::clamp(exponent, -kMaxExponent, kMaxExponent);
}

}  // namespace

Decimal Decimal::Parse(std::string_view raw) {
  Decimal number;
  number.negative_ = raw.starts_with('-');
  if (number.negative_) raw.remove_prefix(1);
  const std::size_t e = raw.find_first_of("eE");
  if (e != std::string_view::npos) number.exponent_ = ParseExponent(raw.substr(e + 1));
  std::string_view whole = raw.substr(0, e), fraction;
  if (const std::size_t point = whole.find('.'); point != std::string_view::npos) {
    fraction = whole.substr(point + 1);
    whole = whole.substr(0, point);
    const std::size_t last = fraction.find_last_not_of('0');
    fraction = fraction.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  number.exponent_ -= static_cast<std::int64_t>(fraction.size());
  if (whole.size() + fraction.size() <= kSmallDigits) {
    for (const std::string_view part : {whole, fraction}) {
      for (const char c : part) number.small_ = number.small_ * 10 + static_cast<unsigned>(c - '0');
    }
    if (number.small_ == 0) return {};
    for (; number.small_ % 10 == 0; number.small_ /= 10) ++number.exponent_;
    return number;
  }
  std::string digits = std::string(whole).append(fraction);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return {};
  const std::size_t kept = digits.find_last_not_of('0') + 1;
  number.exponent_ += static_cast<std::int64_t>(digits.size() - kept);
  digits.resize(kept);
  if (digits.size() <= kSmallDigits) {
    std::from_chars(digits.data(), digits.data() + digits.size(), number.small_);
  } else {
    number.big_ = std::move(digits);
  }
  return number;
}

std::string Decimal::Digits() const {
  if (!big_.empty()) return big_;
  return small_ == 0 ? std::string() : std::to_string(small_);
}

std::size_t Decimal::Hash() const {
  const std::size_t digits =
      big_.empty() ? std::hash<std::uint64_t>()(small_) : std::hash<std::string>()(big_);
  return (digits * 31 + static_cast<std::size_t>(exponent_)) * 2 + (negative_ ? 1 : 0);
}

std::uint64_t Decimal::ToCount() const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (!big_.empty() || exponent_ > static_cast<std::int64_t>(kSmallDigits)) return kMost;
  Wide count = small_;
  for (std::int64_t i = 0; i < exponent_; ++i) count *= 10;
  return count > kMost ? kMost : static_cast<std::uint64_t>(count);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const auto sign = [](const Decimal& x) { return x.IsZero() ? 0 : x.negative_ ? -1 : 1; };
  if (sign(a) != sign(b)) return sign(a) <=> sign(b);
  const Decimal& low = a.negative_ ? b : a;
  const Decimal& high = a.negative_ ? a : b;
  if (a.exponent_ == b.exponent_ && a.big_.empty() && b.big_.empty()) {
    return low.small_ <=> high.small_;
  }
  const std::string left = low.Digits(), right = high.Digits();
  // Where the first digit stands; then digit by digit, as if zeros followed.
  const std::int64_t left_place = low.exponent_ + static_cast<std::int64_t>(left.size());
  const std::int64_t right_place = high.exponent_ + static_cast<std::int64_t>(right.size());
  if (left_place != right_place) return left_place <=> right_place;
  return left.compare(right) <=> 0;
}

bool Decimal::IsMultipleOf(const Decimal& divisor) const {
  if (IsZero()) return true;
  const std::uint64_t d = divisor.small_;
  // The digits end in no zero, so no power of ten divides them.
  if (exponent_ < divisor.exponent_) return false;
  const auto shift = static_cast<std::uint64_t>(exponent_ - divisor.exponent_);
  Wide rest = small_ % d;
  if (!big_.empty()) {
    rest = 0;
    for (const char c : big_) rest = (rest * 10 + static_cast<unsigned>(c - '0')) % d;
  }
  return rest * PowerOfTenModulo(shift, d) % d == 0;
}

}  // namespace switchyard::json_schema
