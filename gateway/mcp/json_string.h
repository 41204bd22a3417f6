// JSON strings: text to raw and back. Pure functions, safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::mcp {

// `text` as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD: a peer's bytes in an
// error message must not break ours.
std::string Quote(std::string_view text);
// The text of a raw JSON string; nullopt when it is not one, or has half a surrogate pair, which no
// UTF-8 text can hold.
std::optional<std::string> Unquote(std::string_view raw);

// Length of the valid UTF-8 sequence that `text` (not empty) starts with; 0 = none.
std::size_t Utf8Length(std::string_view text);
bool IsUtf8(std::string_view text);

}  // namespace switchyard::mcp
