#include "credential_keeper.h"

#include <ranges>
#include <utility>

#include <spdlog/spdlog.h>

#include "audit/event.h"
#include "credentials/account.h"
#include "credentials/token_exchange.h"
#include "credentials/values.h"
#include "downstream/transports.h"
#include "telemetry/metrics.h"

namespace switchyard {

using config::ServerCredentials;
using credentials::SourcePtr;

CredentialKeeper::CredentialKeeper(Executor control, const Clock& clock,
                                   telemetry::Metrics& metrics, fetch::Fetcher* fetcher,
                                   audit::Sink* audit)
    : control_(control),
      clock_(clock),
      metrics_(metrics),
      fetcher_(fetcher),
      audit_(audit),
      links_(clock),
      login_(
          links_, clock, fetcher,
          [this](std::string_view outcome, unsigned by) {
            metrics_.CounterOf("switchyard_connect_logins_total", {std::string(outcome)}).Add(by);
          },
          [this](const credentials::Offer& offer, const std::string& subject) {
            constexpr std::size_t kLongest = 256;
            Note({.what = "another",
                  .by = "browser",
                  .server = offer.server,
                  .issuer = "",
                  .whose = offer.whose,
                  .proved = "login",
                  .why = "signed in as " + subject.substr(0, kLongest)});
          }),
      flow_(
          links_, clock, fetcher, [this](std::string_view server) { return ConnectionsOf(server); },
          [this](const credentials::Offer& offer) { return login_.Proven(offer); }) {}

Result<void> CredentialKeeper::Open(const config::Config& config) {
  for (const auto& [name, server] : config.servers) {
    if (!server.enabled || !server.credentials) continue;
    if (Result<SourcePtr> made = Make(server); !made) return Failure(std::move(made.error()));
  }
  if (config.credentials.keys.empty() || config.credentials.keys == keys_) return {};
  Result<KeyRing> keys = KeyRing::Read("credentials.keys", config.credentials.keys);
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
  if (config::IsConnected(server.credentials)) return MakeConnections(server);
  if (server.credentials->kind == ServerCredentials::Kind::kTokenExchange) {
    return credentials::TokenExchange::Make(server.name, server.url.Reveal(), *server.credentials,
                                            downstream::OwnLines(server),
                                            {.home = control_,
                                             .clock = clock_,
                                             .fetcher = *fetcher_,
                                             .lent = lent_,
                                             .count = Counter()});
  }
  return credentials::Account::Make(server.name, server.url.Reveal(), *server.credentials,
                                    {.home = control_,
                                     .clock = clock_,
                                     .fetcher = *fetcher_,
                                     .vault = vault_,
                                     .count = Counter()});
}

std::function<void(const std::string&, std::string_view)> CredentialKeeper::Counter() {
  return [this](const std::string& name, std::string_view outcome) {
    metrics_.CounterOf("switchyard_credentials_tokens_total", {name, std::string(outcome)}).Add();
  };
}

Result<SourcePtr> CredentialKeeper::MakeConnections(const config::Server& server) {
  Result<std::shared_ptr<credentials::Connections>> made = credentials::Connections::Make(
      server.name, server.url.Reveal(), *server.credentials, downstream::OwnLines(server),
      {.home = control_,
       .clock = clock_,
       .fetcher = *fetcher_,
       .vault = vault_,
       .links = links_,
       .count = Counter(),
       .accounts = &versions_,
       .turns = TurnsOf(server.name)});
  if (!made) return Failure(std::move(made.error()));
  return SourcePtr(std::move(*made));
}

std::shared_ptr<credentials::Connections> CredentialKeeper::ConnectionsOf(
    std::string_view server) const {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(server);
  if (found == connections_.end()) return nullptr;
  for (const auto& one : found->second | std::views::reverse) {
    if (auto source = one.lock()) return source;
  }
  return nullptr;
}

std::shared_ptr<credentials::Turns> CredentialKeeper::TurnsOf(const std::string& server) {
  const std::lock_guard lock(mutex_);
  std::erase_if(turns_, [](const auto& one) { return one.second.expired(); });
  std::shared_ptr<credentials::Turns> turns = turns_[server].lock();
  if (turns == nullptr) {
    turns = std::make_shared<credentials::Turns>();
    turns_[server] = turns;
  }
  return turns;
}

std::vector<CredentialKeeper::Connection> CredentialKeeper::Connections() const {
  std::vector<Connection> all;
  for (const credentials::Label& label : vault_.Labels(credentials::kConnection)) {
    all.push_back({.server = label.server,
                   .issuer = label.issuer,
                   .whose = credentials::ReadPrincipalText(label.principal)});
  }
  return all;
}

std::string CredentialKeeper::OfferOwn(const std::string& server) {
  const std::shared_ptr<credentials::Connections> source = ConnectionsOf(server);
  return source == nullptr ? "" : source->OwnLink();
}

void CredentialKeeper::Note(Change change) const {
  if (audit_ == nullptr || !audit_->on()) return;
  audit_->Note({.kind = audit::Event::Kind::kAccount,
                .time = clock_.WallNow(),
                .issuer = change.whose.issuer,
                .subject = change.whose.subject,
                .server = std::move(change.server),
                .item_key = "authorization_server",
                .item = std::move(change.issuer),
                .credential = change.proved,
                .decision = change.what,
                .approver = std::string(change.by),
                .reason = std::move(change.why)});
}

void CredentialKeeper::Connected(const credentials::ConnectFlow::Shown& account) const {
  Note({.what = "connected",
        .by = "browser",
        .server = account.server,
        .issuer = account.issuer,
        .whose = account.whose,
        .proved = account.proven ? "login" : "none"});
}

bool CredentialKeeper::Forget(const std::string& server, const credentials::Whose& whose) {
  Sources sources;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = connections_.find(server); found != connections_.end()) {
      sources = found->second;
    }
  }
  bool any = false;
  std::string issuer;
  for (const Connection& one : Connections()) {
    if (one.server == server && one.whose == whose) issuer = one.issuer;
  }
  for (const auto& one : sources) {
    const std::shared_ptr<credentials::Connections> source = one.lock();
    if (source != nullptr && source->Forget(whose)) any = true;
  }
  const std::string principal = credentials::PrincipalText(whose);
  for (const credentials::Label& label : vault_.Labels(credentials::kConnection)) {
    if (label.server != server || label.principal != principal) continue;
    any = true;
    if (Result<void> gone = vault_.Erase(label); !gone) {
      spdlog::error("server {}: a connection could not be deleted: {}", server,
                    gone.error().message);
    }
  }
  if (any) {
    Note({.what = "forgotten",
          .by = "operator",
          .server = server,
          .issuer = std::move(issuer),
          .whose = whose});
  }
  return any;
}

