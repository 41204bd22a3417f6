#include "credentials/oauth/signing_key.h"

#include <array>
#include <stdexcept>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/openssl.h"
#include "base/base64url.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostPem = 64 * 1024;

using auth::Bytes;

struct Kind {
  std::string_view algorithm;
  int type;
  int bits;  // of a curve; 0 = any
  unsigned hash_bits;
  bool pss = false;
};
// The first of a key's kind is what it signs with where nothing else is said.
constexpr std::array kKinds = {
    Kind{"RS256", EVP_PKEY_RSA, 0, 256},   Kind{"RS384", EVP_PKEY_RSA, 0, 384},
    Kind{"RS512", EVP_PKEY_RSA, 0, 512},   Kind{"PS256", EVP_PKEY_RSA, 0, 256, true},
    Kind{"ES256", EVP_PKEY_EC, 256, 256},  Kind{"ES384", EVP_PKEY_EC, 384, 384},
    Kind{"EdDSA", EVP_PKEY_ED25519, 0, 0},
};

const Kind* KindOf(EVP_PKEY* key, std::string_view algorithm) {
  for (const Kind& kind : kKinds) {
    if (kind.type != EVP_PKEY_get_base_id(key)) continue;
    if (kind.bits != 0 && kind.bits != EVP_PKEY_get_bits(key)) continue;
    if (algorithm.empty() || algorithm == kind.algorithm) return &kind;
  }
  return nullptr;
}

std::unexpected<Error> BadKey(std::string why) {
  return Failure(Code::kInvalid, Origin::kGateway, "private_key: " + std::move(why));
}

void Require(bool holds) {
  if (!holds) throw std::runtime_error("OpenSSL could not sign");
}

// RFC 7518 section 3.4: the two numbers side by side.
std::string RawOf(const std::string& der, int bits) {
  const unsigned char* at = Bytes(der);
  const auth::EcdsaSignature numbers(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Require(numbers != nullptr);
  const int size = (bits + 7) / 8;
  std::string raw(static_cast<std::size_t>(2 * size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  Require(BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, size) == size);
  Require(BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + size, size) == size);
  return raw;
}

}  // namespace

Result<SigningKey> SigningKey::Read(const std::string& pem, std::string key_id,
                                    std::string_view algorithm) {
  const auth::ForgetErrors forget;
  if (pem.size() > kMostPem) return BadKey("is too large for a key");
  const std::unique_ptr<BIO, auth::FreeWith<BIO_free>> stream(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without the callback OpenSSL would ask the terminal for a password.
  pem_password_cb* const nobody = [](char*, int, int, void*) { return -1; };
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(stream.get(), nullptr, nobody, nullptr),
                                EVP_PKEY_free);
  if (key == nullptr) return BadKey("is no PEM of a private key without a password");
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key.get()) < 2048) {
    return BadKey("an RSA key needs 2048 bits at least");
  }
  const Kind* kind = KindOf(key.get(), algorithm);
  if (kind == nullptr) {
    return BadKey(algorithm.empty()
                      ? "must be RSA, EC P-256, EC P-384 or Ed25519"
                      : "cannot sign with " + std::string(algorithm) + ", or it is not known here");
  }
  return SigningKey(std::move(key), std::move(key_id), kind->algorithm);
}

std::string SigningKey::Sign(std::string_view claims) const {
  const auth::ForgetErrors forget;
  boost::json::object header{{"alg", algorithm_}, {"typ", "JWT"}};
  if (!key_id_.empty()) header["kid"] = key_id_;
  const std::string text =
      EncodeBase64Url(boost::json::serialize(header)) + "." + EncodeBase64Url(claims);
  const Kind* kind = KindOf(key_.get(), algorithm_);
  const auth::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  const EVP_MD* hash = kind->hash_bits == 0 ? nullptr : auth::Sha2(kind->hash_bits);
  Require(EVP_DigestSignInit(context.get(), &options, hash, nullptr, key_.get()) == 1);
  if (kind->pss) {
    Require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, Bytes(text), text.size()) == 1);
  std::string signature(size, '\0');
  Require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         Bytes(text), text.size()) == 1);
  signature.resize(size);
  if (kind->type == EVP_PKEY_EC) signature = RawOf(signature, kind->bits);
  return text + "." + EncodeBase64Url(signature);
}

}  // namespace switchyard::credentials::oauth
