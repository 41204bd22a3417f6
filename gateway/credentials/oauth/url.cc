#include "credentials/oauth/url.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostUrl = 2048;

}  // namespace

std::optional<http::Url> ParseUrl(std::string_view text) {
  if (text.size() > kMostUrl || text.contains('#')) return std::nullopt;
  return http::Url::Parse(text);
}

bool IsSecure(const http::Url& url) {
  return url.tls || url.host == "localhost" || url.host == "::1" || url.host == "127.0.0.1";
}

std::optional<std::string> CanonicalResource(std::string_view url) {
  const std::optional<http::Url> parsed = ParseUrl(url);
  if (!parsed) return std::nullopt;
  return parsed->origin() + (parsed->path() == "/" ? "" : std::string(parsed->path()));
}

bool ResourceCovers(std::string_view resource, std::string_view url) {
  const std::optional<http::Url> general = ParseUrl(resource);
  const std::optional<http::Url> special = ParseUrl(url);
  if (!general || !special || !general->SameOrigin(*special)) return false;
  std::string_view above = general->path();
  if (above.ends_with('/')) above.remove_suffix(1);
  std::string_view below = special->path();
  if (!below.starts_with(above)) return false;
  below.remove_prefix(above.size());
  return below.empty() || below.front() == '/';
}

}  // namespace switchyard::credentials::oauth
