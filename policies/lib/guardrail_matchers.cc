#include "policies/lib/guardrail_matchers.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "policies/lib/guardrail_values.h"

namespace switchyard::policies::guardrail {
namespace {

bool HasDigit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return Is(c, kDigit); });
}

char Lower(char c) { return Is(c, kUpper) ? static_cast<char>(c | 0x20) : c; }

// Whether `word` (in lower case) stands at `at`, in any case.
bool StandsAt(std::string_view text, std::size_t at, std::string_view word) {
  return text.size() - at >= word.size() &&
         std::ranges::equal(text.substr(at, word.size()), word,
                            [](char a, char b) { return Lower(a) == b; });
}

constexpr bool In(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

}  // namespace

Match MatchShape(std::string_view text, std::size_t at, const Shape& shape) {
  constexpr std::size_t kDifferent = 6;  // fewer stand for a token: ghp_xxxxxxxx
  if (!text.substr(at).starts_with(shape.begin) || !BeginsAt(text, at)) return std::nullopt;
  const std::size_t from = at + shape.begin.size();
  const std::size_t most = shape.most == 0 ? shape.least : shape.most;
  const std::size_t end = RunEnd(text, from, shape.set, most);
  const std::string_view rest = text.substr(from, end - from);
  if (rest.size() < shape.least || Different(rest) < kDifferent) return std::nullopt;
  // More of the same is another thing, and so is a longer word.
  if (end < text.size() && Is(text[end], (shape.set & ~kDot) | kAlnum)) return std::nullopt;
  if (shape.rest == Rest::kDigitIn && !HasDigit(rest)) return std::nullopt;
  return Range{at, end};
}

// ---- private keys -------------------------------------------------------------------------------

std::size_t PemMatcher::NextEnd(std::string_view text, std::size_t at) {
  if (!searched_ || (next_end_ != std::string_view::npos && next_end_ < at)) {
    next_end_ = text.find("-----END", at);
    searched_ = true;
  }
  return next_end_;
}

Match PemMatcher::operator()(std::string_view text, std::size_t at) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::size_t kLongestLabel = 64, kLongestKey = std::size_t{16} << 10, kLeastRun = 16;
  constexpr std::uint16_t kBody = kBase64;
  if (!text.substr(at).starts_with(kBegin)) return std::nullopt;
  const std::string_view label = text.substr(at + kBegin.size(), kLongestLabel);
  const std::size_t label_end = label.find("-----");
  if (label_end == std::string_view::npos) return std::nullopt;
  if (label.substr(0, label_end).find("PRIVATE KEY") == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t body = at + kBegin.size() + label_end + 5;
  const std::size_t marker = NextEnd(text, body);
  const bool whole = marker != std::string_view::npos && marker - body <= kLongestKey;
  const std::size_t last = whole ? marker : std::min(text.size(), body + kLongestKey);
  // Lines of a key are long runs; what is between them, line ends as they are or written out,
  // quotes and the headers of an encrypted key, is short.
  std::size_t end = 0;
  for (std::size_t i = body, gap = 0; i < last && gap < 160;) {
    const std::size_t run = std::min(RunEnd(text, i, kBody), last);
    if (run - i >= kLeastRun) {
      end = run;
      gap = 0;
    } else {
      gap += run - i + 1;
    }
    i = run + 1;
  }
  if (end == 0) return std::nullopt;
  if (!whole) return Range{at, end};
  const std::size_t closed = text.substr(marker + 8, kLongestLabel).find("-----");
  return Range{at, closed == std::string_view::npos ? marker + 8 : marker + 8 + closed + 5};
}

// ---- tokens -------------------------------------------------------------------------------------

