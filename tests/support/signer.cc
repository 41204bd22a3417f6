#include "support/signer.h"

#include <array>
#include <stdexcept>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/base64url.h"

namespace switchyard::tests {
namespace {

void Require(bool holds) {
  if (!holds) throw std::runtime_error("OpenSSL failed");
}

std::shared_ptr<EVP_PKEY> Own(EVP_PKEY* key) {
  Require(key != nullptr);
  return {key, EVP_PKEY_free};
}

const EVP_MD* HashOf(std::string_view algorithm) {
  if (algorithm.ends_with("256")) return EVP_sha256();
  return algorithm.ends_with("384") ? EVP_sha384() : EVP_sha512();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Number(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(size != 0 ? size : BN_num_bytes(number)), '\0');
  Require(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
                       static_cast<int>(bytes.size())) >= 0);
  BN_free(number);
  return EncodeBase64Url(bytes);
}

int CoordinateSize(EVP_PKEY* key) { return (EVP_PKEY_get_bits(key) + 7) / 8; }

std::string Drain(BIO* stream) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(stream, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(stream);
  return text;
}

// `salt`: of PSS; ignored by others.
std::string SignWith(EVP_PKEY* key, std::string_view algorithm, std::string_view text, int salt) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  const EVP_MD* hash = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : HashOf(algorithm);
  Require(EVP_DigestSignInit(context.get(), &options, hash, nullptr, key) == 1);
  if (algorithm.starts_with("PS")) {
    Require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt) == 1);
  }
  std::size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, Bytes(text), text.size()) == 1);
  std::string signature(size, '\0');
  Require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         Bytes(text), text.size()) == 1);
  signature.resize(size);
  return signature;
}

}  // namespace

Signer Signer::Rsa(unsigned bits) { return Signer(Own(EVP_RSA_gen(bits))); }
Signer Signer::Ec(const std::string& curve) { return Signer(Own(EVP_EC_gen(curve.c_str()))); }
Signer Signer::Ed25519() { return Signer(Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))); }
Signer Signer::Hmac(std::string secret) {
  Signer signer(nullptr);
  signer.secret_ = std::move(secret);
  return signer;
}

std::string Signer::SignDer(std::string_view algorithm, std::string_view text) const {
  return SignWith(key_.get(), algorithm, text, RSA_PSS_SALTLEN_DIGEST);
}

std::string Signer::SignPss(std::string_view algorithm, std::string_view text, int salt) const {
  return SignWith(key_.get(), algorithm, text, salt);
}

std::string Signer::Sign(std::string_view algorithm, std::string_view text) const {
  if (key_ == nullptr) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    Require(HMAC(HashOf(algorithm), secret_.data(), static_cast<int>(secret_.size()), Bytes(text),
                 text.size(), digest.data(), &size) != nullptr);
    return {digest.begin(), digest.begin() + size};
  }
  std::string signature = SignDer(algorithm, text);
  if (EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_EC) return signature;
  const unsigned char* at = Bytes(signature);
  ECDSA_SIG* numbers = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size()));
  Require(numbers != nullptr);
  const int size = CoordinateSize(key_.get());
  std::string raw(static_cast<std::size_t>(2 * size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(numbers), out, size);
  BN_bn2binpad(ECDSA_SIG_get0_s(numbers), out + size, size);
  ECDSA_SIG_free(numbers);
  return raw;
}

std::string Signer::Token(std::string_view algorithm, std::string_view header,
                          std::string_view payload) const {
  const std::string text = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  return text + "." + EncodeBase64Url(Sign(algorithm, text));
}

std::string Signer::Token(std::string_view algorithm, std::string_view payload) const {
  return Token(algorithm, R"({"alg":")" + std::string(algorithm) + R"(","kid":"k"})", payload);
}

std::string Signer::Jwk(std::string_view more) const {
  std::string jwk;
  if (key_ == nullptr) {
    jwk = R"("kty":"oct","k":")" + EncodeBase64Url(secret_) + "\"";
  } else if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA) {
    jwk = R"("kty":"RSA","n":")" + Number(key_.get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
          Number(key_.get(), OSSL_PKEY_PARAM_RSA_E) + "\"";
  } else if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC) {
    const int size = CoordinateSize(key_.get());
    const std::string curve = size == 32 ? "P-256" : size == 48 ? "P-384" : "P-521";
    jwk = R"("kty":"EC","crv":")" + curve + R"(","x":")" +
          Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")" +
          Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\"";
  } else {
    std::string point(32, '\0');
    std::size_t size = point.size();
    Require(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(point.data()),
                                        &size) == 1);
    jwk = R"("kty":"OKP","crv":"Ed25519","x":")" + EncodeBase64Url(point) + "\"";
  }
  return "{" + jwk + (more.empty() ? "" : "," + std::string(more)) + "}";
}

std::string Signer::PrivateJwk() const {
  if (key_ == nullptr) return Jwk();
  std::string d;
  if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_ED25519) {
    std::string seed(32, '\0');
    std::size_t size = seed.size();
    Require(EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(seed.data()),
                                         &size) == 1);
    return Jwk(R"("d":")" + EncodeBase64Url(seed) + "\"");
  }
  if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC) {
    d = Number(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, CoordinateSize(key_.get()));
    return Jwk(R"("d":")" + d + "\"");
  }
  const auto member = [this](const char* name, const char* of) {
    return std::string(",\"") + name + "\":\"" + Number(key_.get(), of) + "\"";
  };
  return Jwk(R"("d":")" + Number(key_.get(), OSSL_PKEY_PARAM_RSA_D) + "\"" +
             member("p", OSSL_PKEY_PARAM_RSA_FACTOR1) + member("q", OSSL_PKEY_PARAM_RSA_FACTOR2) +
             member("dp", OSSL_PKEY_PARAM_RSA_EXPONENT1) +
             member("dq", OSSL_PKEY_PARAM_RSA_EXPONENT2) +
             member("qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
}

std::string Signer::Pem() const {
  BIO* stream = BIO_new(BIO_s_mem());
  Require(PEM_write_bio_PUBKEY(stream, key_.get()) == 1);
  return Drain(stream);
}

std::string Signer::PrivatePem() const {
  BIO* stream = BIO_new(BIO_s_mem());
  Require(PEM_write_bio_PrivateKey(stream, key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return Drain(stream);
}

std::string Signer::CertificatePem() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 60);
  X509_set_pubkey(certificate.get(), key_.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, Bytes("issuer"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  const bool hashes = EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_ED25519;
  Require(X509_sign(certificate.get(), key_.get(), hashes ? EVP_sha256() : nullptr) > 0);
  BIO* stream = BIO_new(BIO_s_mem());
  Require(PEM_write_bio_X509(stream, certificate.get()) == 1);
  return Drain(stream);
}

bool OpenSslErrorsAreEmpty() { return ERR_peek_error() == 0; }

}  // namespace switchyard::tests
