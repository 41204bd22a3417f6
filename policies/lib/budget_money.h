// Money and other decimals as whole millionths, so that sums are exact. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::policies {

inline constexpr std::int64_t kMillion = 1'000'000;
// The most that is counted; sums of two of it are still numbers.
inline constexpr std::int64_t kMostMicros = std::int64_t{1} << 60;

// Of a configuration: digits with at most six of them behind a dot. nullopt: it is none, or beyond
// kMostMicros.
std::optional<std::int64_t> ParseMicros(std::string_view text);

// Of a server: a JSON number, also with an exponent, or a string that is one; what is finer than a
// millionth is rounded up. nullopt: it is none, is negative, or is beyond kMostMicros.
std::optional<std::int64_t> ReadMicros(std::string_view raw_json);

// The member `key` of an object, read so.
std::optional<std::int64_t> MicrosIn(std::string_view object, std::string_view key);

// 5, 0.25, 0.000001: no zeros at the end.
std::string MicrosText(std::int64_t micros);

// a * b / by, rounded up; at most kMostMicros. None is negative, and `by` is above 0.
std::int64_t ShareOf(std::int64_t a, std::int64_t b, std::int64_t by);

}  // namespace switchyard::policies
