#include "credential_keeper.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "credentials/account.h"
#include "credentials/token_exchange.h"
#include "credentials/values.h"
#include "downstream/transports.h"
#include "telemetry/metrics.h"

namespace switchyard {

using config::ServerCredentials;
using credentials::SourcePtr;

CredentialKeeper::CredentialKeeper(Executor control, const Clock& clock,
                                   telemetry::Metrics& metrics, fetch::Fetcher* fetcher)
    : control_(control), clock_(clock), metrics_(metrics), fetcher_(fetcher) {}

Result<void> CredentialKeeper::Open(const config::Config& config) {
  for (const auto& [name, server] : config.servers) {
    if (!server.enabled || !server.credentials) continue;
    if (Result<SourcePtr> made = Make(server); !made) return Failure(std::move(made.error()));
  }
  if (config.credentials.keys.empty() || config.credentials.keys == keys_) return {};
  Result<credentials::VaultKeys> keys = credentials::VaultKeys::Read(config.credentials.keys);
  if (!keys) return Failure(std::move(keys.error()));
  if (!directory_.empty()) {
    if (directory_ != config.credentials.dir) {
      spdlog::warn("reload: where tokens are kept changes only with a restart");
    }
    if (Result<void> used = vault_.Use(std::move(*keys)); !used) return used;
  } else {
    Result<credentials::Vault> vault =
        credentials::Vault::Open(config.credentials.dir, std::move(*keys));
    if (!vault) return Failure(std::move(vault.error()));
    vault_ = std::move(*vault);
    directory_ = config.credentials.dir;
  }
  keys_ = config.credentials.keys;
  return {};
}

Result<SourcePtr> CredentialKeeper::Make(const config::Server& server) {
  if (server.credentials->kind == ServerCredentials::Kind::kPerUser) {
    return std::make_shared<credentials::Values>(server.name, *server.credentials,
                                                 downstream::OwnLines(server), control_);
  }
  if (fetcher_ == nullptr) {
    return Failure(Code::kInvalid, Origin::kGateway,
                   "servers." + server.name + ".credentials: nothing can be fetched here");
  }
  const auto count = [this](const std::string& name, std::string_view outcome) {
    metrics_.CounterOf("switchyard_credentials_tokens_total", {name, std::string(outcome)}).Add();
  };
  if (server.credentials->kind == ServerCredentials::Kind::kTokenExchange) {
    return credentials::TokenExchange::Make(
        server.name, server.url.Reveal(), *server.credentials, downstream::OwnLines(server),
        {.home = control_, .clock = clock_, .fetcher = *fetcher_, .lent = lent_, .count = count});
  }
  return credentials::Account::Make(
      server.name, server.url.Reveal(), *server.credentials,
      {.home = control_, .clock = clock_, .fetcher = *fetcher_, .vault = vault_, .count = count});
}

SourcePtr CredentialKeeper::SourceFor(const config::Server& server) {
  if (!server.credentials) return nullptr;
  std::erase_if(accounts_, [](const Kept& one) { return one.source.expired(); });
  // The others have nothing that a second one would spend.
  const bool account = server.credentials->kind == ServerCredentials::Kind::kClientCredentials ||
                       server.credentials->kind == ServerCredentials::Kind::kRefreshToken;
  for (const Kept& one : accounts_) {
    if (!account || one.server != server.name || one.url != server.url.Reveal()) continue;
    if (one.credentials != *server.credentials) continue;
    if (SourcePtr source = one.source.lock()) return source;
  }
  Result<SourcePtr> made = Make(server);
  if (made && account) {
    accounts_.push_back({.server = server.name,
                         .url = server.url.Reveal(),
                         .credentials = *server.credentials,
                         .source = *made});
  }
  if (made) return std::move(*made);
  // Open() has refused such a configuration before.
  spdlog::error("server {}: {}", server.name, made.error().message);
  // Refuses every caller.
  return std::make_shared<credentials::Values>(server.name, ServerCredentials(), "", control_);
}

}  // namespace switchyard
