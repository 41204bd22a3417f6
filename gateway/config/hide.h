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

// What a text is made of. Of sentences, only what stands in quotes or after "got " is (a part of) a
// value: a word of a sentence stays as it is, though a variable stands for the same one elsewhere.
enum class Text : std::uint8_t { kSentence, kValue };

// Also values that were cut ("abc..."), made Printable(), or quoted in part. Values of eight bytes
// or more are replaced wherever they stand, those of three or fewer where they are a whole value:
// they are in every text.
std::string Hide(std::string_view text, const std::vector<Expansion>& expansions,
                 Text kind = Text::kSentence);

}  // namespace switchyard::config
