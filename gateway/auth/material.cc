// Which keys of OpenSSL are taken.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <openssl/core_names.h>

#include "auth/openssl.h"

namespace switchyard::auth {
namespace {

// For RSA also that the modulus has no small factor and is no prime; for curves that the point is
// on the curve and not at infinity.
bool IsWellFormed(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

Number NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  return EVP_PKEY_get_bn_param(key, name, &number) == 1 ? Number(number) : nullptr;
}

Result<Key::Material> Rsa(PublicKey key) {
  const Number modulus = NumberOf(key.get(), OSSL_PKEY_PARAM_RSA_N);
  const Number exponent = NumberOf(key.get(), OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) return Unusable("an RSA key that OpenSSL cannot read");
  const auto bits = static_cast<unsigned>(BN_num_bits(modulus.get()));
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return Unusable("an RSA key of " + std::to_string(bits) + " bits, must have " +
                    std::to_string(kMinRsaBits) + " to " + std::to_string(kMaxRsaBits));
  }
  // With 1 every text is its own signature. OpenSSL bounds it only for the largest keys, and its
  // bits are what a check costs.
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) != 0 ||
      BN_num_bits(exponent.get()) > 32) {
    return Unusable("an RSA key whose exponent is not an odd number from 3 to 2^32");
  }
  if (!IsWellFormed(key.get())) return Unusable("an RSA key with a modulus that is none");
  return RsaKey{.key = std::move(key)};
}

std::optional<Curve> CurveOf(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return std::nullopt;
  // A curve that a key brings along may look like a known one and have another generator
  // (CVE-2020-0601).
  int is_explicit = 0;
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) ==
          1 &&
      is_explicit != 0) {
    return std::nullopt;
  }
  const std::string_view curve(name.data(), size);
  if (curve == "prime256v1" || curve == "P-256") return Curve::kP256;
  if (curve == "secp384r1" || curve == "P-384") return Curve::kP384;
  if (curve == "secp521r1" || curve == "P-521") return Curve::kP521;
  return std::nullopt;
}

Result<Key::Material> Ec(PublicKey key) {
  const std::optional<Curve> curve = CurveOf(key.get());
  if (!curve) return Unusable("a key on another curve than P-256, P-384 and P-521, or on its own");
  if (!IsWellFormed(key.get())) return Unusable("a key that is no point of its curve");
  return EcKey{.key = std::move(key), .curve = *curve};
}

// The points of small order without their sign, also as numbers that were not reduced: with such a
// key, one signature holds for many texts. The same list as libsodium's ge25519_has_small_order.
bool HasSmallOrder(std::array<std::uint8_t, 32> point) {
  using Point = std::array<std::uint8_t, 32>;
  point[31] &= 0x7FU;
  const auto around_p = [](std::uint8_t low) {  // 2^255 - 19 ends in 0xED
    Point p;
    p.fill(0xFF);
    p[0] = low;
    p[31] = 0x7F;
    return p;
  };
  static constexpr Point kOrderEight{0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0,
                                     0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
                                     0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39,
                                     0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05};
  static constexpr Point kOtherOrderEight{0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F,
                                          0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
                                          0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6,
                                          0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A};
  return point == Point{} || point == Point{1} || point == kOrderEight ||
         point == kOtherOrderEight || point == around_p(0xEC) || point == around_p(0xED) ||
         point == around_p(0xEE);
}

Result<Key::Material> Ed25519(PublicKey key) {
  std::array<std::uint8_t, 32> point{};
  std::size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), point.data(), &size) != 1 || size != point.size()) {
    return Unusable("an Ed25519 key that OpenSSL cannot read");
  }
  if (HasSmallOrder(point)) return Unusable("an Ed25519 key of small order");
  return Ed25519Key{.key = std::move(key)};
}

}  // namespace

Result<Key::Material> MaterialOf(PublicKey key) {
  const ForgetErrors forget;
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA: return Rsa(std::move(key));
    case EVP_PKEY_EC: return Ec(std::move(key));
    case EVP_PKEY_ED25519: return Ed25519(std::move(key));
    case EVP_PKEY_RSA_PSS: return Unusable("an RSA-PSS key: give the same key as plain RSA");
    default: return Unusable("neither an RSA, EC nor Ed25519 key");
  }
}

}  // namespace switchyard::auth
