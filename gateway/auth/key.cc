#include "auth/key.h"

#include <cstddef>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "auth/openssl.h"

namespace switchyard::auth {
namespace {

// Of one number in an ECDSA signature.
std::size_t NumberSize(Curve curve) {
  switch (curve) {
    case Curve::kP256: return 32;
    case Curve::kP384: return 48;
    case Curve::kP521: return 66;
  }
  return 0;
}

Algorithm AlgorithmOf(Curve curve) {
  switch (curve) {
    case Curve::kP256: return Algorithm::kEs256;
    case Curve::kP384: return Algorithm::kEs384;
    case Curve::kP521: break;
  }
  return Algorithm::kEs512;
}

// What each kind of key can be used with at all.
struct UsesOf {
  AlgorithmSet operator()(const HmacSecret& secret) const {
    AlgorithmSet set;  // a secret is at least as long as the hash (RFC 7518 section 3.2)
    for (const Algorithm a : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
      if (secret.bytes.size() * 8 >= Info(a).hash_bits) set.Add(a);
    }
    return set;
  }
  AlgorithmSet operator()(const RsaKey&) const {
    return AlgorithmSet::Of(Family::kRsaPkcs1) | AlgorithmSet::Of(Family::kRsaPss);
  }
  AlgorithmSet operator()(const EcKey& key) const { return {AlgorithmOf(key.curve)}; }
  AlgorithmSet operator()(const Ed25519Key&) const { return {Algorithm::kEdDsa}; }
};

bool VerifyDigest(evp_pkey_st* key, unsigned hash_bits, bool pss, std::string_view text,
                  std::string_view signature) {
  const ForgetErrors forget;
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  const EVP_MD* hash = hash_bits == 0 ? nullptr : Sha2(hash_bits);
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &options, hash, nullptr, key) != 1) {
    return false;
  }
  // The salt is as long as the hash, neither shorter nor "whatever fits" (RFC 7518 section 3.5).
  if (pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
              EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

// r and s, each of a fixed size and one behind the other (RFC 7518 section 3.4), as the DER that
// OpenSSL reads. "" = not of that size.
std::string DerOf(std::string_view signature, std::size_t size) {
  if (signature.size() != 2 * size) return {};
  Number r(BN_bin2bn(Bytes(signature), static_cast<int>(size), nullptr));
  Number s(BN_bin2bn(Bytes(signature.substr(size)), static_cast<int>(size), nullptr));
  const EcdsaSignature numbers(ECDSA_SIG_new());
  if (!r || !s || !numbers || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // numbers has them now
  static_cast<void>(s.release());
  const int length = i2d_ECDSA_SIG(numbers.get(), nullptr);
  if (length <= 0) return {};
  std::string der(static_cast<std::size_t>(length), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  return i2d_ECDSA_SIG(numbers.get(), &out) == length ? der : std::string();
}

struct Check {
  const AlgorithmInfo& how;
  std::string_view text, signature;

  bool operator()(const HmacSecret& secret) const {
    const ForgetErrors forget;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    return HMAC(Sha2(how.hash_bits), secret.bytes.data(), static_cast<int>(secret.bytes.size()),
                Bytes(text), text.size(), digest, &size) != nullptr &&
           signature.size() == size && CRYPTO_memcmp(digest, signature.data(), size) == 0;
  }
  bool operator()(const RsaKey& rsa) const {
    return VerifyDigest(rsa.key.get(), how.hash_bits, how.family == Family::kRsaPss, text,
                        signature);
  }
  bool operator()(const EcKey& ec) const {
    const std::string der = DerOf(signature, NumberSize(ec.curve));
    return !der.empty() && VerifyDigest(ec.key.get(), how.hash_bits, false, text, der);
  }
  bool operator()(const Ed25519Key& ed) const {
    return signature.size() == 64 && VerifyDigest(ed.key.get(), 0, false, text, signature);
  }
};

}  // namespace

const EVP_MD* Sha2(unsigned bits) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  return bits == 256 ? sha256 : bits == 384 ? sha384 : sha512;
}

Result<Key> Key::Make(Material material, std::string id, AlgorithmSet allowed) {
  if (const auto* secret = std::get_if<HmacSecret>(&material)) {
    const std::size_t size = secret->bytes.size();
    if (size < 32 || size > kMaxSecret) {
      return Unusable("the secret has " + std::to_string(size) + " bytes, must have 32 to " +
                      std::to_string(kMaxSecret));
    }
  }
  const AlgorithmSet possible = std::visit(UsesOf{}, material);
  const AlgorithmSet algorithms = possible & allowed;
  if (algorithms.empty()) {
    return Unusable("is for " + possible.ToText() + ", wanted is " + allowed.ToText());
  }
  return Key(std::move(material), std::move(id), algorithms);
}

bool Key::Verify(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  return algorithms_.Has(algorithm) &&
         std::visit(Check{.how = Info(algorithm), .text = text, .signature = signature}, material_);
}

}  // namespace switchyard::auth
