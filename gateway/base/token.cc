#include "base/token.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace switchyard {

std::string RandomToken() {
  std::array<std::uint8_t, 16> bytes{};
  SecureRandom(bytes);
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string token;
  token.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    token.push_back(kDigits[byte >> 4]);
    token.push_back(kDigits[byte & 15]);
  }
  return token;
}

}  // namespace switchyard
