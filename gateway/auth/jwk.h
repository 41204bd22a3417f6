// Keys as JSON (RFC 7517, 7518 section 6, 8037) and as PEM, from files, the configuration or the
// network. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auth/algorithm.h"
#include "auth/key.h"
#include "base/result.h"

namespace switchyard::auth {

inline constexpr std::size_t kMaxKeysText = std::size_t{512} << 10;
inline constexpr std::size_t kMaxKeys = 100;

struct KeyRules {
  AlgorithmSet algorithms = AlgorithmSet::All();
  // Whether HMAC secrets (kty oct) are taken: never from where others can read, such as a URL.
  bool secrets = false;
  // Of RSA keys; fewer for those of others, since each token that names one makes us compute.
  unsigned max_rsa_bits = kMaxRsaBits;
};

struct KeysRead {
  std::vector<Key> keys;             // at least one
  std::vector<std::string> skipped;  // why the others are of no use, a line each: for the log
};

// A JWK Set, a single JWK, or PEM with public keys and certificates, whichever it is. Keys that are
// of no use here (for encryption, of an unknown kind, too weak, private) are skipped: others may
// still be good. It fails when none is left.
Result<KeysRead> ReadKeys(std::string_view text, const KeyRules& rules);

// Each of the two forms alone. A certificate is taken for its key only: neither its dates nor who
// signed it matter, since whoever configured it vouches for it.
Result<KeysRead> ReadJwks(std::string_view text, const KeyRules& rules);
Result<KeysRead> ReadPem(std::string_view text, const KeyRules& rules);

}  // namespace switchyard::auth
