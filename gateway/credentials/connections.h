// The accounts that users connected to one server (OAuth, authorization code flow): each caller's
// requests go out with the token of that caller's own account. Who has none is told where to
// connect one (Error::visit); so is who needs more scopes than were asked for, and whose connection
// is no longer good.
//
// The gateway's own requests (discovery, lists, listening) go out with the fixed header of the
// configuration, else with the account that who runs the gateway connected, else with nothing.
//
// A token is replaced before it ends by one request however many wait; after a failure none is made
// for a while. What is connected is in the vault, and read from there when it is first needed.
//
// A reload that changes a server makes another one of these, while calls still end by the old one.
// They take turns (Turns), which also say that another one connected or forgot something: then, and
// before and after a refresh token is spent, the vault is looked into. What is there goes before
// what is known here.
//
// Find() is thread-safe; all else happens on the home executor.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "config/credentials.h"
#include "core/account_versions.h"
#include "credentials/links.h"
#include "credentials/oauth/client.h"
#include "credentials/oauth/discovery.h"
#include "credentials/source.h"
#include "credentials/turn.h"
#include "credentials/vault.h"
#include "fetch/fetch.h"

namespace switchyard::credentials {

// What is kept of one connection.
struct Connected {
  oauth::Token token;
  std::vector<std::string> asked = {};  // scopes, which the user has seen
  std::string issuer = {}, resource = {};
  // As whom the gateway got it, where the configuration does not say: only that one can renew it.
  oauth::Client client = {};
};
// As text for the vault, but for the issuer, which is in the label. nullopt: it is no such text.
std::string ConnectedText(const Connected& connected);
std::optional<Connected> ReadConnectedText(std::string_view text);
// Of the vault's labels.
inline constexpr const char* kConnection = "connection";
std::string PrincipalText(const Whose& whose);
Whose ReadPrincipalText(std::string_view text);

// Of one caller's connection.
struct CallersTurn : Turn {
  std::atomic<unsigned> changes = 0;  // how often it was connected or forgotten; any thread reads
};

// What all sources of one server have together, however many those are. One thread.
class Turns {
 public:
  std::shared_ptr<CallersTurn> Of(const Whose& whose);

  // Issuers of what the vault has, by principal; nullopt: nobody has looked yet.
  std::optional<std::map<std::string, std::string>> issuers;

 private:
  std::map<Whose, std::weak_ptr<CallersTurn>> turns_;
  std::size_t sweep_at_ = 1024;
};

class Connections final : public Source, public std::enable_shared_from_this<Connections> {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(30);  // of a flight
  static constexpr Duration kForget = std::chrono::hours(1);      // what was discovered
  static constexpr Duration kDoubt = std::chrono::minutes(1);   // from one doubt of it to the next
  static constexpr Duration kFresh = std::chrono::seconds(10);  // refused: no other is asked
  static constexpr Duration kStepUp = std::chrono::minutes(5);  // after scopes were not enough
  static constexpr std::size_t kMostHeld = 10'000;              // in memory

  // All of it outlives this; used on `home` only, but for the clock.
  struct Deps {
    Executor home;
    const Clock& clock;
    fetch::Fetcher& fetcher;
    Vault& vault;
    Links& links;
    std::function<void(const std::string& server, std::string_view outcome)> count = nullptr;
    AccountVersions* accounts = nullptr;                       // null = nobody wants to know
    std::shared_ptr<Turns> turns = std::make_shared<Turns>();  // of all sources of this server
  };

  // `own`: header lines of the gateway's own requests, "" = none. kInvalid: the private key cannot
  // be used.
  static Result<std::shared_ptr<Connections>> Make(std::string server, std::string url,
                                                   const config::ServerCredentials& config,
                                                   std::string own, Deps deps);

  bool personal() const override { return true; }
  bool connects() const override { return true; }
  std::string ViewOf(const Principal& caller) const override;
  Result<GrantPtr> Find(const Caller* caller) override;
  Task<Result<GrantPtr>> Obtain(Caller caller, Refusal refused, Deadline deadline) override;
  Executor home() const override { return deps_.home; }

