// Durations, sizes and numbers as the configuration writes them. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::config {

enum class UnitError : std::uint8_t { kMalformed, kNoUnit, kTooLarge };

// "250ms", "1.5s"; units ns us ms s m h d; at most 292 years (64 bits of nanoseconds).
std::expected<std::chrono::nanoseconds, UnitError> ParseDuration(std::string_view text);
// "64KiB", "4MB", "4096", "1.5GiB".
std::expected<std::size_t, UnitError> ParseBytes(std::string_view text);
std::optional<std::int64_t> ParseInteger(std::string_view text);
std::optional<double> ParseNumber(std::string_view text);  // finite

// The shortest exact spelling that the parsers read back: 1500ms, 4MiB.
std::string FormatDuration(std::chrono::nanoseconds value);
std::string FormatBytes(std::size_t value);

}  // namespace switchyard::config
