// An endpoint as a protected resource of OAuth (RFC 9728): by which URLs clients know it, what they
// are told of who gives out tokens for it, and how they are asked for one (RFC 6750 section 3).
//
// URLs are made of what the configuration says. What a request's Host says matters only for a
// gateway that this machine alone can reach, and there it only chooses among the names of this
// machine: nobody can make the gateway say, or believe, that it is somebody else.
//
// Immutable; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/auth.h"

namespace switchyard::auth {

// Where the gateway is reached. One without public_url is on loopback.
struct Place {
  std::string public_url = {};
  bool tls = false;
  std::uint16_t port = 0;
  bool legacy_sse = false;
};

class Resource {
 public:
  // `endpoint` "" = /mcp.
  Resource(Place place, std::string endpoint, const config::Auth& auth);

  // Paths are `/mcp/team` or, of HTTP+SSE, `/sse/team`; `host` is what the request says.
  std::string Url(std::string_view host, std::string_view path) const;
  // All of them: for whom a token may be.
  std::vector<std::string> Audiences() const;

  // Whether there is somebody to tell clients about.
  bool published() const { return !issuers_.empty(); }
  std::string MetadataUrl(std::string_view host, std::string_view path) const;
  std::string Metadata(std::string_view host, std::string_view path) const;  // JSON

  struct Asks {
    std::string_view error = {};  // "" = nothing was presented
    std::string_view description = {};
    std::vector<std::string> scopes = {};  // that are needed
  };
  // The value of WWW-Authenticate.
  std::string Challenge(std::string_view host, std::string_view path, const Asks& asks) const;

 private:
  std::string BaseOf(std::string_view host) const;

  const Place place_;
  const std::string endpoint_;
  std::vector<std::string> issuers_;  // that clients can go to
  const std::vector<std::string> scopes_;
  const std::string name_, documentation_;
};

// Of a path below /.well-known/oauth-protected-resource: `/mcp/team`; the form without one is that
// of /mcp. "" = it is not such a path.
std::string_view ResourcePathOf(std::string_view path);

}  // namespace switchyard::auth
