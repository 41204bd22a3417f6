// A JSON number exactly as it was written, whatever its size: what a double would round is not
// judged wrong. A value; pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchyard::json_schema {

class Decimal {
 public:
  Decimal() = default;  // 0
  // A valid JSON number. Exponents beyond 2^40 count as 2^40.
  static Decimal Parse(std::string_view raw);

  bool IsInteger() const { return exponent_ >= 0; }  // 1.0 and 1e3 are
  bool IsPositive() const { return !negative_ && !IsZero(); }
  bool IsZero() const { return small_ == 0 && big_.empty(); }
  bool IsNegative() const { return negative_; }
  std::size_t Hash() const;
  // Of an integer that is not negative; what does not fit counts as the largest there is.
  std::uint64_t ToCount() const;

  // Whether `divisor` (positive, see CanDivide) times some integer is *this.
  bool IsMultipleOf(const Decimal& divisor) const;
  // At most 18 significant digits, and more than 0.
  bool CanDivide() const { return big_.empty() && IsPositive(); }

  friend bool operator==(const Decimal&, const Decimal&) = default;
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

 private:
  std::string Digits() const;  // without zeros at either end; "" of 0

  // digits * 10^exponent, with no zero at the digits' end: each number has one form.
  bool negative_ = false;
  std::int64_t exponent_ = 0;
  std::uint64_t small_ = 0;  // the digits, when there are at most 18
  std::string big_;          // the digits, when there are more
};

}  // namespace switchyard::json_schema
