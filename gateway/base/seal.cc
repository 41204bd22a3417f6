#include "base/seal.h"

#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/base64url.h"

namespace switchyard {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// Fetched once: a fetch costs more than the encryption of a token.
const EVP_CIPHER* Cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Bytes(std::string& text, std::size_t offset) {
  return reinterpret_cast<unsigned char*>(text.data()) + offset;
}

}  // namespace

Sealer::Key Sealer::RandomKey() {
  Key key;
  if (RAND_bytes(key.data(), key.size()) != 1) throw std::runtime_error("no randomness");
  return key;
}

std::string Sealer::Seal(std::string_view purpose, std::string_view text) const {
  std::string sealed(kNonceSize + text.size() + kTagSize, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool ok =
      RAND_bytes(Bytes(sealed, 0), kNonceSize) == 1 &&
      EVP_EncryptInit_ex2(context.get(), Cipher(), key_.data(), Bytes(sealed, 0), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(purpose),
                        static_cast<int>(purpose.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), Bytes(sealed, kNonceSize), &size, Bytes(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), Bytes(sealed, kNonceSize + text.size()), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                          Bytes(sealed, kNonceSize + text.size())) == 1;
  if (!ok) throw std::runtime_error("AES-256-GCM failed");
  return EncodeBase64Url(sealed);
}

std::optional<std::string> Sealer::Open(std::string_view purpose, std::string_view token) const {
  std::optional<std::string> sealed = DecodeBase64Url(token);
  if (!sealed || sealed->size() < kNonceSize + kTagSize) return std::nullopt;
  std::string text(sealed->size() - kNonceSize - kTagSize, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool ok =
      EVP_DecryptInit_ex2(context.get(), Cipher(), key_.data(), Bytes(*sealed, 0), nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(purpose),
                        static_cast<int>(purpose.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(text, 0), &size, Bytes(*sealed, kNonceSize),
                        static_cast<int>(text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagSize,
                          Bytes(*sealed, sealed->size() - kTagSize)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(text, text.size()), &size) == 1;
  if (!ok) return std::nullopt;
  return text;
}

}  // namespace switchyard
