#include "credentials/configured_client.h"

#include <utility>

namespace switchyard::credentials {

Result<oauth::Client> ConfiguredClient(const config::ServerCredentials& config) {
  oauth::Client client{.id = config.client_id,
                       .secret = config.client_secret.Reveal(),
                       .auth_method = config.auth_method};
  if (config.private_key.empty()) return client;
  Result<oauth::SigningKey> key =
      oauth::SigningKey::Read(config.private_key.Reveal(), config.key_id, config.algorithm);
  if (!key) return Failure(std::move(key.error()));
  client.key = std::move(*key);
  return client;
}

}  // namespace switchyard::credentials
