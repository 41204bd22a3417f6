#include "config/text_check.h"

#include <array>
#include <cstddef>

namespace switchyard::config {
namespace {

std::string Hex(unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {kDigits[c >> 4], kDigits[c & 15]};
}

// How many bytes the UTF-8 sequence at the start has; 0 = it is none. Overlong forms, surrogates
// and what is above U+10FFFF are none.
std::size_t SequenceLength(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = at(0);
  const std::size_t length = first < 0x80             ? 1
                             : (first & 0xe0) == 0xc0 ? 2
                             : (first & 0xf0) == 0xe0 ? 3
                             : (first & 0xf8) == 0xf0 ? 4
                                                      : 0;
  if (length == 0 || length > s.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xc0 || first == 0xc1 || first > 0xf4) return 0;
  if (first == 0xe0 && at(1) < 0xa0) return 0;
  if (first == 0xed && at(1) > 0x9f) return 0;
  if (first == 0xf0 && at(1) < 0x90) return 0;
  if (first == 0xf4 && at(1) > 0x8f) return 0;
  return length;
}

bool IsControl(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

}  // namespace

std::optional<BadByte> FindBadByte(std::string_view text) {
  Mark at{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (IsControl(c)) return BadByte{at, "control character 0x" + Hex(c) + " is not allowed"};
    const std::size_t length = SequenceLength(text.substr(i));
    if (length == 0) return BadByte{at, "byte 0x" + Hex(c) + " is not utf-8"};
    i += length;
    at.column += static_cast<int>(length);
    if (c == '\n') at = {at.line + 1, 1};
  }
  return std::nullopt;
}

std::string Printable(std::string_view text, std::size_t longest) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = SequenceLength(text.substr(i));
    if (out.size() + length > longest) return out + "...";
    if (length == 0 || IsControl(c) || c == '\n' || c == '\r' || c == '\t') {
      out += "\\x" + Hex(c);
      ++i;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out;
}

std::string Quote(std::string_view text) { return "\"" + Printable(text) + "\""; }

}  // namespace switchyard::config
