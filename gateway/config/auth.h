// Who proves who they are, and by what: of the gateway, or of one endpoint. Plain values; what is
// in key files is read by who uses them (auth/authenticator.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.h"

namespace switchyard::config {

// What is said of a caller beyond its name.
struct Rights {
  std::vector<std::string> scopes = {}, roles = {}, groups = {}, capabilities = {};

  friend bool operator==(const Rights&, const Rights&) = default;
};

// As whom the gateway is registered with an issuer, to have people sign in there (OpenID Connect).
struct Login {
  std::string client_id;
  Secret client_secret = {};             // empty = a public client
  std::vector<std::string> scopes = {};  // beyond openid

  friend bool operator==(const Login&, const Login&) = default;
};

// Signs tokens. Exactly one of keys, keys_file, secret, jwks_url and discovery is set.
struct Issuer {
  std::string issuer;
  std::vector<std::string> audience = {};  // empty = the URLs of the endpoint
  std::string keys = {};                   // a JWK set, a JWK or PEM
  std::string keys_file = {};
  Secret secret = {};                        // of HMAC
  Secret jwks_url = {};                      // where its keys are fetched from
  bool discovery = false;                    // its metadata, found by its name, says where
  std::vector<std::string> algorithms = {};  // empty = all that its keys are for
  std::chrono::seconds clock_skew{30};
  std::map<std::string, std::string> required_claims = {};  // by path: the value, or one of several
  // Paths to claims, see auth::ClaimRules; empty lists = its defaults.
  std::string subject = "sub";
  std::vector<std::string> client = {}, scopes = {}, roles = {}, groups = {}, capabilities = {};

  std::optional<Login> login = {};  // of who connects an account: is it the caller?

  bool fetched() const { return discovery || !jwks_url.empty(); }

  friend bool operator==(const Issuer&, const Issuer&) = default;
};

struct ApiKey {
  std::string name;  // of who has it
  std::string hash;  // as `switchyard key new` prints it
  std::optional<std::chrono::system_clock::time_point> expires = {};
  Rights rights = {};

  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

// Whose certificates are let in, as whom. The first rule that fits counts.
struct CertificateRule {
  enum class By : std::uint8_t { kCommonName, kDns, kUri, kFingerprint };

  By by = By::kCommonName;
  std::string glob;     // of a fingerprint: its 64 hexadecimal digits
  std::string subject;  // empty = what the glob matched
  Rights rights = {};

  friend bool operator==(const CertificateRule&, const CertificateRule&) = default;
};

struct Auth {
  bool none = false;  // `auth: none`: everybody is let in
  std::vector<Issuer> issuers = {};
  std::vector<ApiKey> api_keys = {};
  std::string api_keys_file = {};
  std::vector<CertificateRule> certificates = {};
  bool anonymous = false;                          // who presents nothing is let in, as nobody
  std::vector<std::string> scopes = {};            // that whatever is presented must have
  std::vector<std::string> scopes_supported = {};  // what clients are told that there is
  std::string resource_name = {}, documentation = {};

  friend bool operator==(const Auth&, const Auth&) = default;
};

}  // namespace switchyard::config
