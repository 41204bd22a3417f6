// Bytes as the finders of guardrail see them. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace switchyard::policies::guardrail {

// Sets of bytes, to be joined by |.
enum : std::uint16_t {
  kLower = 1,
  kUpper = 2,
  kDigit = 4,
  kUnderscore = 8,
  kDash = 16,
  kDot = 32,
  kPlusSlash = 64,
  kEquals = 128,
  kSpaces = 256,
  kTilde = 512,
  kLocalMark = 1024,  // what else stands in front of the @ of an address
  kHexLetter = 2048,

  kLetter = kLower | kUpper,
  kAlnum = kLetter | kDigit,
  kWordByte = kAlnum | kUnderscore,
  kBase64Url = kWordByte | kDash,
  kBase64 = kAlnum | kPlusSlash | kEquals,
  kHex = kDigit | kHexLetter,
  kToken = kBase64Url | kDot | kPlusSlash | kEquals | kTilde,  // token68 of RFC 7235
};

inline constexpr std::array<std::uint16_t, 256> kSets = [] {
  std::array<std::uint16_t, 256> sets{};
  for (std::size_t c = 'a'; c <= 'z'; ++c) sets[c] = kLower;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) sets[c] = kUpper;
  for (std::size_t c = '0'; c <= '9'; ++c) sets[c] = kDigit;
  for (const char c : std::string_view("abcdefABCDEF"))
    sets[static_cast<unsigned char>(c)] |= kHexLetter;
  sets['_'] = kUnderscore;
  sets['-'] = kDash;
  sets['.'] = kDot;
  sets['+'] = sets['/'] = kPlusSlash;
  sets['='] = kEquals;
  sets['~'] = kTilde;
  for (const char c : std::string_view(" \t\r\n")) sets[static_cast<unsigned char>(c)] = kSpaces;
  for (const char c : std::string_view("!#$%&'*?^`{|}"))
    sets[static_cast<unsigned char>(c)] = kLocalMark;
  return sets;
}();

constexpr bool Is(char c, std::uint16_t set) {
  return (kSets[static_cast<unsigned char>(c)] & set) != 0;
}

// The end of the run of `set` that begins at `at`, at most `most` long.
constexpr std::size_t RunEnd(std::string_view text, std::size_t at, std::uint16_t set,
                             std::size_t most = std::string_view::npos) {
  const std::size_t last = most < text.size() - at ? at + most : text.size();
  while (at < last && Is(text[at], set)) ++at;
  return at;
}

// Whether something new begins at `at`: nothing of `set` stands before it, but for the letter of an
// escape that a text within a text was written with (`\nAKIA...`).
constexpr bool BeginsAt(std::string_view text, std::size_t at, std::uint16_t set = kWordByte) {
  if (at == 0 || !Is(text[at - 1], set)) return true;
  return at >= 2 && text[at - 2] == '\\' &&
         std::string_view("nrtbf").find(text[at - 1]) != std::string_view::npos;
}

// How many different bytes there are in it; texts that stand for a secret (xxxx) have few.
constexpr std::size_t Different(std::string_view text) {
  std::array<bool, 256> seen{};
  std::size_t count = 0;
  for (const char c : text) {
    bool& one = seen[static_cast<unsigned char>(c)];
    count += one ? 0 : 1;
    one = true;
  }
  return count;
}

}  // namespace switchyard::policies::guardrail
