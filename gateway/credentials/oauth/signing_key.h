// A private key that the gateway signs with where it is a client (RFC 7523). Immutable; safe from
// any thread; copies share the key of OpenSSL. What is in it is never shown.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct evp_pkey_st;

namespace switchyard::credentials::oauth {

class SigningKey {
 public:
  // PKCS#8 or the older PEM forms without a password: RSA of 2048 bits and more, EC P-256, P-384,
  // or Ed25519. `key_id` goes into the header of what is signed; "" = none. `algorithm` chooses
  // among those the key is for: "" = RS256, ES256, ES384, EdDSA by its kind.
  static Result<SigningKey> Read(const std::string& pem, std::string key_id,
                                 std::string_view algorithm = {});

  // A compact JWS (RFC 7515 section 7.1) over JSON claims.
  std::string Sign(std::string_view claims) const;
  std::string_view algorithm() const { return algorithm_; }

 private:
  SigningKey(std::shared_ptr<evp_pkey_st> key, std::string key_id, std::string_view algorithm)
      : key_(std::move(key)), key_id_(std::move(key_id)), algorithm_(algorithm) {}

  std::shared_ptr<evp_pkey_st> key_;
  std::string key_id_;
  std::string_view algorithm_;  // a constant
};

}  // namespace switchyard::credentials::oauth
