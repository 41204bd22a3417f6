#include "base/token.h"

#include <array>
#include <cstdint>

#include <boost/algorithm/hex.hpp>

#include "base/random.h"

namespace switchyard {

std::string RandomToken() {
  std::array<std::uint8_t, 16> bytes{};
  SecureRandom(bytes);
  return boost::algorithm::hex_lower(std::string(bytes.begin(), bytes.end()));
}

}  // namespace switchyard
