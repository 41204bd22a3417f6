// What a configuration names outside of itself and the gateway needs before it takes it: read
// without changing anything, so that a start or a reload takes all of it or nothing.
#pragma once

#include <cstdint>
#include <memory>

#include "auth/authenticator.h"
#include "base/result.h"
#include "config/config.h"
#include "credentials/login.h"
#include "edge/tls.h"
#include "fetch/http_fetcher.h"

namespace switchyard {

struct Outside {
  std::shared_ptr<const edge::TlsServer> tls = nullptr;  // of the listener; null = none
  auth::Authenticators authenticators = {};
  std::shared_ptr<const credentials::Logins> logins = nullptr;  // of who connects accounts
  std::shared_ptr<const fetch::Terms> fetch = nullptr;
};

// Certificates, keys, and that what is pinned can be read. `port`: that was bound. `provider`: of
// issuers' keys, also of those that are fetched, later.
Result<Outside> ReadOutside(const config::Config& config, std::uint16_t port,
                            const auth::ProviderOf& provider);

}  // namespace switchyard
