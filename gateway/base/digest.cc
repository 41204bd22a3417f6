#include "base/digest.h"

#include <stdexcept>

#include <boost/algorithm/hex.hpp>
#include <openssl/evp.h>

namespace switchyard {

Sha256Digest Sha256Bytes(std::string_view text) {
  // Fetched once: the fetch that EVP_sha256() hides costs as much as the digest of a short text.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  Sha256Digest digest;
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, sha256, nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return digest;
}

std::string Sha256(std::string_view text) {
  const Sha256Digest digest = Sha256Bytes(text);
  return boost::algorithm::hex_lower(std::string(digest.begin(), digest.end()));
}

}  // namespace switchyard
