// Tokens that cannot be guessed.
#pragma once

#include <string>

namespace switchyard {

// 128 random bits as 32 hexadecimal digits. Thread-safe.
std::string RandomToken();

}  // namespace switchyard
