// Why a credential is refused: a word of a closed set, fit for a metric label, and a sentence for
// the log. Whoever presented it is told neither: a precise answer would help to forge the next one.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

namespace switchyard::auth {

enum class Reason : std::uint8_t {
  kMalformed,   // not a compact JWS, not base64url, not JSON, a member twice
  kTooLarge,    // over a bound named in the detail
  kAlgorithm,   // `none`, or one that is not known
  kHeader,      // crit, b64, zip, or a member of the wrong type
  kType,        // a token of another kind, such as a logout token
  kUnknownKey,  // no key fits: the only refusal that newer keys could undo
  kWrongKey,    // there is such a key, but not for this algorithm; or several
  kSignature,
  kClaims,  // a claim is missing or has the wrong form
  kIssuer,
  kAudience,
  kExpired,
  kNotYet,  // nbf or iat lies ahead
};

std::string_view ToString(Reason reason);

struct Refusal {
  Reason reason = Reason::kMalformed;
  std::string detail;  // for the log: no secret, and what a client wrote only as Shown()
};

template <class T>
using Verdict = std::expected<T, Refusal>;

std::unexpected<Refusal> Refuse(Reason reason, std::string detail);

// The text of a client for a log: quoted, escaped, cut to a sane length.
std::string Shown(std::string_view text);

// "invalid token" for the client, everything else in its detail.
Error ErrorOf(const Refusal& refusal);

}  // namespace switchyard::auth
