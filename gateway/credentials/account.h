// The gateway's own account at a server, by OAuth: one token for all callers. Got by client
// credentials (RFC 6749 section 4.4), or by a refresh token that somebody put into the
// configuration, whose successors are kept in the vault.
//
// The token is replaced before it expires, by one request however many wait for it. After a failure
// none is made for a while; a token that is still good is used on. What a server asks for with 403
// (insufficient_scope) is asked for once, on top of what was granted; where that fails, all stays
// as it was and is not tried again for a while. A refresh token can get no more than it was
// granted.
//
// Find() is thread-safe; all else happens on the home executor.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "config/credentials.h"
#include "credentials/oauth/client.h"
#include "credentials/oauth/discovery.h"
#include "credentials/source.h"
#include "credentials/vault.h"
#include "fetch/fetch.h"

namespace switchyard::credentials {

// What accounts share. All of it outlives them; used on `home` only, but for the clock.
struct AccountDeps {
  Executor home;
  const Clock& clock;
  fetch::Fetcher& fetcher;
  Vault& vault;
  // Of each attempt to get a token: "fetched", "refreshed", "failed"; of connections also
  // "connected", "ended". Null = nobody counts.
  std::function<void(const std::string& server, std::string_view outcome)> count = nullptr;
};

class Account final : public Source, public std::enable_shared_from_this<Account> {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(30);  // of a flight
  static constexpr Duration kForget = std::chrono::hours(1);      // what was discovered
  static constexpr Duration kFresh = std::chrono::seconds(10);    // refused: no other is asked
  static constexpr Duration kNew = std::chrono::seconds(1);       // none is fetched after it
  static constexpr Duration kStepUp = std::chrono::minutes(5);    // after more scopes were refused

  // kInvalid: the private key cannot be used.
  static Result<SourcePtr> Make(std::string server, std::string url,
                                const config::ServerCredentials& config, AccountDeps deps);
  ~Account() override;

  bool personal() const override { return false; }
  Result<GrantPtr> Find(const Caller* caller) override;
  Task<Result<GrantPtr>> Obtain(Caller caller, Refusal refused, Deadline deadline) override;
  Executor home() const override { return deps_.home; }

 private:
  Account(std::string server, std::string url, const config::ServerCredentials& config,
          oauth::Client client, AccountDeps deps);

  using Scopes = std::vector<std::string>;
  class Flight;
  // One attempt, whoever asked for it. Never two at a time.
  Task<Result<GrantPtr>> Fly(Scopes wanted);
  Task<Result<oauth::Token>> Fetch(Scopes wanted, Deadline deadline);
  Task<Result<void>> Locate(Deadline deadline);
  Task<void> Knock(Deadline deadline);
  static Task<void> Refresh(std::shared_ptr<Account> self);
  std::unexpected<Error> Failed(Error error, bool more);
  std::unexpected<Error> Refuse(std::string why) const;
  GrantPtr Current();
  // The scopes with which another token could do what the refused one did not. An Error: with none.
  // Notes where a 401 points.
  Result<Scopes> Wanted(const Refusal& refused);
  GrantPtr Good(const Refusal& refused, const Scopes& wanted);
  GrantPtr Keep(const oauth::Token& token, Scopes wanted);
  std::optional<oauth::Token> Kept() const;
  void Save();
  Label LabelOf() const;

  const std::string server_, url_;
  const config::ServerCredentials config_;
  const oauth::Client client_;
  const AccountDeps deps_;

  std::mutex mutex_;
  GrantPtr grant_;           // guarded by mutex_
  bool refreshing_ = false;  // guarded by mutex_: in the background

  // Of the home's thread.
  Scopes scopes_;         // to ask for: of the configuration, and what more was granted
  std::string metadata_;  // where a refusal said that the server's metadata is; "" = nowhere
  std::optional<oauth::Discovered> found_;
  TimePoint found_at_;
  std::optional<TimePoint> got_at_;  // the grant
  bool flying_ = false;
  std::vector<std::shared_ptr<Mailbox<bool>>> waiting_;
  Backoff backoff_{
      Backoff::Config{.initial = std::chrono::seconds(1), .cap = std::chrono::minutes(1)}};
  TimePoint not_before_ = TimePoint::min();
  TimePoint no_more_before_ = TimePoint::min();  // scopes
  std::optional<oauth::Token> unsaved_;          // could not be written to the vault
  Error last_error_;
};

}  // namespace switchyard::credentials
