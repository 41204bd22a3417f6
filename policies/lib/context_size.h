// What of a call and of its result a model reads, in tokens: the one rule of all policies that
// count them. And the same result within fewer. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "policies/lib/result_pages.h"
#include "policies/lib/token_count.h"

namespace switchyard::policies {

inline constexpr std::int64_t kAllTokens = std::numeric_limits<std::int64_t>::max();

// Of a text. Counts no further than to `enough`, and only the first MiB exactly.
std::int64_t TokensOfText(std::string_view text, const TokenCounter& counter,
                          std::int64_t enough = kAllTokens);

// Of a result, as raw JSON: of a tool's its content, or its structuredContent if that is more,
// since hosts give their models one of the two; of a resource's its contents, of a prompt's its
// messages, of any other all but its `_meta`. A picture, a sound or a blob counts
// kMostTokensOfBinary at most.
std::int64_t TokensOfResult(std::string_view result, const TokenCounter& counter,
                            std::int64_t enough = kAllTokens);

// The pages of a result of which the first takes at most `most` tokens, with the note that goes
// with it. nullopt: it has nothing in it that can be cut to so little. `rest` as in ResultPages.
std::optional<ResultPages> PagesWithin(std::string_view result, std::int64_t most,
                                       const std::shared_ptr<const TokenCounter>& counter,
                                       bool rest);

}  // namespace switchyard::policies
