// base64url without padding (RFC 4648 section 5, RFC 7515 section 2). Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard {

std::string EncodeBase64Url(std::string_view bytes);

// One text, one spelling: padding, whitespace, other characters and left-over bits that are not
// zero are refused.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace switchyard
