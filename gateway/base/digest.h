// SHA-256 by OpenSSL. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace switchyard {

// 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view text);

}  // namespace switchyard