// From now on it is the latest, also where a reload has gone back to it.
void CredentialKeeper::UseFrom(const std::string& server, const SourcePtr& source) {
  const std::lock_guard lock(mutex_);
  Sources& sources = connections_[server];
  std::erase_if(sources, [&source](const auto& one) {
    const auto other = one.lock();
    return other == nullptr || other == source;
  });
  sources.push_back(std::static_pointer_cast<credentials::Connections>(source));
}

SourcePtr CredentialKeeper::SourceFor(const config::Server& server) {
  if (!server.credentials) return nullptr;
  std::erase_if(accounts_, [](const Kept& one) { return one.source.expired(); });
  // The others have nothing that a second one would spend.
  const bool connects = config::IsConnected(server.credentials);
  const bool account = connects ||
                       server.credentials->kind == ServerCredentials::Kind::kClientCredentials ||
                       server.credentials->kind == ServerCredentials::Kind::kRefreshToken;
  const std::string own = connects ? downstream::OwnLines(server) : "";
  for (const Kept& one : accounts_) {
    if (!account || one.server != server.name || one.url != server.url.Reveal()) continue;
    if (one.own != own || one.credentials != *server.credentials) continue;
    SourcePtr source = one.source.lock();
    if (source == nullptr) continue;
    if (connects) UseFrom(server.name, source);
    return source;
  }
  Result<SourcePtr> made = Make(server);
  if (made && account) {
    accounts_.push_back({.server = server.name,
                         .url = server.url.Reveal(),
                         .own = own,
                         .credentials = *server.credentials,
                         .source = *made});
  }
  if (made && connects) UseFrom(server.name, *made);
  if (made) return std::move(*made);
  // Open() has refused such a configuration before.
  spdlog::error("server {}: {}", server.name, made.error().message);
  // Refuses every caller.
  return std::make_shared<credentials::Values>(server.name, ServerCredentials(), "", control_);
}

}  // namespace switchyard