Match MatchJwt(std::string_view text, std::size_t at) {
  constexpr std::size_t kMostHeader = 8192, kLeastPart = 8;
  if (!text.substr(at).starts_with("eyJ") || !BeginsAt(text, at, kBase64Url | kDot)) {
    return std::nullopt;
  }
  const std::size_t header = RunEnd(text, at, kBase64Url);
  if (header == text.size() || text[header] != '.' || header - at > kMostHeader) {
    return std::nullopt;
  }
  const std::size_t payload = RunEnd(text, header + 1, kBase64Url);
  if (payload == text.size() || text[payload] != '.') return std::nullopt;
  std::size_t end = RunEnd(text, payload + 1, kBase64Url);
  // An encrypted one has five parts, of which the second may be empty.
  for (int part = 0; part < 2 && end < text.size() && text[end] == '.'; ++part) {
    const std::size_t next = RunEnd(text, end + 1, kBase64Url);
    if (next == end + 1) break;
    end = next;
  }
  const bool bare = payload - header - 1 < kLeastPart && end - payload - 1 < kLeastPart;
  if (bare || !IsJoseHeader(text.substr(at, header - at))) return std::nullopt;
  return Range{at, end};
}

Match MatchConnection(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongest = 512;
  constexpr std::string_view kStops = "/?# \t\r\n\"'<>[]{}\\`";
  if (!text.substr(at).starts_with("://") || at == 0 || !Is(text[at - 1], kAlnum)) {
    return std::nullopt;
  }
  const std::size_t from = at + 3, last = std::min(text.size(), from + kLongest);
  std::size_t colon = 0, sign = 0;
  for (std::size_t i = from; i < last && !In(text[i], kStops); ++i) {
    if (text[i] == ':' && colon == 0) colon = i;
    if (text[i] == '@') sign = i;
  }
  if (colon == 0 || sign <= colon + 1) return std::nullopt;
  const std::string_view password = text.substr(colon + 1, sign - colon - 1);
  constexpr std::array<std::string_view, 8> kStandIns = {"password", "pass",     "passwd", "pwd",
                                                         "secret",   "PASSWORD", "pw",     "PASS"};
  if (std::ranges::find(kStandIns, password) != kStandIns.end()) return std::nullopt;
  if (Different(password) < 2 || In(password.front(), "$%")) return std::nullopt;
  return Range{colon + 1, sign};
}

Match MatchAuthHeader(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongest = 4096, kLeastBearer = 16, kLeastBasic = 8;
  const bool bearer = StandsAt(text, at, "bearer ");
  if ((!bearer && !StandsAt(text, at, "basic ")) || !BeginsAt(text, at)) return std::nullopt;
  const std::size_t from = RunEnd(text, at + (bearer ? 6 : 5), kSpaces, 4);
  std::size_t end = RunEnd(text, from, kToken, kLongest);
  while (end > from && text[end - 1] == '.') --end;
  const std::string_view token = text.substr(from, end - from);
  if (!bearer) {
    return token.size() >= kLeastBasic && IsBasicCredentials(token) ? Match({from, end})
                                                                    : std::nullopt;
  }
  const bool mixed = HasDigit(token) && Different(token) >= 6 && EntropyOf(token) >= 2.5;
  return token.size() >= kLeastBearer && mixed ? Match({from, end}) : std::nullopt;
}

Match MatchAzure(std::string_view text, std::size_t at) {
  constexpr std::string_view kName = "accountkey=";
  constexpr std::size_t kKey = 88;
  if (!StandsAt(text, at, kName) || !BeginsAt(text, at)) return std::nullopt;
  const std::size_t from = at + kName.size(), end = RunEnd(text, from, kBase64, kKey + 1);
  if (end - from != kKey || text[end - 1] != '=') return std::nullopt;
  return Range{from, end};
}

