// Where people sign in who connect an account, and what the issuer says of who did (OpenID Connect
// Core 1.0): made from `auth.issuers[].login`. Immutable but for keys that are fetched.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authenticator.h"
#include "auth/claims.h"
#include "auth/key_provider.h"
#include "auth/key_set.h"
#include "auth/refusal.h"
#include "base/result.h"
#include "config/config.h"
#include "credentials/oauth/client.h"

namespace switchyard::credentials {

// At one issuer.
struct Login {
  oauth::Client client;
  std::vector<std::string> scopes;  // openid among them
  auth::ClaimRules rules;           // of its ID tokens
  std::shared_ptr<auth::KeyProvider> keys;
};
using Logins = std::map<std::string, Login, std::less<>>;  // by issuer

// Of all endpoints: an issuer's is the same at each (config/read.cc). The error is the provider's.
Result<Logins> LoginsOf(const config::Config& config, const auth::ProviderOf& provider);

// Where browsers come back to from an issuer: config::PageOf() it, below the root. Each has a page
// of its own (config/read.cc), since not every issuer says who answers (RFC 9207):
// else one of them could have people sign in at another one and be given what that one answered
// (mix-up, RFC 9700 section 4.4.2).
inline constexpr std::string_view kLoginRoot = "/connect/login/";
std::string LoginPathOf(std::string_view issuer);

// Who signed in, by the ID token that the token endpoint gave for this attempt (section 3.1.3.7):
// signed by a key of the issuer, for this client and nobody else, fresh, and with the nonce of the
// attempt. An access token is none. Pure.
auth::Verdict<auth::Identity> ReadIdToken(std::string_view token, const auth::KeySet& keys,
                                          const Login& login, std::string_view nonce,
                                          auth::WallTime now);

}  // namespace switchyard::credentials
