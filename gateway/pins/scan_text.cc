#include "pins/scan_text.h"

#include <algorithm>
#include <cstddef>

#include "base/base64url.h"
#include "mcp/json_string.h"
#include "pins/characters.h"

namespace switchyard::pins {
namespace {

constexpr std::size_t kAround = 24;  // bytes before what is shown
constexpr std::size_t kBlanks = 64, kLines = 12;
constexpr std::size_t kReadable = 24, kOpaque = 160, kHex = 160, kEscapes = 6;

std::string_view Near(std::string_view text, std::size_t begin, std::size_t end) {
  const std::size_t from = begin > kAround ? begin - kAround : 0;
  return text.substr(from, end - from + kAround);
}

bool IsWordLetter(char32_t c) {
  return IsAsciiLetter(c) || (c >= 0xC0 && !IsBlank(c) && !NeedsEscape(c) && AsciiLookOf(c) != 0) ||
         (c >= 0xC0 && c < 0x530 && c != 0xD7 && c != 0xF7);
}

// Flags of regions are a black flag and tags.
bool EndsFlag(char32_t before, std::size_t tags) { return before == 0x1F3F4 && tags <= 7; }

class Characters {
 public:
  Characters(std::string_view text, const Report& report) : text_(text), report_(report) {}

  void Run() {
    bool right_to_left = false;
    for (std::size_t at = 0; at < text_.size() && !right_to_left;) {
      const CodePoint c = FirstOf(text_.substr(at));
      right_to_left = IsRightToLeft(c.value);
      at += c.size;
    }
    for (std::size_t at = 0; at < text_.size();) {
      const CodePoint c = FirstOf(text_.substr(at));
      const std::size_t next = at + c.size;
      const char32_t after = next < text_.size() ? FirstOf(text_.substr(next)).value : 0;
      Look(c.value, after, at, next, right_to_left);
      at = next;
    }
    EndTags(text_.size());
  }

 private:
  void Tell(std::string_view rule, Severity severity, std::size_t begin, std::size_t end) {
    report_(rule, severity, Near(text_, begin, end));
  }

  void EndTags(std::size_t at) {
    if (tags_ > 0 && !EndsFlag(before_tags_, tags_)) {
      Tell("invisible", Severity::kHigh, tags_at_, at);
    }
    tags_ = 0;
  }

  void Look(char32_t c, char32_t after, std::size_t at, std::size_t next, bool right_to_left) {
    if (IsTag(c)) {
      if (tags_++ == 0) {
        tags_at_ = at;
        before_tags_ = before_;
      }
      return;
    }
    EndTags(at);
    if (IsBidiControl(c)) Tell("bidi", Severity::kHigh, at, next);
    if (IsBidiMark(c) && !right_to_left) Tell("bidi", Severity::kMedium, at, next);
    if (IsControl(c)) {
      Tell("control", c == 0x1B || c == 0x9B ? Severity::kHigh : Severity::kMedium, at, next);
    }
    if (IsPrivate(c)) Tell("private_use", Severity::kMedium, at, next);
    if (IsInvisible(c)) {
      // A soft hyphen is a typist's, a mark at the very start an editor's.
      const bool slip = c == 0xAD || (c == 0xFEFF && at == 0);
      Tell("invisible", slip ? Severity::kLow : Severity::kHigh, at, next);
    }
    if (IsJoiner(c) && !TakesJoiners(before_) && !TakesJoiners(after)) {
      Tell("invisible", Severity::kHigh, at, next);
    }
    if (IsVariation(c)) {
      const bool keycap = after == 0x20E3;
      const bool fits = TakesJoiners(before_) || IsIdeograph(before_) || keycap;
      if (!fits || IsVariation(before_)) Tell("invisible", Severity::kHigh, at, next);
    }
    before_ = c;
  }

  std::string_view text_;
  const Report& report_;
  char32_t before_ = 0, before_tags_ = 0;
  std::size_t tags_ = 0, tags_at_ = 0;
};

struct Letters {
  std::size_t begin = 0, end = 0, latin = 0, looks = 0, dressed = 0, other = 0;
};

void JudgeWord(std::string_view text, const Letters& word, bool name, const Report& report) {
  const std::size_t letters = word.latin + word.looks + word.dressed + word.other;
  const bool mixed = word.looks > 0 && word.latin >= 2 && letters >= 3 && word.other == 0;
  // In a name one is enough, and a name of nothing else passes for Latin as a whole.
  const bool in_name = name && word.looks > 0 && (word.latin > 0 || word.looks == letters);
  if (mixed || in_name) {
    report("mixed_script", name || word.looks * 4 >= letters ? Severity::kHigh : Severity::kMedium,
           Near(text, word.begin, word.end));
  }
  if (word.dressed >= 4 || (name && word.dressed > 0)) {
    report("mixed_script", Severity::kMedium, Near(text, word.begin, word.end));
  }
}

bool IsBase64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/' || c == '-' || c == '_';
}
bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// With words in it: a path or an identifier decodes to noise.
bool Reads(std::string_view text) {
  if (text.size() < 12) return false;
  const auto printable = std::ranges::count_if(
      text, [](char c) { return (c >= ' ' && c < 0x7F) || c == '\n' || c == '\t'; });
  const auto letters = std::ranges::count_if(
      text, [](char c) { return IsAsciiLetter(static_cast<unsigned char>(c)) || c == ' '; });
  const auto size = static_cast<std::ptrdiff_t>(text.size());
  return printable * 20 >= size * 19 && letters * 10 >= size * 7;
}

std::string DecodedBase64(std::string_view run) {
  std::string plain(run);
  std::ranges::replace(plain, '+', '-');
  std::ranges::replace(plain, '/', '_');
  while (plain.size() % 4 == 1) plain.pop_back();
  // What lies beyond the last whole group is nobody's.
  plain.resize(plain.size() / 4 * 4);
  std::optional<std::string> decoded = DecodeBase64Url(plain);
  return decoded && Reads(*decoded) ? *decoded : "";
}

std::string DecodedHex(std::string_view run) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < run.size(); i += 2) {
    out += static_cast<char>(digit(run[i]) * 16 + digit(run[i + 1]));
  }
  return Reads(out) ? out : "";
}

