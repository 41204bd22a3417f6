// How an issuer's metadata is found by its name, and what is taken from it: OpenID Connect
// Discovery 1.0 section 4 and RFC 8414 section 3. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace switchyard::auth {

inline constexpr std::size_t kMaxMetadata = std::size_t{256} << 10;

// Where it may be, in the order to try; empty: the name is not the URL of an issuer (http or https,
// neither query nor fragment).
std::vector<std::string> MetadataUrls(std::string_view issuer);

// The jwks_uri of a document that says that it is of this issuer, to the letter: a document for
// another name must not speak for this one (RFC 8414 section 3.3).
Result<std::string> KeysUrlIn(std::string_view document, std::string_view issuer);

}  // namespace switchyard::auth
