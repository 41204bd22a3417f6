// What a request shows of who sends it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/claims.h"
#include "base/digest.h"

namespace switchyard::auth {

// Of a client certificate that TLS has verified.
struct ClientCertificate {
  Sha256Digest fingerprint{};
  std::string common_name = {};                  // of its subject, "" = none
  std::vector<std::string> dns = {}, uris = {};  // subject alternative names
  WallTime expires = WallTime::max();
};

// Borrowed for as long as it is looked at.
struct Evidence {
  std::optional<std::string_view> authorization = {};  // the header's value
  const ClientCertificate* certificate = nullptr;
};

// `Bearer TOKEN`: the token, nullopt when the scheme is another one, an error when it is no such
// header (RFC 9110 section 11.4, RFC 6750 section 2.1). What it refers to is the value.
Verdict<std::optional<std::string_view>> BearerIn(std::string_view authorization);

}  // namespace switchyard::auth
