// What servers are shown, of the whole gateway: the vault, and a source for each server that has
// `credentials`. A source lives as long as the Homes that it was made for: a server whose account
// is the same after a reload goes on with it.
//
// Open() and SourceFor() belong to who starts and reloads the gateway; the vault, and all that is
// about connections, is used on the control thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "config/config.h"
#include "core/account_versions.h"
#include "core/lent_tokens.h"
#include "credentials/connect_flow.h"
#include "credentials/connections.h"
#include "credentials/links.h"
#include "credentials/login_flow.h"
#include "credentials/source.h"
#include "credentials/vault.h"
#include "fetch/fetch.h"

namespace switchyard {

namespace audit {
class Sink;
}
namespace telemetry {
class Metrics;
}

class CredentialKeeper {
 public:
  // All of it outlives the sources. `fetcher` null: there is no OAuth. `audit` null: accounts that
  // are connected and forgotten leave no record.
  CredentialKeeper(Executor control, const Clock& clock, telemetry::Metrics& metrics,
                   fetch::Fetcher* fetcher, audit::Sink* audit = nullptr);

  // On the control thread, or before it runs. An Error: the keys do not fit the vault, a private
  // key cannot be used; then all stays as it was.
  Result<void> Open(const config::Config& config);

  // Where requests leave the tokens of their callers while they are served.
  LentTokens& lent() { return lent_; }
  // Which of a caller's accounts it is known by where.
  const AccountVersions& accounts() const { return versions_; }

  // Null: the server is shown nothing of the kind. After an Open() with it.
  credentials::SourcePtr SourceFor(const config::Server& server);

  // Where people connect accounts.
  credentials::Links& links() { return links_; }
  credentials::ConnectFlow& flow() { return flow_; }
  credentials::LoginFlow& login() { return login_; }
  struct Connection {
    std::string server, issuer;
    credentials::Whose whose;
  };
  std::vector<Connection> Connections() const;
  // A link for the account that the gateway's own requests go by; "" = there is no such server.
  std::string OfferOwn(const std::string& server);
  // Leaves a record of an account that was connected.
  void Connected(const credentials::ConnectFlow::Shown& account) const;
  // Also of a server that is configured no more. False: there was none.
  bool Forget(const std::string& server, const credentials::Whose& whose);

 private:
  // One that a server has across a reload: two would spend one refresh token. `own`: what goes out
  // with the gateway's own requests, where the source knows that.
  struct Kept {
    std::string server, url, own;
    config::ServerCredentials credentials;
    std::weak_ptr<credentials::Source> source;
  };
  struct Change {
    std::string_view what, by;
    std::string server, issuer;
    const credentials::Whose& whose;
    std::string_view proved =
        {};  // of who was at the browser: that they are the caller, or nothing
    std::string why = {};
  };
  void Note(Change change) const;
  Result<credentials::SourcePtr> Make(const config::Server& server);
  Result<credentials::SourcePtr> MakeConnections(const config::Server& server);
  std::shared_ptr<credentials::Connections> ConnectionsOf(std::string_view server) const;
  void UseFrom(const std::string& server, const credentials::SourcePtr& source);
  std::shared_ptr<credentials::Turns> TurnsOf(const std::string& server);
  std::function<void(const std::string&, std::string_view)> Counter();

  const Executor control_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  fetch::Fetcher* const fetcher_;
  audit::Sink* const audit_;
  LentTokens lent_;
  AccountVersions versions_;
  std::string directory_;             // of the vault; empty = in memory
  std::vector<config::Secret> keys_;  // as it is open
  std::vector<Kept> accounts_;
  credentials::Vault vault_ = credentials::Vault::InMemory();
  credentials::Links links_;
  credentials::LoginFlow login_;
  credentials::ConnectFlow flow_;
  mutable std::mutex mutex_;
  // Guarded by mutex_. By server, the latest last: those before it end with the calls that they
  // still have.
  using Sources = std::vector<std::weak_ptr<credentials::Connections>>;
  std::map<std::string, Sources, std::less<>> connections_;
  std::map<std::string, std::weak_ptr<credentials::Turns>> turns_;  // guarded by mutex_
};

}  // namespace switchyard
