#include "catalog/names.h"

#include <algorithm>

#include "base/ascii.h"

namespace switchyard::catalog {
namespace {

constexpr std::string_view kScheme = "switchyard://";

constexpr bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

std::string EncodeServer(std::string_view server) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : server) {
    if (IsNameByte(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::optional<std::string> DecodeServer(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace

bool IsValidName(std::string_view exposed) {
  return !exposed.empty() && exposed.size() <= 128 && std::ranges::all_of(exposed, IsNameByte);
}

std::string ExposedName(std::string_view prefix, std::string_view name) {
  if (prefix.empty()) return std::string(name);
  std::string out;
  out.reserve(prefix.size() + kAfterPrefix.size() + name.size());
  return out.append(prefix).append(kAfterPrefix).append(name);
}

std::string RewriteUri(std::string_view server, std::string_view uri) {
  return std::string(kScheme).append(EncodeServer(server)).append("/").append(uri);
}

std::optional<RewrittenUri> ParseRewrittenUri(std::string_view uri) {
  if (!HasOwnScheme(uri)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const std::size_t slash = uri.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  std::optional<std::string> server = DecodeServer(uri.substr(0, slash));
  if (!server) return std::nullopt;
  return RewrittenUri{.server = std::move(*server), .original = uri.substr(slash + 1)};
}

bool HasOwnScheme(std::string_view uri) { return uri.starts_with(kScheme); }

bool IsFetchableUri(std::string_view uri) {
  return uri.starts_with("https://") || uri.starts_with("http://");
}

}  // namespace switchyard::catalog
