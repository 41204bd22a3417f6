#include "credentials/token_exchange.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "base/digest.h"
#include "base/random.h"
#include "credentials/oauth/discovery.h"
#include "credentials/oauth/exchange.h"
#include "credentials/oauth/url.h"

namespace switchyard::credentials {
namespace {

// By its address alone, an authorization server says nothing of how it knows clients.
oauth::ServerMetadata Fixed(const config::ServerCredentials& config) {
  return {.issuer = config.issuer.empty() ? config.token_endpoint : config.issuer,
          .token_endpoint = config.token_endpoint,
          .token_auth_methods = {"private_key_jwt", "client_secret_basic", "client_secret_post"}};
}

// Whom the token is for has to be said once; where the configuration does not, the server's URL is.
std::string ResourceOf(const config::ServerCredentials& config, const std::string& url) {
  if (!config.resource.empty() || !config.audience.empty()) return config.resource;
  return oauth::CanonicalResource(url).value_or("");
}

}  // namespace

Result<SourcePtr> TokenExchange::Make(std::string server, const std::string& url,
                                      const config::ServerCredentials& config, std::string own,
                                      ExchangeDeps deps) {
  oauth::Client client{.id = config.client_id,
                       .secret = config.client_secret.Reveal(),
                       .auth_method = config.auth_method};
  if (!config.private_key.empty()) {
    Result<oauth::SigningKey> key =
        oauth::SigningKey::Read(config.private_key.Reveal(), config.key_id, config.algorithm);
    if (!key) return Failure(std::move(key.error()).In("servers." + server + ".credentials"));
    client.key = std::move(*key);
  }
  return SourcePtr(new TokenExchange(std::move(server), url, config, std::move(own),
                                     std::move(client), std::move(deps)));
}

TokenExchange::TokenExchange(std::string server, const std::string& url,
                             const config::ServerCredentials& config, std::string own,
                             oauth::Client client, ExchangeDeps deps)
    : server_(std::move(server)),
      config_(config),
      resource_(ResourceOf(config, url)),
      own_(std::make_shared<const Grant>(Grant{.lines = std::move(own)})),
      client_(std::move(client)),
      deps_(std::move(deps)),
      wants_(deps_.lent.Want()) {
  if (!config_.token_endpoint.empty()) issuer_ = Fixed(config_);
}

std::unexpected<Error> TokenExchange::Refuse(std::string why, Code code) const {
  return Failure(Error{.code = code,
                       .origin = Origin::kGateway,
                       .message = "server " + server_ + ": " + std::move(why),
                       .for_agent = true});
}

// Under the lock. nullopt: one has to be got.
std::optional<Result<GrantPtr>> TokenExchange::AtHand(const Entry& entry) const {
  if (entry.grant != nullptr && deps_.clock.WallNow() < entry.grant->expires) return entry.grant;
  if (deps_.clock.Now() < entry.not_before) return Failure(entry.last_error);
  return std::nullopt;
}

// By what the caller's token allows: a session that was begun with a broad one is not for a narrow
// one. Not by all that it says, some of which each token has anew.
std::string TokenExchange::ViewOf(const Principal& caller) const {
  std::string text;
  const auto add = [&text](const std::vector<std::string>& values) {
    std::vector<std::string> sorted = values;
    std::ranges::sort(sorted);
    text += std::to_string(sorted.size()) + ";";
    for (const std::string& value : sorted) text += std::to_string(value.size()) + ":" + value;
  };
  for (const auto* rights : {&caller.scopes, &caller.roles, &caller.groups, &caller.capabilities}) {
    add(*rights);
  }
  for (const auto& [claim, values] : caller.claims) {
    if (claim == "authorization_details" || claim.starts_with("act.")) add(values);
  }
  return Sha256(text);
}

Result<GrantPtr> TokenExchange::Find(const Caller* caller) {
  if (caller == nullptr) return own_;
  const std::string& credential = (*caller)->credential;
  if (credential.empty()) {
    return Refuse(
        "it is asked with a token of each caller's, got for the one that the caller shows the "
        "gateway, and this caller has shown none (a key or a certificate is no token)");
  }
  const std::lock_guard lock(mutex_);
  const auto found = by_token_.find(credential);
  if (found == by_token_.end()) return GrantPtr();
  entries_.splice(entries_.begin(), entries_, found->second);
  const EntryPtr& entry = found->second->second;
  const std::optional<Result<GrantPtr>> at_hand = AtHand(*entry);
  if (!at_hand) return GrantPtr();
  const bool old = *at_hand && deps_.clock.WallNow() >= (**at_hand)->refresh_at &&
                   deps_.clock.Now() >= entry->not_before;
  if (old && !std::exchange(entry->refreshing, true)) {
    net::post(deps_.home, [weak = weak_from_this(), home = deps_.home, entry, credential] {
      if (auto self = weak.lock()) {
        Spawn(home, "exchange token", Refresh(std::move(self), entry, credential));
      }
    });
  }
  return *at_hand;
}

Task<void> TokenExchange::Refresh(std::shared_ptr<TokenExchange> self, EntryPtr entry,
                                  std::string credential) {
  if (!entry->flight.taken()) {
    // Fly() has said what went wrong; the old one is used on.
    Result<GrantPtr> ignored = co_await self->Fly(entry, std::move(credential));
    static_cast<void>(ignored);
  }
  const std::lock_guard lock(self->mutex_);
  entry->refreshing = false;
}

// Who holds one that is dropped goes on with it, and nobody else knows of it.
TokenExchange::EntryPtr TokenExchange::EntryOf(const std::string& credential) {
  const std::lock_guard lock(mutex_);
  const auto found = by_token_.find(credential);
  if (found != by_token_.end()) return found->second->second;
  entries_.emplace_front(credential, std::make_shared<Entry>());
  by_token_.emplace(credential, entries_.begin());
  if (entries_.size() > kMost) {
    by_token_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return entries_.front().second;
}

std::size_t TokenExchange::kept() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

Task<Result<GrantPtr>> TokenExchange::Obtain(Caller caller, Refusal refused, Deadline) {
  const std::shared_ptr<TokenExchange> keep = shared_from_this();
  if (refused.grant == own_ || caller->credential.empty()) {
    co_return Refuse("does not take what the gateway shows for itself");
  }
  if (refused.status == 403) co_return Refuse("forbids this to the caller (403)");
  const EntryPtr entry = EntryOf(caller->credential);
  co_await entry->flight.Free();
  {
    const std::lock_guard lock(mutex_);
    if (refused.grant != nullptr && entry->grant == refused.grant) {
      // A server that takes no token at all would have one exchanged for every call.
      if (deps_.clock.Now() - entry->got_at < kFresh) {
        co_return Refuse("refuses a token that was got for the caller a moment ago (401)");
      }
      entry->grant = nullptr;
    }
    if (std::optional<Result<GrantPtr>> at_hand = AtHand(*entry)) co_return std::move(*at_hand);
  }
  Result<GrantPtr> got = co_await Fly(entry, caller->credential);
  co_return got;
}

Task<Result<GrantPtr>> TokenExchange::Fly(EntryPtr entry, std::string credential) {
  LentTokens::TokenPtr token = deps_.lent.Find(credential);
  if (token == nullptr) {
    co_return Refuse("needs the caller's token once more, and no request with it is under way",
                     Code::kUnavailable);
  }
  const Turn::Taken flight(entry->flight);
  Result<oauth::Token> got = co_await Fetch(token, Deadline::In(deps_.clock, kTimeout));
  // That would be the caller's own on its way to the server.
  if (got && got->access == token->text()) {
    got = Failure(Code::kProtocol, Origin::kServer,
                  "the token endpoint gave back the very token that it was shown");
  }
  if (!got) co_return Failed(*entry, got.error());
  co_return Keep(*entry, *got);
}

Task<Result<oauth::ServerMetadata>> TokenExchange::Locate(Deadline deadline) {
  co_await search_.turn.Free();
  const bool lasts = !config_.token_endpoint.empty();
  if (issuer_ && (lasts || deps_.clock.Now() - found_at_ < kForget)) co_return *issuer_;
  if (auto error = search_.Pausing(deps_.clock.Now())) co_return Failure(std::move(*error));
  const Turn::Taken search(search_.turn);
  Result<oauth::ServerMetadata> found =
      co_await oauth::FetchServerMetadata(deps_.fetcher, config_.issuer, deadline);
  if (found) {
    issuer_ = *found;
    found_at_ = deps_.clock.Now();
    search_.StartOver();
  } else {
    search_.Failed(deps_.clock.Now(), found.error());
  }
  co_return found;
}

Task<Result<oauth::Token>> TokenExchange::Fetch(LentTokens::TokenPtr token, Deadline deadline) {
  Result<oauth::ServerMetadata> issuer = co_await Locate(deadline);
  if (!issuer) co_return Failure(std::move(issuer.error()));
  oauth::Fields grant = oauth::ExchangeGrant({.subject_token = token->text(),
                                              .subject_token_type = config_.subject_token_type,
                                              .actor_token = config_.actor_token.Reveal(),
                                              .actor_token_type = config_.actor_token_type,
                                              .audience = config_.audience,
                                              .resource = resource_,
                                              .scopes = config_.scopes});
  Result<oauth::Token> got =
      co_await oauth::AskForToken(deps_.fetcher, deps_.clock, client_, std::move(*issuer),
                                  std::move(grant), config_.scopes, deadline);
  co_return got;
}

GrantPtr TokenExchange::Keep(Entry& entry, const oauth::Token& token) {
  const WallTime now = deps_.clock.WallNow();
  const WallTime expires = token.expires.value_or(now + kUnsaid);
  auto grant =
      std::make_shared<const Grant>(Grant{.lines = "Authorization: Bearer " + token.access + "\r\n",
                                          .refresh_at = oauth::RefreshAt(now, expires),
                                          .expires = expires,
                                          .scopes = config_.scopes});
  entry.backoff.WasUp(std::chrono::minutes(1));
  const std::lock_guard lock(mutex_);
  if (deps_.count) deps_.count(server_, entry.grant == nullptr ? "fetched" : "refreshed");
  entry.got_at = deps_.clock.Now();
  entry.not_before = TimePoint::min();
  entry.grant = grant;
  return grant;
}

std::unexpected<Error> TokenExchange::Failed(Entry& entry, const Error& error) {
  if (deps_.count) deps_.count(server_, "failed");
  spdlog::warn("server {}: no token for a caller: {}", server_, error.message);
  // What an authorization server says is no answer of the server; clients learn where to look. That
  // it refuses this caller's token is nothing that others should wait for (breaker).
  const bool caller = error.code == Code::kUnauthenticated && !error.message.contains("_client");
  Error shown{.code = caller ? Code::kForbidden : Code::kUnavailable,
              .origin = caller ? Origin::kGateway : Origin::kServer,
              .message = "server " + server_ + ": no token for this caller could be had",
              .detail = error.message + (error.detail.empty() ? "" : ": " + error.detail),
              .for_agent = true};
  const Duration pause = entry.backoff.Next(ThreadRandom().NextUnit());
  const std::lock_guard lock(mutex_);
  entry.not_before = deps_.clock.Now() + pause;
  entry.last_error = shown;
  return Failure(std::move(shown));
}

}  // namespace switchyard::credentials
