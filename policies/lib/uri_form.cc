#include "policies/lib/uri_form.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/ascii.h"

namespace switchyard::policies {
namespace {

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUnreserved(char c) {
  return IsAlpha(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool IsReserved(char c) { return std::string_view(":/?#[]@!$&'()*+,;=").contains(c); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// What a `%` at this place encodes.
std::optional<char> EncodedAt(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return std::nullopt;
  const int high = HexValue(text[at + 1]), low = HexValue(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

struct Form {
  bool decoded = false;  // all of it
  bool glob = false;
};

// Where scheme and authority end; the path begins there.
struct Parts {
  std::size_t scheme = 0;     // with its colon; 0 = there is none
  std::size_t authority = 0;  // with its slashes
};

Parts PartsOf(std::string_view uri) {
  Parts parts;
  const std::size_t colon = uri.find(':');
  const bool named = colon != std::string_view::npos && colon > 0 && IsAlpha(uri.front()) &&
                     std::ranges::all_of(uri.substr(0, colon), [](char c) {
                       return IsAlpha(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
                     });
  if (named) parts.scheme = colon + 1;
  parts.authority = parts.scheme;
  if (named && uri.substr(parts.scheme).starts_with("//")) {
    const std::size_t end = uri.find_first_of("/?#", parts.scheme + 2);
    parts.authority = std::min(end, uri.size());
  }
  return parts;
}

std::string Decoded(std::string_view text, Form form) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::optional<char> encoded = EncodedAt(text, i);
    if (!encoded) {
      out += form.decoded && text[i] == '\\' ? '/' : text[i];
      continue;
    }
    const bool wildcard = form.glob && (*encoded == '*' || *encoded == '?');
    if (!wildcard && (form.decoded || IsUnreserved(*encoded))) {
      out += form.decoded && *encoded == '\\' ? '/' : *encoded;
    } else {
      out.append({'%', Upper(text[i + 1]), Upper(text[i + 2])});
    }
    i += 2;
  }
  return out;
}

// RFC 3986, 5.2.4. What climbs above the first segment stays there.
std::string WithoutDots(std::string_view path, bool without_empty) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> segments;
  bool open = false;  // the last segment is a directory
  for (std::size_t begin = rooted ? 1 : 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    const bool last = end == path.size();
    begin = end + 1;
    open = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (open || (without_empty && segment.empty() && !last)) continue;
    segments.push_back(segment);
  }
  std::string out(rooted ? "/" : "");
  for (const std::string_view& segment : segments) {
    out.append(segment);
    if (&segment != &segments.back()) out += '/';
  }
  if (open && !segments.empty()) out += '/';
  return out;
}

std::string Read(std::string_view uri, Form form) {
  const Parts parts = PartsOf(uri);
  std::string out;
  for (const char c : uri.substr(0, parts.scheme)) out += Lower(c);
  const bool is_file = out == "file:";
  std::string authority = Decoded(uri.substr(parts.scheme, parts.authority - parts.scheme), form);
  const std::size_t at = authority.find('@');
  const std::size_t host = at == std::string::npos ? 0 : at + 1;
  std::transform(authority.begin() + static_cast<std::ptrdiff_t>(host), authority.end(),
                 authority.begin() + static_cast<std::ptrdiff_t>(host), Lower);
  if (is_file && authority == "//localhost") authority = "//";
  out += authority;
  const std::string rest = Decoded(uri.substr(parts.authority), form);
  if (form.glob) return out + rest;
  // Decoding may have made a `?` or `#` that ends nothing: who decodes first takes it for one.
  const std::size_t end = std::min(rest.find_first_of("?#"), rest.size());
  out += WithoutDots(std::string_view(rest).substr(0, end), form.decoded);
  return out.append(rest, end);
}

bool HasDotSegment(std::string_view path) {
  for (std::size_t at = path.find('.'); at != std::string_view::npos; at = path.find('.', at + 1)) {
    const bool begins = at == 0 || path[at - 1] == '/' || path[at - 1] == ':';
    const std::size_t end = path.substr(at).starts_with("..") ? at + 2 : at + 1;
    const bool ends = end == path.size() || std::string_view("/?#").contains(path[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

bool IsPlainUri(std::string_view uri) {
  const auto ordinary = [](char c) { return IsUnreserved(c) || IsReserved(c); };
  if (!std::ranges::all_of(uri, ordinary)) return false;  // '%' is neither
  const Parts parts = PartsOf(uri);
  const std::string_view head = uri.substr(0, parts.authority);
  const std::string_view path = uri.substr(parts.authority);
  return std::ranges::none_of(head, [](char c) { return c >= 'A' && c <= 'Z'; }) &&
         !head.ends_with("//localhost") && !HasDotSegment(path) && !path.contains("//");
}

std::string NormalUri(std::string_view uri) { return Read(uri, {}); }
std::string DecodedUri(std::string_view uri) { return Read(uri, {.decoded = true}); }
std::string NormalUriGlob(std::string_view glob) { return Read(glob, {.glob = true}); }
std::string DecodedUriGlob(std::string_view glob) {
  return Read(glob, {.decoded = true, .glob = true});
}

}  // namespace switchyard::policies