struct Run {
  std::size_t begin, size;
  bool hex;
};

// Longest stretches that may be text in another writing.
std::vector<Run> RunsIn(std::string_view text) {
  std::vector<Run> runs;
  for (std::size_t at = 0; at < text.size();) {
    if (!IsBase64(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && IsBase64(text[end])) ++end;
    const std::string_view run = text.substr(at, end - at);
    if (run.size() >= kReadable) {
      runs.push_back({.begin = at, .size = run.size(), .hex = std::ranges::all_of(run, IsHex)});
    }
    at = end;
  }
  return runs;
}

bool LooksRandom(std::string_view run) {
  const auto has = [run](char first, char last) {
    return std::ranges::any_of(run, [=](char c) { return c >= first && c <= last; });
  };
  return has('a', 'z') && has('A', 'Z') && has('0', '9');
}

void ScanEscapes(std::string_view text, const Report& report) {
  std::size_t in_a_row = 0, begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 0;
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("\\u") || rest.starts_with("\\x")) size = rest[1] == 'u' ? 6 : 4;
    if (rest.starts_with("&#")) size = rest.substr(0, 10).find(';') + 1;  // 0: there is none
    if (rest.starts_with("%") && rest.size() > 2 && IsHex(rest[1]) && IsHex(rest[2])) size = 3;
    if (size == 0) {
      in_a_row = 0;
      ++at;
      continue;
    }
    if (in_a_row++ == 0) begin = at;
    at = std::min(text.size(), at + size);
    if (in_a_row == kEscapes) report("encoded", Severity::kMedium, Near(text, begin, at));
  }
}

}  // namespace

void ScanCharacters(std::string_view text, const Report& report) { Characters(text, report).Run(); }

void ScanScripts(std::string_view text, bool name, const Report& report) {
  Letters word;
  const auto end_word = [&](std::size_t at) {
    word.end = at;
    JudgeWord(text, word, name, report);
    word = {};
  };
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = FirstOf(text.substr(at));
    if (IsWordLetter(c.value)) {
      if (!inside) word.begin = at;
      inside = true;
      if (IsAsciiLetter(c.value)) {
        ++word.latin;
      } else if (IsDressed(c.value)) {
        ++word.dressed;
      } else if (c.value >= 0x250 && AsciiLookOf(c.value) != 0) {
        ++word.looks;
      } else {
        c.value < 0x250 ? ++word.latin : ++word.other;
      }
    } else if (!NeedsEscape(c.value) && inside) {
      end_word(at);
      inside = false;
    }
    at += c.size;
  }
  if (inside) end_word(text.size());
}

void ScanLayout(std::string_view text, const Report& report) {
  std::size_t blanks = 0, lines = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = FirstOf(text.substr(at));
    if (IsBlank(c.value)) {
      ++blanks;
      lines += c.value == '\n' ? 1 : 0;
    } else {
      if (blanks >= kBlanks || lines >= kLines) {
        report("whitespace", Severity::kMedium, text.substr(at, 2 * kAround));
      }
      blanks = lines = 0;
    }
    at += c.size;
  }
  for (const Run& run : RunsIn(text)) {
    const std::string_view inner = text.substr(run.begin, run.size);
    const bool says = !(run.hex ? DecodedHex(inner) : DecodedBase64(inner)).empty();
    const bool opaque = run.hex ? run.size >= kHex : run.size >= kOpaque && LooksRandom(inner);
    if (says || opaque) {
      report("encoded", says ? Severity::kHigh : Severity::kMedium, inner.substr(0, 3 * kAround));
    }
  }
  ScanEscapes(text, report);
}

std::string DecodedIn(std::string_view text) {
  std::string all;
  for (const Run& run : RunsIn(text)) {
    const std::string_view inner = text.substr(run.begin, run.size);
    const std::string decoded = run.hex ? DecodedHex(inner) : DecodedBase64(inner);
    if (!decoded.empty()) all.append(decoded).append(" . ");
  }
  return all;
}

}  // namespace switchyard::pins
