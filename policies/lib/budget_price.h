// How prices, what is set aside, and the distance from UTC stand in a configuration. (A Section is
// config::Section, which lib does not know.)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "policies/lib/budget_calendar.h"
#include "policies/lib/budget_cost.h"
#include "policies/lib/budget_money.h"

namespace switchyard::policies {

// Of anything that is written down.
inline constexpr std::int64_t kMostOfAll = 1'000'000'000'000'000;

// An amount of money; nullopt: the key is not there, or a problem is told.
template <class Section>
std::optional<std::int64_t> MicrosOf(Section& section, std::string_view key) {
  const std::optional<std::string> text = section.String(key);
  if (!text) return std::nullopt;
  std::optional<std::int64_t> micros = ParseMicros(*text);
  if (micros && *micros > kMostOfAll) micros.reset();
  if (!micros) {
    section.Error(key, fmt::format("must be an amount such as 5 or 0.0025, with at most six digits "
                                   "behind the dot, a billion at most, got {}",
                                   *text));
  }
  return micros;
}

// The key `price`.
template <class Section>
void TakePrice(Section& section, Price& price) {
  auto given = section.Child("price");
  if (!given) return;
  const auto take = [&](const char* key, std::int64_t& into) {
    const std::optional<std::int64_t> micros = MicrosOf(*given, key);
    if (micros) into = *micros;
    price.said |= micros.has_value();
    given->Shows(key, MicrosText(into));
  };
  take("per_call", price.per_call);
  take("per_1k_in", price.per_1k_in);
  take("per_1k_out", price.per_1k_out);
  take("per_second", price.per_second);
  price.said |= given->Take("meta", price.meta);
}

// The key `reserve`.
template <class Section>
void TakeReserve(Section& section, Reserve& reserve) {
  auto given = section.Child("reserve");
  if (!given) return;
  if (const auto bytes = given->Bytes("bytes", 1, kMostOfAll)) {
    reserve.bytes = static_cast<std::int64_t>(*bytes);
  }
  if (const auto tokens = given->Integer("tokens", 1, kMostOfAll)) reserve.tokens = *tokens;
  if (const auto time = given->Duration("time", std::chrono::milliseconds(1))) {
    reserve.milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*time).count();
  }
  const auto money = MicrosOf(*given, "money");
  if (!money) return;
  reserve.money = *money;
  if (*money == 0) {
    given->Error("money",
                 "must be more than 0, or a budget of which nothing is left would let calls pass");
  }
}

struct UtcOffset {
  std::string text = "+00:00";  // as written
  std::chrono::minutes value{};
};

// The key `utc_offset`.
template <class Section>
void TakeOffset(Section& section, UtcOffset& into) {
  if (const auto text = section.String("utc_offset")) {
    if (const auto offset = ParseOffset(*text)) {
      into = {.text = *text, .value = *offset};
    } else {
      section.Error("utc_offset",
                    fmt::format("must be such as +01:00, -05:30 or Z, got {}", *text));
    }
  }
  section.Shows("utc_offset", into.text);
}

}  // namespace switchyard::policies
