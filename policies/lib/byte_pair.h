// Exact token counts by byte-pair encoding, with a vocabulary in the format of tiktoken: a line a
// token, `BASE64 RANK`. Immutable once read; safe from any thread.
//
// A text is split into words by one of the published patterns, and each word is merged, lowest rank
// first, in O(n log n) whatever it is. A word longer than 64 KiB is counted in parts of that size:
// at most one token too many for each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "policies/lib/token_count.h"

namespace switchyard {

// How a vocabulary wants a text to be split. It stands in no file: it is known by the name.
enum class TokenPattern : std::uint8_t { kO200k, kCl100k, kGpt2 };
std::optional<TokenPattern> TokenPatternOf(std::string_view word);  // o200k, cl100k, gpt2
std::string_view ToString(TokenPattern pattern);

// `vocabulary` is the text of the file, at most 64 MiB. The error says which line is wrong.
Result<std::shared_ptr<const TokenCounter>> ReadVocabulary(std::string_view vocabulary,
                                                           TokenPattern pattern);

}  // namespace switchyard
