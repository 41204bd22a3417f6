#include "outside.h"

#include <optional>
#include <string>
#include <utility>

#include "config/open.h"
#include "pin_keeper.h"
#include "server_config.h"

namespace switchyard {

Result<Outside> ReadOutside(const config::Config& config, std::uint16_t port,
                            const auth::ProviderOf& provider) {
  Outside outside;
  if (std::optional<std::string> open = config::OpenProblem(config)) {
    return Failure(Code::kInvalid, Origin::kGateway, std::move(*open));
  }
  if (Result<void> pins = PinKeeper::Inspect(config); !pins) {
    return Failure(std::move(pins.error()).In("pins"));
  }
  if (config.listen.tls) {
    Result<std::shared_ptr<const edge::TlsServer>> tls = edge::TlsServer::Make(*config.listen.tls);
    if (!tls) return Failure(std::move(tls.error()));
    outside.tls = std::move(*tls);
  }
  Result<std::shared_ptr<const fetch::Terms>> terms = fetch::Terms::Make(config.fetch);
  if (!terms) return Failure(std::move(terms.error()));
  outside.fetch = std::move(*terms);
  Result<auth::Authenticators> authenticators = AuthenticatorsOf(config, port, provider);
  if (!authenticators) return Failure(std::move(authenticators.error()));
  outside.authenticators = std::move(*authenticators);
  Result<credentials::Logins> logins = credentials::LoginsOf(config, provider);
  if (!logins) return Failure(std::move(logins.error()));
  outside.logins = std::make_shared<const credentials::Logins>(std::move(*logins));
  return outside;
}

}  // namespace switchyard
