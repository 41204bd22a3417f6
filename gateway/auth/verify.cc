#include "auth/verify.h"

#include <string>
#include <utility>

namespace switchyard::auth {

Verdict<Identity> VerifyJws(Jws jws, const KeySet& keys, const ClaimRules& rules, WallTime now) {
  const Verdict<const Key*> key = keys.Find(jws.algorithm, jws.key_id);
  if (!key) return std::unexpected(key.error());
  if (!(*key)->Verify(jws.algorithm, jws.signed_text, jws.signature)) {
    return Refuse(Reason::kSignature,
                  "the signature does not fit (" + std::string(Info(jws.algorithm).name) + ")");
  }
  return ReadClaims(std::move(jws.payload), jws.type, rules, now);
}

Verdict<Identity> VerifyToken(std::string_view token, const KeySet& keys, const ClaimRules& rules,
                              WallTime now) {
  Verdict<Jws> jws = ParseJws(token);
  if (!jws) return std::unexpected(std::move(jws.error()));
  return VerifyJws(std::move(*jws), keys, rules, now);
}

}  // namespace switchyard::auth
