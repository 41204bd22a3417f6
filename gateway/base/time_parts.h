// Parts of times as people and programs write them (RFC 3339, 5.6), each taken off the front of a
// text. Which of them a text has to have is its reader's business. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace switchyard {

// That many digits and no sign. nullopt: they are not there, and the text stays.
std::optional<int> TakeDigits(std::string_view& text, std::size_t count);

// False: it is not there.
bool TakeChar(std::string_view& text, char c);

// As many digits as there are, at least one, of a second; what is less than a microsecond is cut
// off.
std::optional<std::chrono::microseconds> TakeFraction(std::string_view& text);

// All of the text: "Z", or how far a clock is ahead of UTC, "+02:00".
std::optional<std::chrono::minutes> ReadOffset(std::string_view text);

}  // namespace switchyard