  // For the pages.
  const std::string& name() const { return server_; }
  const std::string& url() const { return url_; }
  const config::ServerCredentials& config() const { return config_; }
  // Where accounts are connected; what was found is kept for a while. An issuer that the
  // configuration names and the server does not is an Error.
  Task<Result<oauth::Discovered>> Locate(Deadline deadline);
  // As whom the gateway is known there: of the configuration, or as it was kept. nullopt: not yet.
  std::optional<oauth::Client> ClientAt(const std::string& issuer,
                                        const std::string& redirect_uri) const;
  // Of becoming known there.
  Tries& registering() { return registering_; }
  void KeepClient(const std::string& issuer, const std::string& redirect_uri,
                  const oauth::Client& client);
  // That one is not known there any more; what the configuration says of it stays.
  void ForgetClient(const std::string& issuer, const std::string& id);
  // Whether it is one for this server as it is configured now.
  bool Fits(const Connected& connected) const;
  void Keep(const Whose& whose, Connected connected);
  // False: there was nothing.
  bool Forget(const Whose& whose);
  // Where the account of the gateway's own requests is connected, for what its server wanted of
  // those; "" = browsers do not reach this gateway.
  std::string OwnLink();

 private:
  using Scopes = std::vector<std::string>;
  // One connection, or that there is none.
  struct Held {
    Held(Whose of, std::shared_ptr<CallersTurn> taking)
        : whose(std::move(of)), turn(std::move(taking)) {}
    bool any() const { return !connected.token.access.empty(); }

    const Whose whose;
    const std::shared_ptr<CallersTurn> turn;
    // Guarded by mutex_.
    GrantPtr grant = nullptr;
    bool refreshing = false;  // in the background
    unsigned seen = 0;        // of the turn's changes

    // Of the home's thread.
    Connected connected = {};
    unsigned version = 0;  // counts up when it is another one
    bool loaded = false, unsaved = false;
    std::optional<std::string> before = {};  // unsaved: what the vault has in its stead
    std::optional<TimePoint> got_at = {};
    TimePoint not_before = TimePoint::min();
    Backoff backoff{
        Backoff::Config{.initial = std::chrono::seconds(1), .cap = std::chrono::minutes(1)}};
    Error last_error = {};
  };
  using HeldPtr = std::shared_ptr<Held>;

  Connections(std::string server, std::string url, const config::ServerCredentials& config,
              oauth::Client client, std::string own, Deps deps);

  HeldPtr HeldOf(const Whose& whose);
  void MakeRoom();
  void Load(Held& held);
  bool Reread(Held& held);
  bool IsAsKept(const Held& held);
  std::map<std::string, std::string>& Issuers();
  Result<GrantPtr> Now(const HeldPtr& held);
  Result<GrantPtr> Judge(const HeldPtr& held, const Refusal& refused);
  Result<GrantPtr> Absent(const HeldPtr& held, const Refusal& refused);
  GrantPtr Good(const Held& held) const;
  Task<Result<GrantPtr>> Fly(HeldPtr held);
  Task<Result<oauth::Token>> Renew(HeldPtr held, Deadline deadline);
  Task<Result<oauth::ServerMetadata>> LocateOther(std::string issuer, Deadline deadline);
  static Task<void> Refresh(std::shared_ptr<Connections> self, HeldPtr held);
  Result<GrantPtr> Failed(const HeldPtr& held, Error error);
  void Publish(Held& held);
  void Save(Held& held);
  void Drop(Held& held);
  void EraseFrom(const Label& label);
  void Changed(Held& held);
  std::unexpected<Error> Over(Held& held);
  void Heard(const Refusal& refused);
  void Doubt();
  std::unexpected<Error> Ask(const Whose& whose, const Scopes& scopes);
  std::unexpected<Error> Refuse(Code code, std::string why) const;
  Label LabelOf(const Whose& whose, const std::string& issuer) const;
  void Count(std::string_view outcome) const {
    if (deps_.count) deps_.count(server_, outcome);
  }

  const std::string server_, url_;
  const config::ServerCredentials config_;
  const oauth::Client client_;  // of the configuration; no id = none
  const GrantPtr own_;
  const bool own_is_fixed_;
  const Deps deps_;

  std::mutex mutex_;
  std::map<Whose, HeldPtr> held_;  // guarded by mutex_

  // Of the home's thread.
  std::string metadata_;  // where a refusal said that the server's metadata is; "" = nowhere
  Scopes challenged_;     // what it wants for anything at all
  Scopes wanted_;         // of the gateway's own requests
  std::optional<oauth::Discovered> found_;
  TimePoint found_at_;
  std::map<std::string, oauth::ServerMetadata> others_;  // of found_->issuers, as they are needed
  bool doubted_ = false;  // found_ is looked at again, and goes on to be used if nobody answers
  std::optional<TimePoint> doubted_at_;
  Tries search_, registering_;
};

}  // namespace switchyard::credentials
