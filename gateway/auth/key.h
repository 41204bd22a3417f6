// A key that checks signatures. Its kind is the type of its material, and each kind has its own way
// to check: no header of a token can make an RSA key the secret of an HMAC. Which algorithms a key
// may be used with is fixed when it is made, never by a token.
//
// Immutable; safe from any thread; copies share the key of OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "auth/algorithm.h"
#include "base/result.h"

struct evp_pkey_st;

namespace switchyard::auth {

inline constexpr unsigned kMinRsaBits = 2048;  // RFC 7518 section 3.3
inline constexpr unsigned kMaxRsaBits = 8192;  // a check takes the time of the bits squared
inline constexpr std::size_t kMaxSecret = 1024;

using PublicKey = std::shared_ptr<evp_pkey_st>;

enum class Curve : std::uint8_t { kP256, kP384, kP521 };

struct HmacSecret {
  std::string bytes;
};
struct RsaKey {
  PublicKey key;
};
struct EcKey {
  PublicKey key;
  Curve curve;
};
struct Ed25519Key {
  PublicKey key;
};

class Key {
 public:
  using Material = std::variant<HmacSecret, RsaKey, EcKey, Ed25519Key>;

  // For those of `allowed` that such a key can be used with; an error when there are none. Checks
  // sizes, too. `id`: "" = has no name.
  static Result<Key> Make(Material material, std::string id, AlgorithmSet allowed);

  const std::string& id() const { return id_; }
  AlgorithmSet algorithms() const { return algorithms_; }

  // False also when the key is not for that algorithm.
  bool Verify(Algorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  Key(Material material, std::string id, AlgorithmSet algorithms)
      : material_(std::move(material)), id_(std::move(id)), algorithms_(algorithms) {}

  Material material_;
  std::string id_;
  AlgorithmSet algorithms_;
};

}  // namespace switchyard::auth
