// SHA-256 by OpenSSL. Pure; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchyard {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256Bytes(std::string_view text);
// 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view text);

}  // namespace switchyard
