// Keeps what ${...} stood for out of a text that others read: it reads there as the file has it.
// Whoever words a message need not know where a value came from. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::config {

struct Expansion {
  std::string value;  // what stood in a variable or a file
  std::string shown;  // ${NAME}, ${file:path}
};

// What a text is made of. In sentences what stands in quotes, or after "got ", may be a part of a
// value, and so is replaced where a word of the sentence would not be.
enum class Text : std::uint8_t { kSentence, kValue };

// Also values that were cut ("abc..."), made Printable(), or quoted in part. Values of three bytes
// or fewer are replaced where they stand alone in a value: they are in every sentence.
std::string Hide(std::string_view text, const std::vector<Expansion>& expansions,
                 Text kind = Text::kSentence);

}  // namespace switchyard::config