namespace {

constexpr std::string_view kQuotes = "\"'`";

// The last byte of the name that is given something at `at`, one behind it; 0 = none.
std::size_t NameEnd(std::string_view text, std::size_t at) {
  std::size_t end = at;
  if (end > 0 && text[end - 1] == ':') --end;  // :=
  for (int i = 0; i < 4 && end > 0 && In(text[end - 1], " \t"); ++i) --end;
  if (end > 0 && In(text[end - 1], kQuotes)) {
    --end;
    if (end > 0 && text[end - 1] == '\\') --end;
  }
  return end;
}

// The value that begins at `at`, behind the spaces and the quote that it may begin with.
Match ValueAt(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongest = 256;
  at = RunEnd(text, at, kSpaces, 2);
  std::size_t from = at;
  if (from < text.size() && text[from] == '\\') ++from;
  const bool quoted = from < text.size() && In(text[from], kQuotes);
  if (quoted) {
    const char quote = text[from++];
    const std::size_t last = std::min(text.size(), from + kLongest);
    for (std::size_t i = from; i < last; ++i) {
      if (text[i] == '\n') return std::nullopt;
      if (text[i] != quote) continue;
      return Range{from, i > from && text[i - 1] == '\\' ? i - 1 : i};
    }
    return std::nullopt;
  }
  const std::size_t last = std::min(text.size(), at + kLongest);
  std::size_t end = at;
  while (end < last && !In(text[end], " \t\r\n,;&\"'`<>(){}[]|\\")) ++end;
  if (end < text.size() && In(text[end], "(<{[")) return std::nullopt;  // a call, an index
  while (end > at && In(text[end - 1], ".:!?")) --end;                  // of the sentence
  return Range{at, end};
}

}  // namespace

Match MatchAssignment(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongestName = 64;
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  const bool colon = text[at] == ':';
  if (at == 0 || In(text[at - 1], "=!<>") || next == '=' || next == ':') return std::nullopt;
  if (colon && next == '/') return std::nullopt;
  const std::size_t name_end = NameEnd(text, at);
  std::size_t name = name_end;
  const std::size_t first = name_end > kLongestName ? name_end - kLongestName : 0;
  while (name > first && Is(text[name - 1], kBase64Url | kDot)) --name;
  // The letter of an escape before a name, as in `\npassword=`, does not matter: names are judged
  // by their end.
  if (!IsSecretName(text.substr(name, name_end - name))) return std::nullopt;
  const Match value = ValueAt(text, !colon && next == '>' ? at + 2 : at + 1);
  if (!value || !LooksSecret(text.substr(value->begin, value->end - value->begin))) {
    return std::nullopt;
  }
  return value;
}

// ---- personal data ------------------------------------------------------------------------------

namespace {

// The groups that card numbers are written in.
constexpr std::array<std::array<std::uint8_t, 5>, 4> kGroups = {
    {{4, 4, 4, 4, 3}, {4, 4, 4, 4, 0}, {4, 6, 5, 0, 0}, {4, 6, 4, 0, 0}}};

Match MatchGrouped(std::string_view text, std::size_t at, std::span<const std::uint8_t> groups) {
  std::string digits;
  const char mark = at + 4 < text.size() ? text[at + 4] : '\0';
  std::size_t i = at;
  for (const std::uint8_t size : groups) {
    if (size == 0) break;
    if (i != at) {
      if (i >= text.size() || text[i] != mark) return std::nullopt;
      ++i;
    }
    const std::size_t end = RunEnd(text, i, kDigit, size);
    if (end - i != size) return std::nullopt;
    digits.append(text.substr(i, size));
    i = end;
  }
  const bool ends = i == text.size() || !Is(text[i], kAlnum);
  const bool goes_on = i + 1 < text.size() && text[i] == mark && mark == '-' &&
                       Is(text[i + 1], kAlnum);  // a longer number
  return ends && !goes_on && IsCardNumber(digits) ? Match({at, i}) : std::nullopt;
}

}  // namespace

