#include "credentials/oauth/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostUrl = 2048;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

}  // namespace

std::optional<Url> ParseUrl(std::string_view text) {
  if (text.empty() || text.size() > kMostUrl) return std::nullopt;
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return std::nullopt;
  const boost::urls::url_view& view = *parsed;
  Url url{.scheme = Lower(view.scheme()),
          .authority = {},
          .host = Lower(view.encoded_host()),
          .path = std::string(view.encoded_path()),
          .query = std::string(view.encoded_query())};
  const bool http = url.scheme == "https" || url.scheme == "http";
  if (!http || url.host.empty() || view.has_userinfo() || view.has_fragment()) return std::nullopt;
  // Boost.URL reads http://127.0.0.1.evil.example so: a host, and a path without a slash.
  if (!url.path.empty() && url.path.front() != '/') return std::nullopt;
  url.authority = url.host;
  const std::string_view own = url.scheme == "https" ? "443" : "80";
  const std::string port(view.port());
  if (!port.empty() && port != own) url.authority += ":" + port;
  return url;
}

bool Url::is_secure() const {
  if (scheme == "https") return true;
  return host == "localhost" || host == "[::1]" || host == "127.0.0.1";
}

std::string Url::ToText() const { return origin() + path + (query.empty() ? "" : "?" + query); }

std::optional<std::string> CanonicalResource(std::string_view url) {
  const std::optional<Url> parsed = ParseUrl(url);
  if (!parsed) return std::nullopt;
  return parsed->origin() + (parsed->path == "/" ? "" : parsed->path);
}

bool ResourceCovers(std::string_view resource, std::string_view url) {
  const std::optional<Url> general = ParseUrl(resource);
  const std::optional<Url> special = ParseUrl(url);
  if (!general || !special || general->origin() != special->origin()) return false;
  std::string_view above = general->path;
  if (above.ends_with('/')) above.remove_suffix(1);
  std::string_view below = special->path;
  if (!below.starts_with(above)) return false;
  below.remove_prefix(above.size());
  return below.empty() || below.front() == '/';
}

}  // namespace switchyard::credentials::oauth
