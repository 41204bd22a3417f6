// Public keys and certificates as PEM (RFC 7468).
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/x509.h>

#include "auth/jwk.h"
#include "auth/openssl.h"
#include "auth/refusal.h"

namespace switchyard::auth {
namespace {

using Stream = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;

struct FreeBlock {
  void operator()(void* memory) const { OPENSSL_free(memory); }
};
template <class T>
using Block = std::unique_ptr<T, FreeBlock>;

// null: not one, or something stands behind it in the block.
PublicKey KeyIn(std::string_view label, const unsigned char* der, long size) {
  const unsigned char* at = der;
  EVP_PKEY* key = nullptr;
  if (label == PEM_STRING_PUBLIC) {
    key = d2i_PUBKEY(nullptr, &at, size);
  } else if (label == PEM_STRING_RSA_PUBLIC) {
    key = d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size);
  } else {
    const Certificate certificate(d2i_X509(nullptr, &at, size));
    if (certificate) key = X509_get_pubkey(certificate.get());
  }
  PublicKey owner(key, EVP_PKEY_free);
  return at == der + size ? owner : nullptr;
}

Result<Key> ReadBlock(std::string_view label, const unsigned char* der, long size,
                      const KeyRules& rules) {
  if (label.ends_with("PRIVATE KEY")) return Unusable("a private key: give the public one");
  if (label != PEM_STRING_PUBLIC && label != PEM_STRING_RSA_PUBLIC && label != PEM_STRING_X509) {
    return Unusable("neither a public key nor a certificate: " + Shown(label));
  }
  PublicKey key = KeyIn(label, der, size);
  if (!key) return Unusable("not a key that OpenSSL can read");
  Result<Key::Material> material = MaterialOf(std::move(key));
  if (!material) return Failure(std::move(material.error()));
  return Key::Make(std::move(*material), "", rules.algorithms);
}

}  // namespace

Result<KeysRead> ReadPem(std::string_view text, const KeyRules& rules) {
  if (text.size() > kMaxKeysText) {
    return Unusable("the keys have " + std::to_string(text.size()) + " bytes, at most " +
                    std::to_string(kMaxKeysText));
  }
  if (text.empty()) return Unusable("neither a JWK Set nor PEM");
  const ForgetErrors forget;
  const Stream stream(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!stream) return Unusable("out of memory");
  KeysRead read;
  for (std::size_t count = 1;; ++count) {
    char *label = nullptr, *header = nullptr;
    unsigned char* der = nullptr;
    long size = 0;
    if (PEM_read_bio(stream.get(), &label, &header, &der, &size) != 1) {
      // Its way to say that there is no further block.
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      return Unusable("key " + std::to_string(count) + ": broken PEM");
    }
    const Block<char> own_label(label), own_header(header);
    const Block<unsigned char> own_der(der);
    if (count > kMaxKeys) return Unusable("more than " + std::to_string(kMaxKeys) + " keys");
    Result<Key> key = ReadBlock(label, der, size, rules);
    if (key) {
      read.keys.push_back(std::move(*key));
    } else {
      read.skipped.push_back("key " + std::to_string(count) + ": " + key.error().message);
    }
  }
  if (!read.keys.empty()) return read;
  return Unusable(read.skipped.empty() ? "neither a JWK Set nor PEM"
                                       : "no usable key: " + read.skipped.front());
}

}  // namespace switchyard::auth
