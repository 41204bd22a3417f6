// What the files here share of OpenSSL: owners of its objects, and its hashes, fetched once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "auth/key.h"

namespace switchyard::auth {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;

// OpenSSL keeps its errors in a queue of the thread, and TLS on the same thread would take them for
// its own.
struct ForgetErrors {
  ForgetErrors() = default;
  ForgetErrors(const ForgetErrors&) = delete;
  ForgetErrors& operator=(const ForgetErrors&) = delete;
  ~ForgetErrors() { ERR_clear_error(); }
};

inline const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Of a key that is not taken, and why.
inline std::unexpected<Error> Unusable(std::string why) {
  return Failure(Code::kInvalid, Origin::kGateway, std::move(why));
}

const EVP_MD* Sha2(unsigned bits);  // 256, 384, 512

// The material of a key that OpenSSL has read, wherever it came from. Checks that it is of a kind
// that signatures are checked with, that it is well-formed, and its size.
Result<Key::Material> MaterialOf(PublicKey key);

}  // namespace switchyard::auth
