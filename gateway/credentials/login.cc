#include "credentials/login.h"

#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "auth/strict_json.h"
#include "auth/verify.h"
#include "config/rules.h"
#include "credentials/oauth/challenge.h"

namespace switchyard::credentials {
namespace {

using auth::Reason;

Login LoginAt(const config::Issuer& issuer, std::shared_ptr<auth::KeyProvider> keys) {
  const config::Login& login = *issuer.login;
  return {.client = {.id = login.client_id, .secret = login.client_secret.Reveal()},
          .scopes = oauth::UnionOf({"openid"}, login.scopes),
          .rules = {.issuer = issuer.issuer,
                    .audiences = {login.client_id},
                    .skew = issuer.clock_skew,
                    .types = {"jwt"},
                    .subject = issuer.subject,
                    .client = {},
                    .scopes = {}},
          .keys = std::move(keys)};
}

}  // namespace

Result<Logins> LoginsOf(const config::Config& config, const auth::ProviderOf& provider) {
  std::vector<const config::Auth*> all;
  if (config.auth) all.push_back(&*config.auth);
  for (const auto& [name, endpoint] : config.endpoints) {
    if (endpoint.auth) all.push_back(&*endpoint.auth);
  }
  Logins logins;
  for (const config::Auth* auth : all) {
    for (const config::Issuer& issuer : auth->issuers) {
      if (!issuer.login || logins.contains(issuer.issuer)) continue;
      Result<std::shared_ptr<auth::KeyProvider>> keys = provider(issuer);
      if (!keys) return Failure(std::move(keys.error()).In("auth.issuers " + issuer.issuer));
      logins.emplace(issuer.issuer, LoginAt(issuer, std::move(*keys)));
    }
  }
  return logins;
}

std::string LoginPathOf(std::string_view issuer) {
  return std::string(kLoginRoot).append(config::PageOf(issuer));
}

auth::Verdict<auth::Identity> ReadIdToken(std::string_view token, const auth::KeySet& keys,
                                          const Login& login, std::string_view nonce,
                                          auth::WallTime now) {
  auth::Verdict<auth::Identity> identity = auth::VerifyToken(token, keys, login.rules, now);
  if (!identity) return identity;
  const auto claims = auth::ReadObject(identity->claims);
  if (!claims) return auth::Refuse(Reason::kMalformed, "the claims: " + claims.error());
  const boost::json::string* said = auth::StringIn(*claims, "nonce");
  if (said == nullptr || nonce.empty() || std::string_view(*said) != nonce) {
    return auth::Refuse(Reason::kClaims, "nonce is not that of this attempt");
  }
  const boost::json::value* audience = claims->if_contains("aud");
  const bool several =
      audience != nullptr && audience->is_array() && audience->get_array().size() > 1;
  const boost::json::string* party = auth::StringIn(*claims, "azp");
  if (several && party == nullptr) {
    return auth::Refuse(Reason::kAudience, "aud names several, and azp none of them");
  }
  if (claims->contains("azp") &&
      (party == nullptr || std::string_view(*party) != login.client.id)) {
    return auth::Refuse(Reason::kAudience, "azp is another client");
  }
  if (!claims->contains("iat")) return auth::Refuse(Reason::kClaims, "iat is missing");
  return identity;
}

}  // namespace switchyard::credentials
