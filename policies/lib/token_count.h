// How many tokens a language model makes of a text. A counter is immutable and asked from any
// thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace switchyard {

class TokenCounter {
 public:
  virtual ~TokenCounter() = default;

  struct Prefix {
    std::size_t bytes = 0;   // never cuts a character in two, unless the text is not UTF-8
    std::size_t tokens = 0;  // in them
  };
  // The longest beginning of `text` that is at most `limit` tokens. Looks no further than that.
  virtual Prefix Fit(std::string_view text, std::size_t limit) const = 0;

  std::size_t Count(std::string_view text) const { return Fit(text, kNoLimit).tokens; }

  static constexpr std::size_t kNoLimit = ~std::size_t{0};
};

// By the shape of the text alone: runs of letters, digits, marks and space, with no vocabulary. For
// English prose about what o200k gives, for code and JSON up to a fifth more (tests/tokens); for
// other languages it is rougher.
const std::shared_ptr<const TokenCounter>& EstimatedTokens();

// Of a result whose exact count would take long, the first so many bytes are counted exactly.
inline constexpr std::size_t kExactlyCountedBytes = std::size_t{1} << 20;

}  // namespace switchyard
