// URLs of OAuth: what is compared, and what others are sent to. Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::credentials::oauth {

// Its parts as they were written, but for scheme and host, which are in lower case. No user info,
// no fragment: neither has a place in these URLs.
struct Url {
  std::string scheme;     // "https", "http"
  std::string authority;  // host and port, the port of the scheme left out
  std::string host;       // of an IPv6 address with brackets
  std::string path;       // "" or with a slash in front
  std::string query;      // without the question mark

  std::string origin() const { return scheme + "://" + authority; }
  // https, or http to this very machine (OAuth 2.1 section 1.5).
  bool is_secure() const;
  std::string ToText() const;
};

std::optional<Url> ParseUrl(std::string_view text);

// The identifier of an MCP server as a resource (RFC 8707): lower-case scheme and host, no query,
// no slash alone as a path. nullopt: no usable URL.
std::optional<std::string> CanonicalResource(std::string_view url);

// Whether metadata of `resource` may speak for `url`: the same origin, and a path that is equal or
// a parent of it.
bool ResourceCovers(std::string_view resource, std::string_view url);

}  // namespace switchyard::credentials::oauth
