// URLs of OAuth: what is compared, and what others are sent to. Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http/url.h"

namespace switchyard::credentials::oauth {

// No user info, no fragment and 2,048 bytes at most: more has no place in these URLs.
std::optional<http::Url> ParseUrl(std::string_view text);

// https, or http to this very machine (OAuth 2.1 section 1.5).
bool IsSecure(const http::Url& url);

// The identifier of an MCP server as a resource (RFC 8707): lower-case scheme and host, no query,
// no slash alone as a path. nullopt: no usable URL.
std::optional<std::string> CanonicalResource(std::string_view url);

// Whether metadata of `resource` may speak for `url`: the same origin, and a path that is equal or
// a parent of it.
bool ResourceCovers(std::string_view resource, std::string_view url);

}  // namespace switchyard::credentials::oauth