Match MatchCard(std::string_view text, std::size_t at) {
  if (!BeginsAt(text, at)) return std::nullopt;
  // Neither behind a point (0.4111...) nor in the middle of an identifier with dashes.
  if (at > 0 && (text[at - 1] == '.' || text[at - 1] == '-')) {
    if (at > 1 && Is(text[at - 2], kAlnum)) return std::nullopt;
  }
  const std::size_t end = RunEnd(text, at, kDigit, 20);
  const bool separated = end == at + 4 && end < text.size() && In(text[end], " -.");
  if (!separated) {
    if (end < text.size() && Is(text[end], kWordByte)) return std::nullopt;
    const bool fraction = end + 1 < text.size() && text[end] == '.' && Is(text[end + 1], kDigit);
    const bool dashed = end + 1 < text.size() && text[end] == '-' && Is(text[end + 1], kAlnum);
    if (fraction || dashed) return std::nullopt;
    return IsCardNumber(text.substr(at, end - at)) ? Match({at, end}) : std::nullopt;
  }
  for (const auto& groups : kGroups) {
    if (const Match match = MatchGrouped(text, at, groups)) return match;
  }
  return std::nullopt;
}

Match MatchIban(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongest = 34;
  if (!BeginsAt(text, at) || text.size() - at < 15 || !Is(text[at + 2], kDigit)) {
    return std::nullopt;
  }
  // In groups of four or in one piece; where it ends only its length tells.
  std::string plain;
  const bool grouped = text[at + 4] == ' ';
  for (std::size_t i = at; i < text.size() && plain.size() < kLongest; ++i) {
    if (grouped && plain.size() % 4 == 0 && !plain.empty() && text[i] == ' ') {
      if (++i == text.size()) break;
    }
    if (!Is(text[i], kUpper | kDigit)) break;
    plain += text[i];
    const bool ends = i + 1 == text.size() || !Is(text[i + 1], kWordByte);
    if (ends && IsIban(plain)) return Range{at, i + 1};
  }
  return std::nullopt;
}

Match MatchEmail(std::string_view text, std::size_t at) {
  constexpr std::size_t kMostLocal = 64, kMostDomain = 253;
  // Endings that files and units have: image@2x.png, getty@tty1.service.
  constexpr std::array<std::string_view, 22> kNoDomains = {
      "png",   "jpg",  "jpeg",   "gif",  "svg",   "webp",    "css",    "js",
      "mjs",   "ts",   "json",   "html", "yaml",  "service", "socket", "timer",
      "mount", "path", "target", "txt",  "slice", "tgz"};
  const std::size_t first = at > kMostLocal ? at - kMostLocal : 0;
  std::size_t begin = at;
  while (begin > first &&
         Is(text[begin - 1], kWordByte | kDash | kDot | kPlusSlash | kLocalMark | kEquals)) {
    if (In(text[begin - 1], "/=&?`|{}'*#%!$^")) break;  // of what is around it: a path, a query
    --begin;
  }
  while (begin < at && Is(text[begin], kDot | kDash)) ++begin;
  if (begin == at || text[at - 1] == '.') return std::nullopt;
  if (begin >= 2 && text.substr(begin - 2, 2) == "//") return std::nullopt;  // https://user@host
  std::size_t end = RunEnd(text, at + 1, kAlnum | kDash | kDot, kMostDomain);
  while (end > at + 1 && Is(text[end - 1], kDash | kDot)) --end;
  const std::string_view domain = text.substr(at + 1, end - at - 1);
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || domain.front() == '-' ||
      domain.find("..") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view top = domain.substr(dot + 1);
  if (top.size() < 2 || RunEnd(top, 0, kLetter) != top.size()) return std::nullopt;
  if (std::ranges::find(kNoDomains, top) != kNoDomains.end()) return std::nullopt;
  const char next = end < text.size() ? text[end] : '\0';
  // git@host:path, user@host:22
  if (next == '_' || next == '@') return std::nullopt;
  if (next == ':' && end + 1 < text.size() && Is(text[end + 1], kAlnum | kTilde)) {
    return std::nullopt;
  }
  return Range{begin, end};
}

}  // namespace switchyard::policies::guardrail
