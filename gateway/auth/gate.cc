#include "auth/gate.h"

#include <algorithm>
#include <utility>

#include "telemetry/metrics.h"

namespace switchyard::auth {
namespace {

Gate::Answer Turn(Gate::Turned why, Refusal refusal, bool keys_may_come = false) {
  return std::unexpected(
      Gate::Refused{.why = why, .refusal = std::move(refusal), .keys_may_come = keys_may_come});
}

Refusal Because(Reason reason, std::string detail) {
  return {.reason = reason, .detail = std::move(detail)};
}

bool Has(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

Gate::Gate(std::shared_ptr<const Authenticator> authenticator, std::string endpoint,
           telemetry::Metrics& metrics)
    : authenticator_(std::move(authenticator)),
      endpoint_(std::move(endpoint)),
      metrics_(metrics),
      cache_({}) {}

Gate::Answer Gate::Ask(const Evidence& evidence, WallTime now) {
  if (evidence.authorization) {
    const Verdict<std::optional<std::string_view>> bearer = BearerIn(*evidence.authorization);
    if (!bearer) return Turn(Turned::kMalformed, bearer.error());
    if (*bearer) return AskToken(**bearer, now);
    return Turn(Turned::kMissing, Because(Reason::kMalformed, "Authorization is not Bearer"));
  }
  if (evidence.certificate != nullptr && authenticator_->takes_certificates()) {
    Answer answer = AskCertificate(*evidence.certificate, now);
    const bool none = !answer && answer.error().why == Turned::kMissing;
    if (!none || !authenticator_->anonymous()) return answer;
  }
  if (authenticator_->anonymous()) return Nobody();
  return Turn(Turned::kMissing, Because(Reason::kMalformed, "no credentials"));
}

Gate::Answer Gate::AskToken(std::string_view token, WallTime now) {
  if (LooksLikeApiKey(token)) {
    const Verdict<const ApiKey*> key = authenticator_->FindKey(token, now);
    if (!key) return Turn(Turned::kInvalid, key.error());
    return Admit((*key)->caller);
  }
  const Sha256Digest digest = Sha256Bytes(token);
  const std::uint64_t version = authenticator_->version();
  if (const TokenCache::IdentityPtr known = cache_.Find(digest, version, now)) {
    return Admit(known->caller);
  }
  Verdict<Identity> verified = authenticator_->Verify(token, now);
  if (!verified) {
    const bool no_key = verified.error().reason == Reason::kUnknownKey;
    return Turn(Turned::kInvalid, std::move(verified.error()), no_key);
  }
  verified->claims.clear();  // the caller has them
  const auto identity = std::make_shared<const Identity>(std::move(*verified));
  cache_.Put(digest, identity, version, now);
  return Admit(identity->caller);
}

Gate::Answer Gate::AskCertificate(const ClientCertificate& certificate, WallTime now) {
  if (now >= certificate.expires) {
    return Turn(Turned::kInvalid, Because(Reason::kExpired, "the certificate has expired"));
  }
  const std::uint64_t version = authenticator_->version();
  if (const auto known = cache_.Find(certificate.fingerprint, version, now)) {
    return Admit(known->caller);
  }
  const Caller caller = authenticator_->FindCertificate(certificate);
  if (caller == nullptr) {
    return Turn(Turned::kMissing, Because(Reason::kUnknownKey, "no rule fits the certificate of " +
                                                                   Shown(certificate.common_name)));
  }
  Identity identity;
  identity.issuer = caller->issuer;
  identity.subject = caller->subject;
  identity.expires = certificate.expires;
  identity.caller = caller;
  cache_.Put(certificate.fingerprint, std::make_shared<const Identity>(std::move(identity)),
             version, now);
  return Admit(caller);
}

Gate::Answer Gate::Admit(const Caller& caller) const {
  for (const std::string& scope : authenticator_->scopes()) {
    if (!Has(caller->scopes, scope)) {
      return Turn(Turned::kScopes, Because(Reason::kClaims, "scope " + scope + " is missing"));
    }
  }
  return caller;
}

WallTime Gate::GoodUntil(const Evidence& evidence, WallTime now) {
  if (evidence.authorization) {
    const Verdict<std::optional<std::string_view>> bearer = BearerIn(*evidence.authorization);
    if (!bearer || !*bearer) return now;
    if (LooksLikeApiKey(**bearer)) {
      const Verdict<const ApiKey*> key = authenticator_->FindKey(**bearer, now);
      return key ? (*key)->expires.value_or(WallTime::max()) : now;
    }
    const auto known = cache_.Find(Sha256Bytes(**bearer), authenticator_->version(), now);
    // Not known any more, or past its time and good by what clocks may differ.
    return known != nullptr ? known->expires : now;
  }
  const bool proved = evidence.certificate != nullptr && authenticator_->takes_certificates();
  return proved ? evidence.certificate->expires : WallTime::max();
}

Task<void> Gate::AwaitKeys(std::string authorization, Deadline deadline) {
  const Verdict<std::optional<std::string_view>> bearer = BearerIn(authorization);
  if (!bearer || !*bearer) co_return;
  const std::shared_ptr<KeyProvider> keys = authenticator_->ProviderFor(**bearer);
  if (keys != nullptr) co_await keys->AwaitNewer(keys->version(), deadline);
}

// Closed words, so that the counters can be found by their places.
void Gate::Count(const Answer& answer) {
  if (answer) {
    const bool nobody = answer->get() == Nobody().get();
    CountAs(nobody ? 1 : 0, nobody ? "anonymous" : "accepted");
    return;
  }
  switch (answer.error().why) {
    case Turned::kMissing: CountAs(2, "missing"); break;
    case Turned::kScopes: CountAs(3, "scope"); break;
    case Turned::kMalformed:
    case Turned::kInvalid: {
      const Reason reason = answer.error().refusal.reason;
      CountAs(4 + static_cast<std::size_t>(reason), ToString(reason));
      break;
    }
  }
}

void Gate::CountAs(std::size_t slot, std::string_view outcome) {
  telemetry::Counter*& counter = counters_.at(slot);
  if (counter == nullptr) {
    counter = &metrics_.CounterOf("switchyard_auth_total", {endpoint_, std::string(outcome)});
  }
  counter->Add();
}

int Gate::StatusOf(const Refused& refused) {
  switch (refused.why) {
    case Turned::kMalformed: return 400;
    case Turned::kScopes: return 403;
    case Turned::kMissing:
    case Turned::kInvalid: return 401;
  }
  return 401;
}

std::string Gate::ChallengeOf(const Refused& refused, std::string_view host,
                              std::string_view path) const {
  Resource::Asks asks{.scopes = authenticator_->scopes()};
  switch (refused.why) {
    case Turned::kMissing: break;
    case Turned::kMalformed: asks.error = "invalid_request"; break;
    case Turned::kInvalid: asks.error = "invalid_token"; break;
    case Turned::kScopes: asks.error = "insufficient_scope"; break;
  }
  return authenticator_->resource().Challenge(host, path, asks);
}

}  // namespace switchyard::auth
