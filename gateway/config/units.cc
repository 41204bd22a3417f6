#include "config/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace switchyard::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first: the order in which FormatDuration tries them.
constexpr std::array<Unit, 7> kDurations = {{{"d", 86'400'000'000'000},
                                             {"h", 3'600'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"s", 1'000'000'000},
                                             {"ms", 1'000'000},
                                             {"us", 1'000},
                                             {"ns", 1}}};

constexpr std::array<Unit, 8> kBytes = {{{"GiB", 1LL << 30},
                                         {"MiB", 1LL << 20},
                                         {"KiB", 1LL << 10},
                                         {"GB", 1'000'000'000},
                                         {"MB", 1'000'000},
                                         {"KB", 1'000},
                                         {"kB", 1'000},
                                         {"B", 1}}};

template <class T>
std::optional<T> Whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// digits[.digits], nothing else: from_chars alone would also take "-1", "1e9" and "inf".
bool IsDecimal(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto digits = [](std::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (dot == std::string_view::npos) return digits(text);
  return digits(text.substr(0, dot)) && digits(text.substr(dot + 1));
}

std::expected<std::int64_t, UnitError> Scaled(std::string_view number, std::int64_t factor) {
  if (!IsDecimal(number)) return std::unexpected(UnitError::kMalformed);
  if (!number.contains('.')) {
    const auto whole = Whole<std::int64_t>(number);
    std::int64_t product = 0;
    if (!whole || __builtin_mul_overflow(*whole, factor, &product)) {
      return std::unexpected(UnitError::kTooLarge);
    }
    return product;
  }
  const double value = Whole<double>(number).value_or(HUGE_VAL) * static_cast<double>(factor);
  // The double nearest to the largest int64 is one above it.
  if (!(value < static_cast<double>(std::numeric_limits<std::int64_t>::max()))) {
    return std::unexpected(UnitError::kTooLarge);
  }
  return static_cast<std::int64_t>(std::llround(value));
}

template <std::size_t N>
std::expected<std::int64_t, UnitError> Parse(std::string_view text,
                                             const std::array<Unit, N>& units) {
  const std::size_t end = text.find_last_of("0123456789.");
  if (end == std::string_view::npos) return std::unexpected(UnitError::kMalformed);
  const std::string_view number = text.substr(0, end + 1);
  const std::string_view name = text.substr(end + 1);
  if (name.empty()) {
    return std::unexpected(IsDecimal(number) ? UnitError::kNoUnit : UnitError::kMalformed);
  }
  for (const Unit& unit : units) {
    if (unit.name == name) return Scaled(number, unit.factor);
  }
  return std::unexpected(UnitError::kMalformed);
}

}  // namespace

std::expected<std::chrono::nanoseconds, UnitError> ParseDuration(std::string_view text) {
  const auto parsed = Parse(text, kDurations);
  if (!parsed) return std::unexpected(parsed.error());
  return std::chrono::nanoseconds(*parsed);
}

std::expected<std::size_t, UnitError> ParseBytes(std::string_view text) {
  auto parsed = Parse(text, kBytes);
  if (!parsed && parsed.error() == UnitError::kNoUnit) parsed = Scaled(text, 1);
  if (!parsed) return std::unexpected(parsed.error());
  return static_cast<std::size_t>(*parsed);
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  return Whole<std::int64_t>(text);
}

std::optional<double> ParseNumber(std::string_view text) {
  const auto value = Whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::string FormatDuration(std::chrono::nanoseconds value) {
  if (value.count() == 0) return "0s";
  for (const Unit& unit : kDurations) {
    if (value.count() % unit.factor != 0) continue;
    return std::to_string(value.count() / unit.factor) + std::string(unit.name);
  }
  return "";  // not reached: every count is a multiple of 1 ns
}

std::string FormatBytes(std::size_t value) {
  for (const Unit& unit : kBytes) {
    const auto factor = static_cast<std::size_t>(unit.factor);
    if (value != 0 && unit.name.ends_with("iB") && value % factor == 0) {
      return std::to_string(value / factor) + std::string(unit.name);
    }
  }
  return std::to_string(value) + "B";
}

}  // namespace switchyard::config
