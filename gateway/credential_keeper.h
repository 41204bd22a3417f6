// What servers are shown, of the whole gateway: the vault, and a source for each server that has
// `credentials`. A source lives as long as the Homes that it was made for: a server whose account
// is the same after a reload goes on with it.
//
// Open() and SourceFor() belong to who starts and reloads the gateway; the vault is used on the
// control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "config/config.h"
#include "core/lent_tokens.h"
#include "credentials/source.h"
#include "credentials/vault.h"
#include "fetch/fetch.h"

namespace switchyard {

namespace telemetry {
class Metrics;
}

class CredentialKeeper {
 public:
  // All of it outlives the sources. `fetcher` null: there is no OAuth.
  CredentialKeeper(Executor control, const Clock& clock, telemetry::Metrics& metrics,
                   fetch::Fetcher* fetcher);

  // On the control thread, or before it runs. An Error: the keys do not fit the vault, a private
  // key cannot be used; then all stays as it was.
  Result<void> Open(const config::Config& config);

  // Where requests leave the tokens of their callers while they are served.
  LentTokens& lent() { return lent_; }

  // Null: the server is shown nothing of the kind. After an Open() with it.
  credentials::SourcePtr SourceFor(const config::Server& server);

 private:
  // One that a server has across a reload: two would spend one refresh token.
  struct Kept {
    std::string server, url;
    config::ServerCredentials credentials;
    std::weak_ptr<credentials::Source> source;
  };
  Result<credentials::SourcePtr> Make(const config::Server& server);

  const Executor control_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  fetch::Fetcher* const fetcher_;
  LentTokens lent_;
  std::string directory_;             // of the vault; empty = in memory
  std::vector<config::Secret> keys_;  // as it is open
  std::vector<Kept> accounts_;
  credentials::Vault vault_ = credentials::Vault::InMemory();
};

}  // namespace switchyard
