// What a verified token says of its caller (RFC 7519 section 4, RFC 9068 section 2.2), and what has
// to be true of it. Pure: time is a parameter. Safe from any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "auth/refusal.h"
#include "core/principal.h"

namespace switchyard::auth {

using WallTime = std::chrono::system_clock::time_point;

// Who calls, as somebody trusted has signed it.
struct Identity {
  std::string issuer;
  std::string subject;      // never empty
  std::string client = {};  // "" = not said
  std::vector<std::string> scopes = {}, roles = {}, groups = {};
  WallTime expires;
  std::string claims = {};                     // all of them, JSON as signed
  std::vector<std::string> capabilities = {};  // of the agent that it acts as
  std::string credential = {};                 // SHA-256 of the token
  Caller caller = {};  // the same as calls are made by, once somebody made it; see principals.h
};

struct ClaimRules {
  static constexpr std::chrono::seconds kMaxSkew{300};

  std::string issuer;                       // exactly; no normalisation
  std::vector<std::string> audiences = {};  // one of them must be named; empty = no token passes
  bool any_audience = false;                // for keys of which only this gateway knows
  std::chrono::seconds skew{30};            // by which clocks may differ, at most kMaxSkew
  // Values of `typ` in lower case without "application/"; a token without one passes, too.
  std::vector<std::string> types{"jwt", "at+jwt"};

  // Paths to claims: a name, or names with dots in between (`realm_access.roles`). A claim whose
  // own name has dots in it (`https://example.com/roles`) comes before what the dots would mean.
  std::string subject = "sub";
  std::vector<std::string> client{"client_id", "azp"};  // the first that is there
  std::vector<std::string> scopes{"scope", "scp"};      // the first that is there
  // Of all of them together.
  std::vector<std::string> roles = {}, groups = {}, capabilities = {};
};

// `payload` is what was signed, `type` that of the header. `exp` must be there: nothing is for
// ever.
Verdict<Identity> ReadClaims(std::string payload, std::string_view type, const ClaimRules& rules,
                             WallTime now);

}  // namespace switchyard::auth
