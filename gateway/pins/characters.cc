#include "pins/characters.h"

#include <algorithm>
#include <array>
#include <span>

#include "mcp/json_string.h"

namespace switchyard::pins {
namespace {

struct Range {
  char32_t first, last;
};

bool In(std::span<const Range> ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](Range r) { return c >= r.first && c <= r.last; });
}

struct Look {
  char32_t c;
  char ascii;
};
// Of Unicode's confusables (UTS 39) those of scripts that get mixed with Latin; sorted.
constexpr auto kLooks = std::to_array<Look>({
    {0x131, 'i'},  {0x17F, 's'},  {0x251, 'a'},  {0x261, 'g'},  {0x269, 'i'},  {0x26A, 'i'},
    {0x28B, 'u'},  {0x28F, 'y'},  {0x299, 'b'},  {0x29C, 'h'},  {0x1C0, 'l'},  {0x391, 'a'},
    {0x392, 'b'},  {0x395, 'e'},  {0x396, 'z'},  {0x397, 'h'},  {0x399, 'i'},  {0x39A, 'k'},
    {0x39C, 'm'},  {0x39D, 'n'},  {0x39F, 'o'},  {0x3A1, 'p'},  {0x3A4, 't'},  {0x3A5, 'y'},
    {0x3A7, 'x'},  {0x3B1, 'a'},  {0x3B3, 'y'},  {0x3B9, 'i'},  {0x3BA, 'k'},  {0x3BD, 'v'},
    {0x3BF, 'o'},  {0x3C1, 'p'},  {0x3C4, 't'},  {0x3C5, 'u'},  {0x3C7, 'x'},  {0x3F2, 'c'},
    {0x3F3, 'j'},  {0x3F9, 'c'},  {0x405, 's'},  {0x406, 'i'},  {0x408, 'j'},  {0x410, 'a'},
    {0x412, 'b'},  {0x415, 'e'},  {0x417, '3'},  {0x41A, 'k'},  {0x41C, 'm'},  {0x41D, 'h'},
    {0x41E, 'o'},  {0x420, 'p'},  {0x421, 'c'},  {0x422, 't'},  {0x423, 'y'},  {0x425, 'x'},
    {0x430, 'a'},  {0x435, 'e'},  {0x43A, 'k'},  {0x43C, 'm'},  {0x43D, 'h'},  {0x43E, 'o'},
    {0x440, 'p'},  {0x441, 'c'},  {0x442, 't'},  {0x443, 'y'},  {0x445, 'x'},  {0x455, 's'},
    {0x456, 'i'},  {0x457, 'i'},  {0x458, 'j'},  {0x475, 'v'},  {0x4AE, 'y'},  {0x4AF, 'y'},
    {0x4BB, 'h'},  {0x4C0, 'l'},  {0x4CF, 'l'},  {0x501, 'd'},  {0x51B, 'q'},  {0x51D, 'w'},
    {0x561, 'w'},  {0x566, 'q'},  {0x570, 'h'},  {0x578, 'n'},  {0x57D, 'u'},  {0x585, 'o'},
    {0x5D5, 'l'},  {0x5DF, 'l'},  {0x13A0, 'd'}, {0x13A1, 'r'}, {0x13A2, 't'}, {0x13A5, 'i'},
    {0x13AA, 'a'}, {0x13AB, 'j'}, {0x13AC, 'e'}, {0x13B3, 'w'}, {0x13B7, 'm'}, {0x13BB, 'h'},
    {0x13C0, 'g'}, {0x13C3, 'z'}, {0x13CF, 'b'}, {0x13DA, 's'}, {0x13DE, 'l'}, {0x13DF, 'c'},
    {0x13E2, 'p'}, {0x13E6, 'k'}, {0x2113, 'l'}, {0x212E, 'e'}, {0x2C9F, 'o'}, {0xA4F3, 'k'},
});

// Runs of 26 letters in the order of the alphabet.
constexpr auto kDress = std::to_array<char32_t>(
    {0xFF21, 0xFF41, 0x24B6, 0x24D0, 0x249C, 0x1F110, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6});
constexpr char32_t kMathFirst = 0x1D400, kMathLast = 0x1D6A3;

char DressedAs(char32_t c) {
  if (c >= kMathFirst && c <= kMathLast) return static_cast<char>('a' + (c - kMathFirst) % 26);
  if (c >= 0x1D7CE && c <= 0x1D7FF) return static_cast<char>('0' + (c - 0x1D7CE) % 10);
  if (c >= 0xFF10 && c <= 0xFF19) return static_cast<char>('0' + (c - 0xFF10));
  for (const char32_t first : kDress) {
    if (c >= first && c < first + 26) return static_cast<char>('a' + (c - first));
  }
  return 0;
}

}  // namespace

CodePoint FirstOf(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = mcp::Utf8Length(text);
  if (size == 0) return {.value = byte(0), .size = 1, .valid = false};
  if (size == 1) return {.value = byte(0)};
  char32_t value = byte(0) & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) value = (value << 6) | (byte(i) & 0x3FU);
  return {.value = value, .size = size};
}

void AppendUtf8(char32_t c, std::string& out) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

