// From what a credential says to the Principal that calls are made by. Pure.
#pragma once

#include <map>
#include <string>

#include <boost/json/object.hpp>

#include "auth/claims.h"
#include "auth/evidence.h"
#include "auth/refusal.h"
#include "config/auth.h"
#include "core/principal.h"

namespace switchyard::auth {

// What the gateway calls itself where it gives out the names; no other issuer may be called so.
inline constexpr const char* kApiKeyIssuer = "urn:switchyard:api-key";
inline constexpr const char* kCertificateIssuer = "urn:switchyard:certificate";

inline constexpr std::size_t kMaxClaims = 256;  // of a token, one with more is refused

// Fills `identity.caller` by what the token says. A required claim that is not there refuses it.
Verdict<Identity> WithCaller(Identity identity, const std::map<std::string, std::string>& required);

Caller CallerOf(const config::ApiKey& key);
// By the first rule that fits; null: none does.
Caller CallerOf(const ClientCertificate& certificate,
                const std::vector<config::CertificateRule>& rules);

}  // namespace switchyard::auth
