// Makes keys and signs tokens with them, as an issuer does, and as one does who means harm: header
// and payload are any text. By OpenSSL, with nothing of gateway/auth. A value.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace switchyard::tests {

class Signer {
 public:
  static Signer Rsa(unsigned bits = 2048);
  static Signer Ec(const std::string& curve);  // "P-256"
  static Signer Ed25519();
  static Signer Hmac(std::string secret);

  // "" = its kind of key cannot.
  std::string Sign(std::string_view algorithm, std::string_view text) const;
  std::string Token(std::string_view algorithm, std::string_view header,
                    std::string_view payload) const;
  // With `{"alg":ALGORITHM,"kid":"k"}`.
  std::string Token(std::string_view algorithm, std::string_view payload) const;

  // The public half, of a secret all of it, as a JWK; `more` are further members: `"use":"sig"`.
  std::string Jwk(std::string_view more = "") const;
  std::string Pem() const;
  std::string PrivatePem() const;
  std::string PrivateJwk() const;  // with `d`; of a secret the same as Jwk()
  // A certificate that it signs itself.
  std::string CertificatePem() const;

  // r and s of an ECDSA signature as DER, as it is outside of JOSE.
  std::string SignDer(std::string_view algorithm, std::string_view text) const;
  // With a salt of so many bytes, where PSS is to have as many as the hash.
  std::string SignPss(std::string_view algorithm, std::string_view text, int salt) const;

 private:
  explicit Signer(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  std::shared_ptr<evp_pkey_st> key_;  // null: a secret
  std::string secret_;
};

// Whether this thread's queue of OpenSSL's errors is empty.
bool OpenSslErrorsAreEmpty();

}  // namespace switchyard::tests