bool IsBidiControl(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool IsBidiMark(char32_t c) { return c == 0x200E || c == 0x200F || c == 0x061C; }

bool IsTag(char32_t c) { return c >= 0xE0000 && c <= 0xE007F; }

bool IsVariation(char32_t c) {
  return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF) ||
         (c >= 0x180B && c <= 0x180D);
}

bool IsPrivate(char32_t c) {
  return (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000 || (c >= 0xFDD0 && c <= 0xFDEF) ||
         (c & 0xFFFE) == 0xFFFE || (c >= 0xE0080 && c <= 0xE00FF) || (c >= 0xE01F0 && c < 0xF0000);
}

bool IsControl(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

bool IsJoiner(char32_t c) { return c == 0x200C || c == 0x200D; }

bool IsInvisible(char32_t c) {
  static constexpr auto kRanges = std::to_array<Range>({{0xAD, 0xAD},
                                                        {0x34F, 0x34F},
                                                        {0x115F, 0x1160},
                                                        {0x17B4, 0x17B5},
                                                        {0x180E, 0x180E},
                                                        {0x200B, 0x200B},
                                                        {0x2028, 0x2029},
                                                        {0x2060, 0x2065},
                                                        {0x206A, 0x206F},
                                                        {0x2800, 0x2800},
                                                        {0x3164, 0x3164},
                                                        {0xFEFF, 0xFEFF},
                                                        {0xFFA0, 0xFFA0},
                                                        {0xFFF9, 0xFFFB},
                                                        {0x1BCA0, 0x1BCA3},
                                                        {0x1D173, 0x1D17A}});
  return c >= 0xAD && In(kRanges, c);
}

bool IsBlank(char32_t c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsAsciiLetter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsRightToLeft(char32_t c) {
  return (c >= 0x590 && c <= 0x8FF && !IsBidiMark(c)) || (c >= 0xFB1D && c <= 0xFDFF) ||
         (c >= 0xFE70 && c <= 0xFEFC);
}

bool TakesJoiners(char32_t c) {
  static constexpr auto kRanges = std::to_array<Range>({{0xA9, 0xA9},
                                                        {0xAE, 0xAE},
                                                        {0x590, 0x1AFF},
                                                        {0x203C, 0x2049},
                                                        {0x2190, 0x2BFF},
                                                        {0x3030, 0x303D},
                                                        {0x3297, 0x3299},
                                                        {0xA800, 0xABFF},
                                                        {0xFB50, 0xFDFF},
                                                        {0xFE70, 0xFEFC},
                                                        {0xFE0F, 0xFE0F},
                                                        {0x1F000, 0x1FAFF}});
  return c >= 0xA9 && In(kRanges, c);
}

bool IsIdeograph(char32_t c) {
  return (c >= 0x2E80 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

bool NeedsEscape(char32_t c) {
  if (c >= 0x20 && c < 0x7F) return false;
  return IsControl(c) || IsInvisible(c) || IsJoiner(c) || IsBidiControl(c) || IsBidiMark(c) ||
         IsTag(c) || IsVariation(c) || IsPrivate(c);
}

bool IsDressed(char32_t c) {
  // Two of the last run are a flag.
  return c >= 0x249C && DressedAs(c) != 0 && !(c >= 0x1F1E6 && c <= 0x1F1FF);
}

char AsciiLookOf(char32_t c) {
  if (c < 0x131) return 0;
  for (const Look look : kLooks) {
    if (look.c == c) return look.ascii;
  }
  return DressedAs(c);
}

std::string PlainWords(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto put = [&out](char c) {
    if (c != ' ' || !out.ends_with(' ')) out += c;
  };
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = FirstOf(text.substr(at));
    at += c.size;
    char32_t value = c.value;
    if (IsTag(value) && value >= 0xE0020 && value < 0xE007F) value -= 0xE0000;
    if (value >= 'A' && value <= 'Z') value += 'a' - 'A';
    if (value >= 0x2018 && value <= 0x201B) value = '\'';
    if (const char look = AsciiLookOf(value); look != 0) value = static_cast<char32_t>(look);
    if (value > ' ' && value < 0x7F) {
      put(static_cast<char>(value));
    } else if (IsBlank(value) || (value >= 0x7F && !NeedsEscape(value))) {
      put(' ');
    } else if (value < ' ') {
      put(' ');
    }
  }
  return out;
}

std::string SkeletonOf(std::string_view name, std::size_t* swaps) {
  std::string out;
  std::size_t exchanged = 0;
  for (std::size_t at = 0; at < name.size();) {
    const CodePoint c = FirstOf(name.substr(at));
    at += c.size;
    char32_t value = c.value;
    if (NeedsEscape(value)) {
      ++exchanged;
      continue;
    }
    char look = AsciiLookOf(value);
    if (value == '0') look = 'o';
    if (value == '1' || value == 'I' || value == '|') look = 'l';
    if (look != 0) {
      ++exchanged;
      value = static_cast<char32_t>(look);
    }
    if (value >= 'A' && value <= 'Z') value += 'a' - 'A';
    AppendUtf8(value, out);
  }
  for (const auto& [pair, one] : {std::pair("rn", "m"), std::pair("vv", "w")}) {
    for (std::size_t at = out.find(pair); at != std::string::npos; at = out.find(pair, at + 1)) {
      out.replace(at, 2, one);
      ++exchanged;
    }
  }
  if (swaps != nullptr) *swaps = exchanged;
  return out;
}

}  // namespace switchyard::pins
