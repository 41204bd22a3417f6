// What the gateway shows servers of whose behalf it asks: beyond fixed `headers`. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"

namespace switchyard::config {

// Of one server. Its `headers` of the same name then are for what the gateway asks itself.
struct ServerCredentials {
  enum class Kind : std::uint8_t {
    kPerUser,            // a value for each caller
    kClientCredentials,  // OAuth: the gateway's own account (RFC 6749 section 4.4)
    kRefreshToken,       // OAuth: an account that somebody connected elsewhere
    kTokenExchange,      // OAuth: a token for each caller's own (RFC 8693)
    kOAuth,              // OAuth: an account of each caller, connected in a browser
  };

  Kind kind = Kind::kPerUser;

  // kPerUser
  std::string header = "Authorization";
  std::string scheme = "Bearer";  // before the value and a blank; "" = the value alone
  std::string by = "subject";     // whose value: subject, client, or a claim with one value
  std::map<std::string, Secret> values = {};

  // kPerUser: the issuer of the callers. OAuth: the authorization server, which alone is shown
  // what follows; kOAuth: empty = the one that the server names.
  std::string issuer = {};
  bool discover_issuer = false;  // kClientCredentials: the one that the server names is trusted
  std::string client_id = {};    // kOAuth: empty = a document of the gateway's own, or registered
  Secret client_secret = {};
  Secret private_key = {};  // PEM
  std::string key_id = {}, algorithm = {};
  std::string auth_method = {};  // empty = what the authorization server announces
  Secret refresh_token = {};
  std::vector<std::string> scopes = {};
  std::string resource = {};  // empty = what the server's metadata says

  // kTokenExchange. An `issuer` that is empty has a token_endpoint.
  std::string token_endpoint = {};  // empty = what the issuer's metadata says
  std::string audience = {};
  std::string subject_token_type = "access_token", actor_token_type = "access_token";
  Secret actor_token = {};  // who acts for the caller; empty = nobody says so

  friend bool operator==(const ServerCredentials&, const ServerCredentials&) = default;
};
std::string_view ToString(ServerCredentials::Kind kind);
// Whether a person connects accounts there: then the gateway has pages for that.
inline bool IsConnected(const std::optional<ServerCredentials>& credentials) {
  return credentials && credentials->kind == ServerCredentials::Kind::kOAuth;
}

// What is kept of all of them.
struct Credentials {
  std::string dir = {};           // absolute; empty with keys = vault in state.dir
  std::vector<Secret> keys = {};  // the first one encrypts; empty = nothing is kept
};

}  // namespace switchyard::config
