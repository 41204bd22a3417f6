// A signed token in its compact form (RFC 7515 section 7.1), taken apart and not yet believed:
// nothing here has checked the signature. Pure; safe from any thread.
//
// Keys that a token brings along (jwk, jku, x5u, x5c) are never looked at.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/refusal.h"

namespace switchyard::auth {

inline constexpr std::size_t kMaxToken = std::size_t{16} << 10;  // bytes of its text
inline constexpr std::size_t kMaxHeader = std::size_t{2} << 10;  // bytes of the header's JSON
inline constexpr std::size_t kMaxKeyId = 512;

struct Jws {
  Algorithm algorithm = Algorithm::kHs256;
  std::string key_id;            // "" = none named
  std::string type;              // lower case, without "application/"; "" = none named
  std::string_view signed_text;  // of the token that was parsed
  std::string payload;           // any bytes
  std::string signature;         // not empty
};

// What comes back refers to `token`.
Verdict<Jws> ParseJws(std::string_view token);

// Whose token it claims to be, only to choose whose keys to try: to be checked again afterwards.
std::optional<std::string> UnverifiedIssuer(const Jws& jws);

}  // namespace switchyard::auth
