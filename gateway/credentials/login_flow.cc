#include "credentials/login_flow.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "base/token.h"
#include "credentials/connect_refusals.h"
#include "credentials/oauth/authorization.h"
#include "credentials/oauth/discovery.h"
#include "credentials/oauth/exchange.h"
#include "credentials/oauth/form.h"

namespace switchyard::credentials {
namespace {

std::unexpected<Error> NobodyNow(const std::string& issuer, const Error& error) {
  return NotNow("nobody can sign in at " + issuer + " to connect an account", error);
}

std::unexpected<Error> SomebodyElse(const std::string& issuer) {
  return Failure(Code::kForbidden, Origin::kClient,
                 "You are signed in at " + issuer +
                     " as somebody else than whose call this link is for. Nothing was connected. "
                     "If you made that call yourself, open the link again and sign in as you are "
                     "known to the client that made it. Otherwise close this page: who sent you "
                     "the link would have used your account.");
}

}  // namespace

void LoginFlow::Use(std::shared_ptr<const Logins> logins) {
  logins_ = std::move(logins);
  if (!logins_->empty()) {
    for (const char* outcome : {"proven", "another", "failed"}) count_(outcome, 0);
  }
  std::erase_if(places_, [this](const auto& one) { return !logins_->contains(one.first); });
}

bool LoginFlow::Proven(const Offer& offer) const {
  return offer.proven || offer.whose.own() || !logins_->contains(offer.whose.issuer);
}

std::optional<LoginFlow::Asked> LoginFlow::Look(std::string_view token) const {
  const Offer* offer = links_.Find(token);
  if (offer == nullptr || Proven(*offer)) return std::nullopt;
  return Asked{.server = offer->server, .issuer = offer->whose.issuer};
}

Task<Result<oauth::ServerMetadata>> LoginFlow::Locate(std::string issuer, Deadline deadline) {
  std::shared_ptr<Place>& slot = places_[issuer];
  if (slot == nullptr) slot = std::make_shared<Place>();
  const std::shared_ptr<Place> place = slot;
  co_await place->tries.turn.Free();
  if (place->found && clock_.Now() - place->found_at < kForget) co_return *place->found;
  if (auto error = place->tries.Pausing(clock_.Now())) co_return Failure(std::move(*error));
  const Turn::Taken search(place->tries.turn);
  Result<oauth::ServerMetadata> found =
      co_await oauth::FetchServerMetadata(*fetcher_, std::move(issuer), deadline);
  if (!found) {
    place->tries.Failed(clock_.Now(), found.error());
    co_return found;
  }
  place->tries.StartOver();
  place->found = *found;
  place->found_at = clock_.Now();
  co_return found;
}

Task<Result<std::string>> LoginFlow::Begin(std::string token, std::string browser) {
  const Offer* asked = links_.Find(token);
  if (asked == nullptr) co_return LinkIsGone();
  if (browser.empty()) co_return IsOtherBrowser();
  const std::shared_ptr<const Logins> logins = logins_;
  const auto login = logins->find(asked->whose.issuer);
  if (login == logins->end()) co_return LinkIsGone();
  const std::string& issuer = login->first;
  Result<oauth::ServerMetadata> server = co_await Locate(issuer, Deadline::In(clock_, kTimeout));
  if (!server) co_return NobodyNow(issuer, server.error());
  // Before anybody is sent there: what came back could not be exchanged.
  const Result<std::string> shown = oauth::AuthMethodOf(login->second.client, *server);
  if (!shown) co_return NobodyNow(issuer, shown.error());
  // A nonce does for a client that proves itself what PKCE does for any (RFC 9700 section 2.1.1).
  if (!server->has_pkce() && *shown == "none") {
    co_return NobodyNow(
        issuer, {.message = "it does not announce PKCE with S256, and login has no client_secret"});
  }
  Offer* offer = links_.Find(token);
  if (offer == nullptr || Proven(*offer)) co_return LinkIsGone();
  SignIn attempt{.sent = {.state = RandomToken(),
                          .verifier = RandomToken() + RandomToken(),
                          .issuer = issuer,
                          .says_issuer = server->says_issuer,
                          .client_id = login->second.client.id,
                          .redirect_uri = links_.base() + LoginPathOf(issuer),
                          .scopes = login->second.scopes,
                          .nonce = RandomToken(),
                          .prompt = offer->mistaken ? "login" : ""},
                 .browser = std::move(browser)};
  Result<std::string> url = oauth::AuthorizationUrl(*server, attempt.sent);
  if (!url) co_return NobodyNow(issuer, url.error());
  offer->sign_in = std::move(attempt);
  co_return url;
}

Task<auth::Verdict<auth::Identity>> LoginFlow::Verify(std::shared_ptr<const Logins> logins,
                                                      std::string issuer, std::string token,
                                                      std::string nonce, Deadline deadline) {
  const Login& login = logins->at(issuer);
  for (bool first = true;; first = false) {
    const std::uint64_t seen = login.keys->version();
    const auth::KeysPtr keys = login.keys->Current();
    auth::Verdict<auth::Identity> identity =
        keys == nullptr ? auth::Verdict<auth::Identity>(auth::Refuse(
                              auth::Reason::kUnknownKey, "there are no keys of its issuer"))
                        : ReadIdToken(token, *keys, login, nonce, clock_.WallNow());
    if (identity || identity.error().reason != auth::Reason::kUnknownKey || !first) {
      co_return identity;
    }
    const bool newer = co_await login.keys->AwaitNewer(seen, deadline);
    if (!newer) co_return identity;
  }
}

Task<Result<auth::Identity>> LoginFlow::Exchange(std::shared_ptr<const Logins> logins,
                                                 SignIn attempt, std::string code) {
  const std::string& issuer = attempt.sent.issuer;
  const Deadline deadline = Deadline::In(clock_, kTimeout);
  Result<oauth::ServerMetadata> server = co_await Locate(issuer, deadline);
  if (!server) co_return Failure(std::move(server.error()));
  Result<std::string> token = co_await oauth::AskForIdToken(
      *fetcher_, clock_, logins->at(issuer).client, std::move(*server),
      oauth::CodeGrant(code, attempt.sent.verifier, attempt.sent.redirect_uri, ""), deadline);
  if (!token) co_return Failure(std::move(token.error()));
  auth::Verdict<auth::Identity> identity =
      co_await Verify(logins, issuer, std::move(*token), attempt.sent.nonce, deadline);
  if (identity) co_return std::move(*identity);
  co_return Failure(Code::kForbidden, Origin::kServer,
                    "its ID token is not believed: " + identity.error().detail);
}

Task<Result<std::string>> LoginFlow::Finish(std::string path, std::string query,
                                            std::string browser) {
  const auto fields = oauth::ReadForm(query);
  const auto state = fields ? oauth::Find(*fields, "state") : std::nullopt;
  Offer* offer = state ? links_.BySignIn(*state) : nullptr;
  // An answer at the page of another issuer is none, though the state be right.
  if (offer == nullptr || path != LoginPathOf(offer->sign_in->sent.issuer)) {
    co_return LinkIsGone();
  }
  if (browser.empty() || offer->sign_in->browser != browser) co_return IsOtherBrowser();
  const std::string token = offer->token;
  // Once, whatever comes of it; the button begins anew.
  SignIn attempt = std::move(*offer->sign_in);
  offer->sign_in.reset();
  const std::string issuer = attempt.sent.issuer;
  const Result<std::string> code = oauth::CodeIn(*fields, attempt.sent);
  if (!code) {
    count_("failed", 1);
    spdlog::warn("nobody signed in at {} to connect an account: {}", issuer, code.error().message);
    co_return Failure(Code::kForbidden, Origin::kServer,
                      "You were not signed in: " + code.error().message + ".");
  }
  // What it was sent away with is for whom a reload has changed meanwhile.
  const std::shared_ptr<const Logins> logins = logins_;
  const auto login = logins->find(issuer);
  if (login == logins->end() || login->second.client.id != attempt.sent.client_id) {
    co_return LinkIsGone();
  }
  Result<auth::Identity> identity = co_await Exchange(logins, std::move(attempt), *code);
  if (!identity) {
    count_("failed", 1);
    co_return NobodyNow(issuer, identity.error());
  }
  Offer* mine = links_.Find(token);
  if (mine == nullptr) co_return LinkIsGone();
  if (mine->whose != Whose{.issuer = identity->issuer, .subject = identity->subject}) {
    count_("another", 1);
    mine->mistaken = true;
    spdlog::warn(
        "server {}: somebody else than the caller opened a link to connect an account, "
        "and signed in at {}; nothing was connected",
        mine->server, issuer);
    if (another_) another_(*mine, identity->subject);
    co_return SomebodyElse(issuer);
  }
  if (mine->proven && mine->browser != browser) co_return IsOtherBrowser();
  // Who began without it, before it was asked for, has nothing begun.
  if (mine->browser != browser) mine->attempt.reset();
  mine->proven = true;
  mine->browser = std::move(browser);
  count_("proven", 1);
  co_return token;
}

}  // namespace switchyard::credentials
