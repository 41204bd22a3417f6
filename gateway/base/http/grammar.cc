#include "base/http/grammar.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace switchyard::http {
namespace {

constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

int VersionOf(std::string_view text) {
  if (text == "HTTP/1.1") return 11;
  return text == "HTTP/1.0" ? 10 : 0;
}

// Printable, no blank: what a request target is made of (RFC 9112 3.2).
bool IsTarget(std::string_view text) {
  const auto printable = [](char c) { return c > ' ' && c < 127; };
  return !text.empty() && std::ranges::all_of(text, printable);
}

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
}

bool Skip(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool SkipToken(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && kTokenCharacters[static_cast<unsigned char>(text[end])]) ++end;
  text.remove_prefix(end);
  return end > 0;
}

// From its first quote to behind its last.
bool SkipQuoted(std::string_view& text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return true;
    }
  }
  return false;
}

constexpr unsigned Key(std::size_t length, char first) {
  return static_cast<unsigned>(length) << 8 | static_cast<unsigned char>(first | 0x20);
}

// No two are equally long and begin alike.
std::optional<Field> KnownField(std::string_view name) {
  const auto is = [name](std::string_view known, Field field) {
    unsigned differs = 0;  // no printable character becomes one of these by 0x20 but its capital
    for (std::size_t i = 0; i < known.size(); ++i) {
      differs |= static_cast<unsigned>((name[i] | 0x20) ^ known[i]);
    }
    return differs == 0 ? std::optional(field) : std::nullopt;
  };
  if (name.empty()) return std::nullopt;
  switch (Key(name.size(), name.front())) {
    case Key(4, 'h'): return is("host", Field::kHost);
    case Key(6, 'a'): return is("accept", Field::kAccept);
    case Key(6, 'e'): return is("expect", Field::kExpect);
    case Key(6, 'o'): return is("origin", Field::kOrigin);
    case Key(8, 'l'): return is("location", Field::kLocation);
    case Key(8, 'm'): return is("mcp-name", Field::kMcpName);
    case Key(10, 'c'): return is("connection", Field::kConnection);
    case Key(10, 'm'): return is("mcp-method", Field::kMcpMethod);
    case Key(10, 'u'): return is("user-agent", Field::kUserAgent);
    case Key(11, 'r'): return is("retry-after", Field::kRetryAfter);
    case Key(11, 't'): return is("traceparent", Field::kTraceParent);
    case Key(12, 'c'): return is("content-type", Field::kContentType);
    case Key(13, 'a'): return is("authorization", Field::kAuthorization);
    case Key(13, 'l'): return is("last-event-id", Field::kLastEventId);
    case Key(14, 'c'): return is("content-length", Field::kContentLength);
    case Key(14, 'm'): return is("mcp-session-id", Field::kMcpSessionId);
    case Key(16, 'c'): return is("content-encoding", Field::kContentEncoding);
    case Key(17, 't'): return is("transfer-encoding", Field::kTransferEncoding);
    case Key(20, 'm'): return is("mcp-protocol-version", Field::kMcpProtocolVersion);
    default: return std::nullopt;
  }
}

}  // namespace

bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (!kTokenCharacters[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

bool IsTokenList(std::string_view text) {
  do {
    SkipBlanks(text);
    SkipToken(text);
    SkipBlanks(text);
  } while (Skip(text, ','));
  return text.empty();
}

// Without a branch in the loop: the compiler makes vectors of it.
bool IsFieldValue(std::string_view text) {
  std::uint8_t bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    bad |= static_cast<std::uint8_t>((byte < ' ') & (byte != '\t')) |
           static_cast<std::uint8_t>(byte == 127);
  }
  return bad == 0;
}

std::string_view TrimBlanks(std::string_view text) {
  SkipBlanks(text);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool ListHas(std::string_view list, std::string_view token) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (EqualsIgnoreCase(TrimBlanks(list.substr(0, comma)), token)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

bool AreChunkExtensions(std::string_view text) {
  while (!text.empty()) {
    SkipBlanks(text);
    if (!Skip(text, ';')) return false;
    SkipBlanks(text);
    if (!SkipToken(text)) return false;
    std::string_view value = text;
    SkipBlanks(value);
    if (!Skip(value, '=')) continue;
    SkipBlanks(value);
    if (!(value.starts_with('"') ? SkipQuoted(value) : SkipToken(value))) return false;
    text = value;
  }
  return true;
}

std::optional<RequestLine> ParseRequestLine(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  if (method_end == line.npos) return std::nullopt;
  const std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == line.npos) return std::nullopt;
  const RequestLine parsed = {.method = line.substr(0, method_end),
                              .target = line.substr(method_end + 1, target_end - method_end - 1),
                              .version = VersionOf(line.substr(target_end + 1))};
  if (parsed.version == 0 || !IsToken(parsed.method) || !IsTarget(parsed.target)) return {};
  return parsed;
}

std::optional<StatusLine> ParseStatusLine(std::string_view line) {
  constexpr std::size_t kCode = 9, kReason = 13;  // HTTP/1.1 200 OK
  if (line.size() < kReason || line[kCode - 1] != ' ' || line[kReason - 1] != ' ') return {};
  StatusLine parsed = {.reason = line.substr(kReason), .version = VersionOf(line.substr(0, 8))};
  for (const char digit : line.substr(kCode, 3)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    parsed.status = parsed.status * 10 + (digit - '0');
  }
  if (parsed.version == 0 || parsed.status < 100) return std::nullopt;
  return parsed;
}

std::optional<FieldLine> ParseFieldLine(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return std::nullopt;
  const std::string_view name = line.substr(0, colon);
  const std::optional<Field> known = KnownField(name);
  if (!known && !IsToken(name)) return std::nullopt;
  return FieldLine{.name = name, .value = TrimBlanks(line.substr(colon + 1)), .known = known};
}

}  // namespace switchyard::http
