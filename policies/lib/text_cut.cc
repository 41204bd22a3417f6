#include "policies/lib/text_cut.h"

#include <algorithm>
#include <array>

namespace switchyard {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool EndsSentence(std::string_view text) {
  constexpr std::array<std::string_view, 6> kEnds = {".", "!", "?", "\u3002", "\uff01", "\uff1f"};
  while (text.ends_with('"') || text.ends_with(')') || text.ends_with('\'')) text.remove_suffix(1);
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return text.ends_with(end); });
}

// After the last of what `ends` finds, from `least` to text's end; 0 = none.
template <class Ends>
std::size_t LastAfter(std::string_view text, std::size_t least, Ends ends) {
  for (std::size_t at = text.size(); at > least; --at) {
    if (ends(at)) return at;
  }
  return 0;
}

}  // namespace

std::size_t PageSize::Fit(std::string_view text, const Room& room) const {
  std::size_t most = std::min(text.size(), room.bytes);
  // A token is a byte at least: what is that short fits.
  if (most > room.tokens) most = counter->Fit(text.substr(0, most), room.tokens).bytes;
  return most;
}

void PageSize::Charge(std::string_view text, Room& room) const {
  if (bytes != 0) room.bytes -= std::min(room.bytes, text.size());
  if (tokens != 0) room.tokens -= std::min(room.tokens, counter->Count(text));
}

std::size_t CutText(std::string_view text, std::size_t most) {
  if (most >= text.size()) return text.size();
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  const std::string_view window = text.substr(0, most);
  const std::size_t least = most / 2;
  const auto line = [&](std::size_t at) { return window[at - 1] == '\n'; };
  if (const std::size_t at = LastAfter(window, least, line)) return at;
  const auto sentence = [&](std::size_t at) {
    return IsSpace(window[at - 1]) && EndsSentence(window.substr(0, at - 1));
  };
  if (const std::size_t at = LastAfter(window, least, sentence)) return at;
  const auto wide = [&](std::size_t at) {
    return window[at - 1] < 0 && EndsSentence(window.substr(0, at));
  };
  if (const std::size_t at = LastAfter(window, least, wide)) return at;
  const auto word = [&](std::size_t at) { return IsSpace(window[at - 1]); };
  if (const std::size_t at = LastAfter(window, least, word)) return at;
  return most;
}

}  // namespace switchyard
