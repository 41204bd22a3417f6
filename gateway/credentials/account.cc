#include "credentials/account.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "base/digest.h"
#include "base/random.h"
#include "credentials/configured_client.h"
#include "credentials/oauth/challenge.h"
#include "credentials/oauth/exchange.h"

namespace switchyard::credentials {
namespace {

using Kind = config::ServerCredentials::Kind;

constexpr std::size_t kMostRefusal = 64 * 1024;  // of a server that was asked without a token

// Which refresh token of the configuration a kept one comes from: a new one there takes its place.
std::string SeedLine(const config::Secret& seed) {
  return Sha256("switchyard refresh token\n" + seed.Reveal()) + "\n";
}

}  // namespace

// One at a time; who came meanwhile looks again when it is over, however it ends.
class Account::Flight {
 public:
  explicit Flight(Account& account) : account_(account) { account_.flying_ = true; }
  Flight(const Flight&) = delete;
  ~Flight() {
    account_.flying_ = false;
    for (const auto& box : std::exchange(account_.waiting_, {})) box->Put(true);
  }

 private:
  Account& account_;
};

Result<SourcePtr> Account::Make(std::string server, std::string url,
                                const config::ServerCredentials& config, AccountDeps deps) {
  Result<oauth::Client> client = ConfiguredClient(config);
  if (!client) return Failure(std::move(client.error()).In("servers." + server + ".credentials"));
  return SourcePtr(
      new Account(std::move(server), std::move(url), config, std::move(*client), std::move(deps)));
}

Account::Account(std::string server, std::string url, const config::ServerCredentials& config,
                 oauth::Client client, AccountDeps deps)
    : server_(std::move(server)),
      url_(std::move(url)),
      config_(config),
      client_(std::move(client)),
      deps_(std::move(deps)),
      scopes_(config.scopes) {}

Account::~Account() = default;

Result<GrantPtr> Account::Find(const Caller*) {
  const std::lock_guard lock(mutex_);
  const WallTime now = deps_.clock.WallNow();
  if (grant_ == nullptr || now >= grant_->expires) return GrantPtr();
  if (now >= grant_->refresh_at && !std::exchange(refreshing_, true)) {
    net::post(deps_.home, [weak = weak_from_this(), home = deps_.home] {
      if (auto self = weak.lock()) Spawn(home, "refresh token", Refresh(std::move(self)));
    });
  }
  return grant_;
}

Task<void> Account::Refresh(std::shared_ptr<Account> self) {
  if (!self->flying_) {
    Result<GrantPtr> ignored = co_await self->Fly(self->scopes_);  // Fly() has said what went wrong
    static_cast<void>(ignored);
  }
  const std::lock_guard lock(self->mutex_);
  self->refreshing_ = false;
}

std::unexpected<Error> Account::Refuse(std::string why) const {
  return Failure(Error{.code = Code::kUnavailable,
                       .origin = Origin::kServer,
                       .message = "server " + server_ + ": " + std::move(why),
                       .for_agent = true});
}

GrantPtr Account::Current() {
  const std::lock_guard lock(mutex_);
  return grant_;
}

// What a 403 was for may be good for all else: only a 401 says that it is over.
GrantPtr Account::Good(const Refusal& refused, const Scopes& wanted) {
  const std::lock_guard lock(mutex_);
  if (refused.status == 401 && grant_ == refused.grant) grant_ = nullptr;
  // Who waited for one that hardly lives gets it all the same: the server says if it is over.
  const bool new_one = got_at_ && deps_.clock.Now() - *got_at_ < kNew;
  if (refused.grant == nullptr && new_one && grant_ != nullptr) return grant_;
  if (grant_ == nullptr || deps_.clock.WallNow() >= grant_->expires) return nullptr;
  return oauth::HasScopes(grant_->scopes, wanted) ? grant_ : nullptr;
}

Result<Account::Scopes> Account::Wanted(const Refusal& refused) {
  if (refused.grant == nullptr) return scopes_;
  const oauth::Challenge challenge = oauth::ReadChallenge(refused.challenge);
  const GrantPtr current = Current();
  const bool replaced = current != refused.grant;  // somebody was here before
  const bool more = !oauth::HasScopes(refused.grant->scopes, challenge.scopes);
  Scopes wider = oauth::UnionOf(scopes_, challenge.scopes);
  // RFC 6749 section 6: no scope that was not granted with it.
  const bool fixed = config_.kind == Kind::kRefreshToken;
  const bool waits = deps_.clock.Now() < no_more_before_;
  if (refused.status == 403) {
    if (challenge.error != "insufficient_scope" || !more) {
      if (replaced) return scopes_;
      return Refuse("forbids this to the gateway's account (403)");
    }
    if (current != nullptr && replaced && oauth::HasScopes(current->scopes, wider)) return wider;
    if (fixed) return Refuse("wants scopes that the refresh token was not granted (403)");
    if (waits) return Refuse("wants scopes that the gateway's account was not granted (403)");
    return wider;
  }
  if (replaced) return scopes_;
  // The first token is fetched before anybody knows what the server says with a 401.
  const bool first = metadata_.empty() && !challenge.resource_metadata.empty();
  if (!challenge.resource_metadata.empty() && challenge.resource_metadata != metadata_) {
    metadata_ = challenge.resource_metadata;
    found_.reset();
  }
  // A server that takes no token at all would have one fetched for every call.
  const bool widens = more && config_.scopes.empty() && !fixed && !waits;
  if (!widens && !first && got_at_ && deps_.clock.Now() - *got_at_ < kFresh) {
    return Refuse("refuses a token that was fetched a moment ago (401)");
  }
  return widens ? wider : scopes_;
}

Task<Result<GrantPtr>> Account::Obtain(Caller, Refusal refused, Deadline) {
  const std::shared_ptr<Account> keep = shared_from_this();
  while (flying_) {
    const auto box = std::make_shared<Mailbox<bool>>();
    waiting_.push_back(box);
    co_await box->Take();
  }
  Result<Scopes> wanted = Wanted(refused);
  if (!wanted) co_return Failure(std::move(wanted.error()));
  if (GrantPtr good = Good(refused, *wanted)) co_return good;
  Result<GrantPtr> got = co_await Fly(std::move(*wanted));
  co_return got;
}

Task<Result<GrantPtr>> Account::Fly(Scopes wanted) {
  if (deps_.clock.Now() < not_before_) co_return Failure(last_error_);
  const Flight flight(*this);
  const bool more = !oauth::HasScopes(scopes_, wanted);
  Result<oauth::Token> token = co_await Fetch(wanted, Deadline::In(deps_.clock, kTimeout));
  if (!token) co_return Failed(std::move(token.error()), more);
  co_return Keep(*token, std::move(wanted));
}

// That there is no token with more scopes says nothing of those without.
std::unexpected<Error> Account::Failed(Error error, bool more) {
  if (deps_.count) deps_.count(server_, "failed");
  spdlog::warn("server {}: no token {}: {}", server_, more ? "with more scopes" : "for it",
               error.message);
  // What an authorization server says is no answer of the server; clients learn where to look.
  Error shown{.code = Code::kUnavailable,
              .origin = Origin::kServer,
              .message = "server " + server_ + ": no token for it could be had",
              .detail = error.message + (error.detail.empty() ? "" : ": " + error.detail)};
  if (more) {
    no_more_before_ = deps_.clock.Now() + kStepUp;
    return Failure(std::move(shown));
  }
  found_.reset();
  not_before_ = deps_.clock.Now() + backoff_.Next(ThreadRandom().NextUnit());
  last_error_ = std::move(shown);
  return Failure(last_error_);
}

// Who asks without a token is told with 401 where the server's metadata is (RFC 9728 section 5.1).
// What comes of it otherwise does not matter: there are places to look at besides.
Task<void> Account::Knock(Deadline deadline) {
  fetch::Request request{
      .method = "POST",
      .url = url_,
      .headers = {{.name = "Content-Type", .value = "application/json"},
                  {.name = "Accept", .value = "application/json, text/event-stream"}},
      .body = R"({"jsonrpc":"2.0","id":0,"method":"ping"})",
      .max_bytes = kMostRefusal};
  const Result<fetch::Response> answer = co_await deps_.fetcher.Fetch(std::move(request), deadline);
  if (!answer || answer->status != 401) co_return;
  metadata_ = oauth::ReadChallenge(answer->Find("WWW-Authenticate")).resource_metadata;
}

Task<Result<void>> Account::Locate(Deadline deadline) {
  if (found_ && deps_.clock.Now() - found_at_ < kForget) co_return Result<void>();
  if (config_.discover_issuer && metadata_.empty()) co_await Knock(deadline);
  Result<oauth::Discovered> found = co_await oauth::Discover(
      deps_.fetcher, {.server_url = url_, .resource_metadata = metadata_, .issuer = config_.issuer},
      deadline);
  if (!found) co_return Failure(std::move(found.error()));
  found_ = std::move(*found);
  found_at_ = deps_.clock.Now();
  co_return Result<void>();
}

Task<Result<oauth::Token>> Account::Fetch(Scopes wanted, Deadline deadline) {
  if (Result<void> located = co_await Locate(deadline); !located) {
    co_return Failure(std::move(located.error()));
  }
  const std::string resource = config_.resource.empty() ? found_->resource : config_.resource;
  oauth::Fields grant = oauth::ClientCredentialsGrant(wanted, resource);
  if (config_.kind == Kind::kRefreshToken) {
    Save();
    const std::optional<oauth::Token> kept = Kept();
    const oauth::Token seed{.access = {}, .refresh = config_.refresh_token.Reveal()};
    grant = oauth::RefreshGrant(kept ? *kept : seed, resource);
    // Without `scope` it keeps what it was granted (RFC 6749 section 6).
    if (!wanted.empty()) grant.emplace_back("scope", oauth::JoinScopes(wanted));
  }
  Result<oauth::Token> token = co_await oauth::AskForToken(
      deps_.fetcher, deps_.clock, client_, found_->server, std::move(grant), wanted, deadline);
  // A server that gave no new one goes on with the old one (RFC 6749 section 6).
  if (token && config_.kind == Kind::kRefreshToken && !token->refresh.empty()) {
    unsaved_ = *token;
    Save();
  }
  co_return token;
}

GrantPtr Account::Keep(const oauth::Token& token, Scopes wanted) {
  const WallTime now = deps_.clock.WallNow();
  const WallTime expires = token.expires.value_or(WallTime::max());
  auto grant = std::make_shared<const Grant>(
      Grant{.lines = "Authorization: Bearer " + token.access + "\r\n",
            .refresh_at = token.expires ? oauth::RefreshAt(now, expires) : WallTime::max(),
            .expires = expires,
            .scopes = wanted});
  scopes_ = std::move(wanted);
  const std::lock_guard lock(mutex_);
  if (deps_.count) deps_.count(server_, got_at_ ? "refreshed" : "fetched");
  got_at_ = deps_.clock.Now();
  backoff_.WasUp(std::chrono::minutes(1));
  grant_ = grant;
  return grant;
}

Label Account::LabelOf() const {
  return {.issuer = config_.issuer, .principal = {}, .server = server_, .kind = "refresh token"};
}

std::optional<oauth::Token> Account::Kept() const {
  if (unsaved_) return unsaved_;
  std::optional<std::string> text = deps_.vault.Get(LabelOf());
  const std::string seed = SeedLine(config_.refresh_token);
  if (!text || !text->starts_with(seed)) return std::nullopt;
  std::optional<oauth::Token> token = oauth::ReadTokenText(text->substr(seed.size()));
  return token && !token->refresh.empty() ? token : std::nullopt;
}

// The one before it is spent, so it is used, and tried to be kept again, until the vault takes it.
void Account::Save() {
  if (!unsaved_) return;
  Result<void> kept =
      deps_.vault.Put(LabelOf(), SeedLine(config_.refresh_token) + oauth::TokenText(*unsaved_));
  if (kept) {
    unsaved_.reset();
    return;
  }
  spdlog::error(
      "server {}: its new refresh token could not be kept, so the next start may need "
      "another one: {}",
      server_, kept.error().message);
}

}  // namespace switchyard::credentials
