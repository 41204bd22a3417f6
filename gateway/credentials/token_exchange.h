// A token for each caller, got at an authorization server for the one that the caller has shown
// (RFC 8693): for this server alone, and with what it may do. The caller's own goes to the token
// endpoint and nowhere else.
//
// What was got is kept until it ends, by the digest of the caller's token: two tokens of one caller
// may allow different things. It is exchanged anew a while before that, by one request however many
// calls wait for it. After a failure nobody asks for the same one for a while. Nothing of it
// outlives the process.
//
// Find() is thread-safe; all else happens on the home executor.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "config/credentials.h"
#include "core/lent_tokens.h"
#include "credentials/oauth/client.h"
#include "credentials/source.h"
#include "credentials/turn.h"
#include "fetch/fetch.h"

namespace switchyard::credentials {

// All of it outlives the source; used on `home` only, but for the clock and what is lent.
struct ExchangeDeps {
  Executor home;
  const Clock& clock;
  fetch::Fetcher& fetcher;
  LentTokens& lent;
  // Of each attempt to get a token: "fetched", "refreshed", "failed". Null = nobody counts.
  std::function<void(const std::string& server, std::string_view outcome)> count = nullptr;
};

class TokenExchange final : public Source, public std::enable_shared_from_this<TokenExchange> {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(30);  // of a flight
  static constexpr Duration kForget = std::chrono::hours(1);      // what was discovered
  static constexpr Duration kFresh = std::chrono::seconds(10);    // refused: no other is asked
  static constexpr std::chrono::minutes kUnsaid{5};  // the life of one that does not say how long
  static constexpr std::size_t kMost = 2048;         // kept; those not asked for longest go first

  // `own`: header lines of the gateway's own requests, "" = none. kInvalid: the private key cannot
  // be used.
  static Result<SourcePtr> Make(std::string server, const std::string& url,
                                const config::ServerCredentials& config, std::string own,
                                ExchangeDeps deps);

  bool personal() const override { return true; }
  std::string ViewOf(const Principal& caller) const override;
  Result<GrantPtr> Find(const Caller* caller) override;
  Task<Result<GrantPtr>> Obtain(Caller caller, Refusal refused, Deadline deadline) override;
  Executor home() const override { return deps_.home; }

  std::size_t kept() const;

 private:
  TokenExchange(std::string server, const std::string& url, const config::ServerCredentials& config,
                std::string own, oauth::Client client, ExchangeDeps deps);

  // What is known of one token of a caller.
  struct Entry {
    // Guarded by mutex_.
    GrantPtr grant = nullptr;
    TimePoint got_at = TimePoint::min();
    TimePoint not_before = TimePoint::min();
    Error last_error = {};
    bool refreshing = false;
    // Of the home's thread.
    Turn flight = {};
    Backoff backoff{
        Backoff::Config{.initial = std::chrono::seconds(1), .cap = std::chrono::minutes(1)}};
  };
  using EntryPtr = std::shared_ptr<Entry>;
  using Entries = std::list<std::pair<std::string, EntryPtr>>;  // the last one used in front

  static Task<void> Refresh(std::shared_ptr<TokenExchange> self, EntryPtr entry,
                            std::string credential);
  EntryPtr EntryOf(const std::string& credential);
  Task<Result<GrantPtr>> Fly(EntryPtr entry, std::string credential);
  Task<Result<oauth::Token>> Fetch(LentTokens::TokenPtr token, Deadline deadline);
  Task<Result<oauth::ServerMetadata>> Locate(Deadline deadline);
  std::optional<Result<GrantPtr>> AtHand(const Entry& entry) const;
  GrantPtr Keep(Entry& entry, const oauth::Token& token);
  std::unexpected<Error> Failed(Entry& entry, const Error& error);
  std::unexpected<Error> Refuse(std::string why, Code code = Code::kForbidden) const;

  const std::string server_;
  const config::ServerCredentials config_;
  const std::string resource_;  // "" = none is named
  const GrantPtr own_;
  const oauth::Client client_;
  const ExchangeDeps deps_;
  const std::shared_ptr<const void> wants_;

  mutable std::mutex mutex_;
  Entries entries_;                                              // guarded by mutex_
  std::unordered_map<std::string, Entries::iterator> by_token_;  // guarded by mutex_

  // Of the home's thread.
  std::optional<oauth::ServerMetadata> issuer_;
  TimePoint found_at_;
  Tries search_;
};

}  // namespace switchyard::credentials
