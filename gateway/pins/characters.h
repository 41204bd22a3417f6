// Code points of texts that servers wrote, as far as they can deceive who reads them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchyard::pins {

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 1;  // bytes
  bool valid = true;     // false: no UTF-8; the value is the byte
};
// Of a text that is not empty.
CodePoint FirstOf(std::string_view text);
void AppendUtf8(char32_t c, std::string& out);

bool IsBidiControl(char32_t c);  // that embeds, overrides or isolates
bool IsBidiMark(char32_t c);     // harmless within a right-to-left text
bool IsTag(char32_t c);          // plane 14, once for languages
bool IsVariation(char32_t c);
bool IsPrivate(char32_t c);    // or no character at all
bool IsControl(char32_t c);    // C0 and C1 but tab and the ends of lines
bool IsJoiner(char32_t c);     // zero-width, but a part of emoji and of many scripts
bool IsInvisible(char32_t c);  // other zero-width ones and fillers
bool IsBlank(char32_t c);      // any space

bool IsAsciiLetter(char32_t c);
bool IsRightToLeft(char32_t c);
// Scripts whose words need joiners, and pictographs.
bool TakesJoiners(char32_t c);
bool IsIdeograph(char32_t c);

// Whether it is shown as an escape: a reader would not see it, or not where it stands.
bool NeedsEscape(char32_t c);

// The ASCII letter or digit that it passes for (lower case), 0 = none: letters of other scripts
// that look alike, and the same letters in another dress.
char AsciiLookOf(char32_t c);
bool IsDressed(char32_t c);  // mathematical, full-width, enclosed Latin letters

// What is left of a text for who looks for words: lower-case ASCII, look-alikes as what they pass
// for, hidden characters left out (those of tags read as what they say), all else as one space.
std::string PlainWords(std::string_view text);

// Names that read alike give the same: 0 and o, 1 and l and I, rn and m, look-alike letters.
// `swaps`, where given, counts what was exchanged.
std::string SkeletonOf(std::string_view name, std::size_t* swaps = nullptr);

}  // namespace switchyard::pins
