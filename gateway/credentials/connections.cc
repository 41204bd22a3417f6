#include "credentials/connections.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "base/random.h"
#include "credentials/configured_client.h"
#include "credentials/oauth/challenge.h"
#include "credentials/oauth/exchange.h"

namespace switchyard::credentials {

std::shared_ptr<CallersTurn> Turns::Of(const Whose& whose) {
  if (turns_.size() >= sweep_at_) {
    std::erase_if(turns_, [](const auto& one) { return one.second.expired(); });
    sweep_at_ = std::max<std::size_t>(1024, 2 * turns_.size());
  }
  std::weak_ptr<CallersTurn>& place = turns_[whose];
  std::shared_ptr<CallersTurn> turn = place.lock();
  if (turn == nullptr) {
    turn = std::make_shared<CallersTurn>();
    place = turn;
  }
  return turn;
}

Result<std::shared_ptr<Connections>> Connections::Make(std::string server, std::string url,
                                                       const config::ServerCredentials& config,
                                                       std::string own, Deps deps) {
  Result<oauth::Client> client = ConfiguredClient(config);
  if (!client) return Failure(std::move(client.error()).In("servers." + server + ".credentials"));
  return std::shared_ptr<Connections>(new Connections(std::move(server), std::move(url), config,
                                                      std::move(*client), std::move(own),
                                                      std::move(deps)));
}

Connections::Connections(std::string server, std::string url,
                         const config::ServerCredentials& config, oauth::Client client,
                         std::string own, Deps deps)
    : server_(std::move(server)),
      url_(std::move(url)),
      config_(config),
      client_(std::move(client)),
      own_(std::make_shared<const Grant>(Grant{.lines = own})),
      own_is_fixed_(!own.empty()),
      deps_(std::move(deps)) {}

std::unexpected<Error> Connections::Refuse(Code code, std::string why) const {
  return Failure(Error{.code = code,
                       .origin = code == Code::kForbidden ? Origin::kGateway : Origin::kServer,
                       .message = "server " + server_ + ": " + std::move(why),
                       .for_agent = true});
}

std::unexpected<Error> Connections::Ask(const Whose& whose, const Scopes& scopes) {
  if (whose.own()) {
    wanted_ = scopes;
    return Refuse(Code::kUnavailable,
                  "wants to know who asks: connect an account for the gateway's own requests, with "
                  "`switchyard connections --connect " +
                      server_ + "`, or give it a header");
  }
  if (deps_.links.base().empty()) {
    return Refuse(Code::kForbidden,
                  "an account has to be connected there first, and browsers do "
                  "not reach this gateway");
  }
  Error error = std::move(
      Refuse(Code::kForbidden, "an account of this caller has to be connected there first")
          .error());
  error.visit = deps_.links.UrlFor(server_, whose, scopes);
  return Failure(std::move(error));
}

std::string Connections::OwnLink() {
  return deps_.links.base().empty() ? "" : deps_.links.UrlFor(server_, {}, wanted_);
}

std::string Connections::ViewOf(const Principal& caller) const {
  if (deps_.accounts == nullptr) return "";
  return std::to_string(deps_.accounts->Of(server_, caller.issuer, caller.subject));
}

Result<GrantPtr> Connections::Find(const Caller* caller) {
  if (caller == nullptr && own_is_fixed_) return own_;
  if (caller != nullptr && (*caller)->subject.empty()) {
    return Refuse(Code::kForbidden,
                  "it is asked in the name of each caller, and this one did not say who it is");
  }
  const Whose whose = caller == nullptr ? Whose() : Whose::Of(**caller);
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(whose);
  if (found == held_.end()) return GrantPtr();
  Held& held = *found->second;
  const WallTime now = deps_.clock.WallNow();
  if (held.grant == nullptr || now >= held.grant->expires) return GrantPtr();
  if (held.seen != held.turn->changes) return GrantPtr();
  if (now >= held.grant->refresh_at && !std::exchange(held.refreshing, true)) {
    net::post(deps_.home, [weak = weak_from_this(), one = found->second, home = deps_.home] {
      if (auto self = weak.lock()) {
        Spawn(home, "refresh token", Refresh(std::move(self), one));
      }
    });
  }
  return held.grant;
}

Task<void> Connections::Refresh(std::shared_ptr<Connections> self, HeldPtr held) {
  if (!held->turn->taken() && held->any()) {
    Result<GrantPtr> ignored = co_await self->Fly(held);  // Fly() has said what went wrong
    static_cast<void>(ignored);
  }
  const std::lock_guard lock(self->mutex_);
  held->refreshing = false;
}

// What is dropped is in the vault, and comes back from there.
void Connections::MakeRoom() {
  for (auto one = held_.begin(); one != held_.end() && held_.size() >= kMostHeld;) {
    const Held& held = *one->second;
    const bool busy = held.turn->taken() || held.unsaved || held.refreshing;
    one = busy ? std::next(one) : held_.erase(one);
  }
}

Connections::HeldPtr Connections::HeldOf(const Whose& whose) {
  HeldPtr held;
  {
    const std::lock_guard lock(mutex_);
    if (held_.size() >= kMostHeld && !held_.contains(whose)) MakeRoom();
    HeldPtr& slot = held_[whose];
    if (slot == nullptr) slot = std::make_shared<Held>(whose, deps_.turns->Of(whose));
    held = slot;
  }
  bool missed = false;
  {
    const std::lock_guard lock(mutex_);
    const unsigned changes = held->turn->changes;
    missed = std::exchange(held->seen, changes) != changes;
  }
  if (!std::exchange(held->loaded, true)) {
    Load(*held);
  } else if (missed) {
    Reread(*held);
  }
  return held;
}

GrantPtr Connections::Good(const Held& held) const {
  const GrantPtr& grant = held.grant;
  return grant != nullptr && deps_.clock.WallNow() < grant->expires ? grant : nullptr;
}

// What a server says of where accounts for it are.
void Connections::Heard(const Refusal& refused) {
  if (refused.grant == nullptr || refused.status != 401) return;
  const oauth::Challenge challenge = oauth::ReadChallenge(refused.challenge);
  if (!challenge.scopes.empty()) challenged_ = challenge.scopes;
  // The server may have gone over to another authorization server, with all its accounts.
  if (refused.grant != own_) Doubt();
  if (challenge.resource_metadata.empty() || challenge.resource_metadata == metadata_) return;
  metadata_ = challenge.resource_metadata;
  found_.reset();
  search_.StartOver();
}

// What was found is for all callers: the refusals of one do not have it looked for all the time.
void Connections::Doubt() {
  const TimePoint now = deps_.clock.Now();
  if (!found_ || doubted_ || (doubted_at_ && now - *doubted_at_ < kDoubt)) return;
  doubted_ = true;
  doubted_at_ = now;
}

Task<Result<GrantPtr>> Connections::Obtain(Caller caller, Refusal refused, Deadline) {
  const std::shared_ptr<Connections> keep = shared_from_this();
  const HeldPtr held = HeldOf(Whose::Of(*caller));
  co_await held->turn->Free();
  Heard(refused);
  if (!held->any()) co_return Absent(held, refused);
  Result<GrantPtr> judged = Judge(held, refused);
  if (!judged || *judged != nullptr) co_return judged;
  Result<GrantPtr> got = co_await Fly(held);
  co_return got;
}

Result<GrantPtr> Connections::Absent(const HeldPtr& held, const Refusal& refused) {
  if (!held->whose.own()) return Ask(held->whose, challenged_);
  // Many servers tell anybody what they have.
  if (refused.grant == nullptr) return own_;
  return Ask(held->whose, challenged_);
}

// A grant that is worth a try, an Error, or null: it is to be fetched anew.
Result<GrantPtr> Connections::Judge(const HeldPtr& held, const Refusal& refused) {
  const std::lock_guard lock(mutex_);
  if (refused.grant == nullptr) return Good(*held);
  const bool replaced = held->grant != refused.grant;  // somebody was here before
  const bool fresh = held->got_at && deps_.clock.Now() - *held->got_at < kFresh;
  if (refused.status == 401) {
    if (replaced) return Good(*held);
    if (fresh) {
      return Refuse(Code::kForbidden, "refuses a token that was fetched a moment ago (401)");
    }
    held->grant = nullptr;
    return GrantPtr();
  }
  const oauth::Challenge challenge = oauth::ReadChallenge(refused.challenge);
  if (challenge.error != "insufficient_scope" || challenge.scopes.empty()) {
    if (replaced && Good(*held) != nullptr) return Good(*held);
    return Refuse(Code::kForbidden, "forbids this to the account that is connected (403)");
  }
  const bool asked = oauth::HasScopes(held->connected.asked, challenge.scopes);
  if (replaced && asked && Good(*held) != nullptr) return Good(*held);
  // Who was asked for them a moment ago, or got fewer than were asked for, is not asked in a loop.
  const bool lately = held->got_at && deps_.clock.Now() - *held->got_at < kStepUp;
  if (asked && lately) {
    return Refuse(Code::kForbidden, "wants scopes that the account was not granted (403)");
  }
  return Ask(held->whose, oauth::UnionOf(held->connected.asked, challenge.scopes));
}

Task<Result<GrantPtr>> Connections::Fly(HeldPtr held) {
  const bool another = Reread(*held);
  if (held->unsaved) Save(*held);
  if (another) {
    Result<GrantPtr> now = Now(held);
    if (!now || deps_.clock.WallNow() < (*now)->expires) co_return now;
  }
  if (deps_.clock.Now() < held->not_before) co_return Failure(held->last_error);
  if (held->connected.token.refresh.empty()) {
    co_return Over(*held);
  }
  const Turn::Taken flight(*held->turn);
  const unsigned version = held->version;
  Result<oauth::Token> token = co_await Renew(held, Deadline::In(deps_.clock, kTimeout));
  // It was connected anew, or forgotten: here, or by another source of this server.
  if (held->version != version || Reread(*held)) co_return Now(held);
  if (!token) co_return Failed(held, std::move(token.error()));
  // A server that gave no new one goes on with the old one (RFC 6749 section 6).
  if (token->refresh.empty()) token->refresh = held->connected.token.refresh;
  held->connected.token = std::move(*token);
  held->backoff.WasUp(std::chrono::minutes(1));
  Save(*held);
  Publish(*held);
  Count("refreshed");
  const std::lock_guard lock(mutex_);
  co_return held->grant;
}

// What there is after it changed under our hands: what was published with it, good or not.
Result<GrantPtr> Connections::Now(const HeldPtr& held) {
  if (!held->any()) return Ask(held->whose, challenged_);
  const std::lock_guard lock(mutex_);
  return held->grant;
}

Task<Result<oauth::Token>> Connections::Renew(HeldPtr held, Deadline deadline) {
  Result<oauth::Discovered> found = co_await Locate(deadline);
  if (!found) co_return Failure(std::move(found.error()));
  oauth::ServerMetadata server = std::move(found->server);
  // Of several, the one that gave it is as good as the one that happens to stand first.
  const std::string issuer = held->connected.issuer;
  if (server.issuer != issuer &&
      std::ranges::find(found->issuers, issuer) != found->issuers.end()) {
    Result<oauth::ServerMetadata> its = co_await LocateOther(issuer, deadline);
    if (!its) co_return Failure(std::move(its.error()));
    server = std::move(*its);
  }
  // What one issuer gave is shown to no other.
  if (server.issuer != held->connected.issuer) {
    co_return Failure(Code::kUnauthenticated, Origin::kServer,
                      "the server has another issuer now than the one of this connection");
  }
  const Connected& had = held->connected;
  const oauth::Client& client = had.client.id.empty() ? client_ : had.client;
  if (client.id.empty()) {
    co_return Failure(Code::kUnavailable, Origin::kGateway,
                      "the client_id that it was connected with is not configured any more");
  }
  Result<oauth::Token> token = co_await oauth::AskForToken(
      deps_.fetcher, deps_.clock, client, std::move(server),
      oauth::RefreshGrant(had.token, had.resource), had.token.scopes, deadline);
  co_return token;
}

// Kept for as long as what names it.
Task<Result<oauth::ServerMetadata>> Connections::LocateOther(std::string issuer,
                                                             Deadline deadline) {
  if (const auto known = others_.find(issuer); known != others_.end()) co_return known->second;
  const TimePoint named_at = found_at_;
  Result<oauth::ServerMetadata> its =
      co_await oauth::FetchServerMetadata(deps_.fetcher, issuer, deadline);
  if (its && found_ && found_at_ == named_at) others_.insert_or_assign(issuer, *its);
  co_return its;
}

// It can be replaced only by who connected it.
std::unexpected<Error> Connections::Over(Held& held) {
  const Scopes scopes = held.connected.asked;
  Drop(held);
  return Ask(held.whose, scopes);
}

Result<GrantPtr> Connections::Failed(const HeldPtr& held, Error error) {
  const bool over = error.code == Code::kUnauthenticated;  // whatever is tried
  Count(over ? "ended" : "failed");
  spdlog::warn("server {}: the token of a connected account could not be replaced: {}", server_,
               error.message);
  if (over) {
    // Who registers anew gets another one; the connections of this one end each by itself.
    if (error.message.contains("invalid_client")) {
      ForgetClient(held->connected.issuer, held->connected.client.id);
    }
    return Over(*held);
  }
  Doubt();
  held->not_before = deps_.clock.Now() + held->backoff.Next(ThreadRandom().NextUnit());
  held->last_error =
      Error{.code = Code::kUnavailable,
            .origin = Origin::kServer,
            .message = "server " + server_ + ": no token for it could be had",
            .detail = error.message + (error.detail.empty() ? "" : ": " + error.detail)};
  return Failure(held->last_error);
}

Task<Result<oauth::Discovered>> Connections::Locate(Deadline deadline) {
  const std::shared_ptr<Connections> keep = shared_from_this();
  co_await search_.turn.Free();
  const bool known = found_ && deps_.clock.Now() - found_at_ < kForget;
  if (known && !doubted_) co_return *found_;
  if (auto error = search_.Pausing(deps_.clock.Now())) {
    if (known) co_return *found_;
    co_return Failure(std::move(*error));
  }
  const Turn::Taken search(search_.turn);
  const std::string metadata = metadata_;
  Result<oauth::Discovered> found = co_await oauth::Discover(
      deps_.fetcher, {.server_url = url_, .resource_metadata = metadata, .issuer = config_.issuer},
      deadline);
  const bool current = metadata == metadata_;  // the server may have said better meanwhile
  if (!found) {
    if (!current) co_return found;
    search_.Failed(deps_.clock.Now(), found.error());
    const Code code = found.error().code;
    const bool down = code == Code::kUnavailable || code == Code::kDeadline;
    if (down && known && found_) co_return *found_;
    found_.reset();
    co_return found;
  }
  if (!config_.resource.empty()) found->resource = config_.resource;
  search_.StartOver();
  if (!current) co_return found;
  found_ = *found;
  others_.clear();
  found_at_ = deps_.clock.Now();
  doubted_ = false;
  co_return found;
}

}  // namespace switchyard::credentials
