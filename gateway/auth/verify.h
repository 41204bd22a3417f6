// The whole way of a token: form, key, signature, claims, in this order. What is not signed by a
// key of ours is not read. Pure; safe from any thread.
#pragma once

#include <string_view>

#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/key_set.h"
#include "auth/refusal.h"

namespace switchyard::auth {

Verdict<Identity> VerifyToken(std::string_view token, const KeySet& keys, const ClaimRules& rules,
                              WallTime now);
// The same once the token is taken apart, and the keys were chosen by whom it claims to be from.
Verdict<Identity> VerifyJws(Jws jws, const KeySet& keys, const ClaimRules& rules, WallTime now);

}  // namespace switchyard::auth
