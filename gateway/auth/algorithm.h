// The signature algorithms of RFC 7518 section 3 and RFC 8037, one row each; `none` is not one of
// them. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::auth {

enum class Algorithm : std::uint8_t {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,
};

// What kind of key it takes, and how it is used.
enum class Family : std::uint8_t { kHmac, kRsaPkcs1, kRsaPss, kEcdsa, kEd25519 };

struct AlgorithmInfo {
  std::string_view name;
  Family family;
  unsigned hash_bits;  // of SHA-2; 0 = the algorithm hashes by itself
};

const AlgorithmInfo& Info(Algorithm algorithm);
// Names are case-sensitive (RFC 7515 section 4.1.1). "Ed25519" is the newer name (RFC 9864) of what
// EdDSA means for the one curve that is known here.
std::optional<Algorithm> AlgorithmOf(std::string_view name);

// A value.
class AlgorithmSet {
 public:
  AlgorithmSet() = default;  // none
  AlgorithmSet(std::initializer_list<Algorithm> algorithms) {
    for (const Algorithm algorithm : algorithms) Add(algorithm);
  }
  static AlgorithmSet All();
  static AlgorithmSet Of(Family family);

  void Add(Algorithm algorithm) { bits_ |= Bit(algorithm); }
  bool Has(Algorithm algorithm) const { return (bits_ & Bit(algorithm)) != 0; }
  bool empty() const { return bits_ == 0; }
  std::string ToText() const;  // "RS256, RS384"; "none" when empty

  AlgorithmSet operator&(AlgorithmSet other) const { return AlgorithmSet(bits_ & other.bits_); }
  AlgorithmSet operator|(AlgorithmSet other) const { return AlgorithmSet(bits_ | other.bits_); }
  bool operator==(const AlgorithmSet&) const = default;

 private:
  explicit AlgorithmSet(unsigned bits) : bits_(bits) {}
  static unsigned Bit(Algorithm algorithm) { return 1U << static_cast<unsigned>(algorithm); }

  unsigned bits_ = 0;
};

}  // namespace switchyard::auth
