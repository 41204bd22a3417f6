// Where a text is cut, and how much of it goes on a page. Pure functions; linear.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "policies/lib/token_count.h"

namespace switchyard {

// How much may still go on a page. 0 of something is nothing left of it.
struct Room {
  std::size_t bytes = ~std::size_t{0};
  std::size_t tokens = ~std::size_t{0};
};

// What one page may hold, and how that is measured.
struct PageSize {
  std::size_t bytes = 0;   // 0 = any
  std::size_t tokens = 0;  // 0 = any
  std::shared_ptr<const TokenCounter> counter = EstimatedTokens();

  Room whole() const {
    const Room any;
    return {.bytes = bytes == 0 ? any.bytes : bytes, .tokens = tokens == 0 ? any.tokens : tokens};
  }
  // The longest beginning of `text` that there is room for.
  std::size_t Fit(std::string_view text, const Room& room) const;
  // Takes the room that `text` needs; never below nothing.
  void Charge(std::string_view text, Room& room) const;
};

// The length of the beginning of `text` (UTF-8), at most `most`, that reads best: up to the end of
// a line, else of a sentence, else of a word, each in its second half; else of a character. 0 only
// when not even one character has room.
std::size_t CutText(std::string_view text, std::size_t most);

}  // namespace switchyard
