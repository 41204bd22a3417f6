#include "base/digest.h"

#include <array>
#include <stdexcept>

#include <boost/algorithm/hex.hpp>
#include <openssl/evp.h>

namespace switchyard {

std::string Sha256(std::string_view text) {
  std::array<unsigned char, 32> digest;
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return boost::algorithm::hex_lower(std::string(digest.begin(), digest.end()));
}

}  // namespace switchyard
