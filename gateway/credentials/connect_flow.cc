#include "credentials/connect_flow.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "base/digest.h"
#include "base/token.h"
#include "config/redact.h"
#include "credentials/connect_refusals.h"
#include "credentials/oauth/authorization.h"
#include "credentials/oauth/exchange.h"
#include "credentials/oauth/url.h"

namespace switchyard::credentials {
namespace {

std::unexpected<Error> NotHere(const std::string& server, const Error& error) {
  return NotNow("server " + server + ": no account can be connected", error);
}

std::unexpected<Error> NotProven() {
  return Failure(Code::kForbidden, Origin::kClient,
                 "It is to be seen first that the call was yours. Open the link again.");
}

// Whoever named the authorization server is believed no further than that it is the one that
// answers: it says so with each answer, or somebody who runs the gateway has named it.
bool IsVouchedFor(const Connections& source, const oauth::ServerMetadata& server) {
  return server.says_issuer || !source.config().issuer.empty();
}

// Not at its own address: those would sign in at one authorization server, and what it answers
// would be sent to another one.
Result<void> Judge(const Connections& source, const oauth::ServerMetadata& server) {
  if (server.asks_at_home() || server.authorization_endpoint.empty()) return {};
  if (IsVouchedFor(source, server)) return {};
  return Failure(Code::kForbidden, Origin::kGateway,
                 "the authorization server " + server.issuer +
                     " has its users sign in somewhere else, and does not say who answers (iss): "
                     "set servers." +
                     source.name() + ".credentials.issuer to it if that is right",
                 server.authorization_endpoint);
}

std::string SignInOf(const oauth::ServerMetadata& server) {
  const std::optional<http::Url> page = oauth::ParseUrl(server.authorization_endpoint);
  return page && !server.asks_at_home() ? page->origin() : "";
}

}  // namespace

// Of a link that is good: what it leads to.
struct ConnectFlow::Place {
  std::shared_ptr<Connections> source;
  oauth::Discovered found;
  std::vector<std::string> scopes;
};

oauth::Self ConnectFlow::SelfOf(std::string_view server) const {
  oauth::Self self;
  const std::string& base = links_.base();
  self.redirect_uri = base + "/connect/callback/" + std::string(server);
  // Nobody else reads documents of this machine.
  if (base.starts_with("https://")) {
    self.document_url = base + "/connect/client/" + std::string(server);
    self.document_redirect_uri = base + "/connect/answer/" + std::string(server);
  }
  return self;
}

std::string ConnectFlow::ClientDocumentOf(std::string_view server) const {
  const std::shared_ptr<Connections> source = find_(server);
  const oauth::Self self = SelfOf(server);
  if (source == nullptr || self.document_url.empty() || !source->config().client_id.empty()) {
    return "";
  }
  return oauth::ClientDocument(self);
}

Task<Result<ConnectFlow::Place>> ConnectFlow::PlaceOf(std::string token, std::string browser) {
  const Offer* offer = links_.Find(token);
  if (offer == nullptr) co_return LinkIsGone();
  if (!offer->browser.empty() && offer->browser != browser) co_return IsOtherBrowser();
  if (!IsProven(*offer)) co_return NotProven();
  const std::string server = offer->server;
  Place place{.source = find_(server), .found = {}, .scopes = offer->scopes};
  if (place.source == nullptr) co_return LinkIsGone();
  Result<oauth::Discovered> found = co_await place.source->Locate(Deadline::In(clock_, kTimeout));
  if (!found) co_return NotHere(server, found.error());
  if (Result<void> fits = Judge(*place.source, found->server); !fits) {
    co_return NotHere(server, fits.error());
  }
  place.scopes = oauth::ScopesFor(place.scopes, place.source->config().scopes,
                                  found->scopes_supported, found->server);
  place.found = std::move(*found);
  co_return place;
}

ConnectFlow::Shown ConnectFlow::ShownOf(const Offer& offer, const Place& place) {
  return {.server = offer.server,
          .url = config::RedactUrl(place.source->url()),
          .whose = offer.whose,
          .issuer = place.found.server.issuer,
          .sign_in = SignInOf(place.found.server),
          .scopes = place.scopes,
          .proven = offer.proven};
}

Task<Result<ConnectFlow::Shown>> ConnectFlow::Look(std::string token, std::string browser) {
  Result<Place> place = co_await PlaceOf(token, std::move(browser));
  if (!place) co_return Failure(std::move(place.error()));
  const Offer* offer = links_.Find(token);
  if (offer == nullptr) co_return LinkIsGone();
  co_return ShownOf(*offer, *place);
}

std::string ConnectFlow::TermsOf(const Shown& shown) {
  std::string text;
  const auto add = [&text](const std::string& one) {
    text += std::to_string(one.size()) + ":" + one;
  };
  for (const std::string& one : {shown.server, shown.url, shown.issuer, shown.sign_in}) add(one);
  for (const std::string& scope : shown.scopes) add(scope);
  return Sha256(text);
}

// In the order of the MCP specification: registered before, a document, registering.
Task<Result<ConnectFlow::Known>> ConnectFlow::ClientFor(std::shared_ptr<Connections> source,
                                                        oauth::ServerMetadata server,
                                                        Deadline deadline) {
  oauth::Self self = SelfOf(source->name());
  if (!IsVouchedFor(*source, server)) self.document_url.clear();
  Tries& registering = source->registering();
  co_await registering.turn.Free();
  if (auto client = source->ClientAt(server.issuer, self.redirect_uri)) {
    co_return Known{.client = std::move(*client), .redirect_uri = self.redirect_uri};
  }
  switch (oauth::WayOf(server, self)) {
    case oauth::Way::kNone: break;
    case oauth::Way::kDocument:
      co_return Known{.client = {.id = self.document_url, .auth_method = "none"},
                      .redirect_uri = self.document_redirect_uri};
    case oauth::Way::kRegister: {
      if (auto error = registering.Pausing(clock_.Now())) co_return Failure(std::move(*error));
      const Turn::Taken one(registering.turn);
      Result<oauth::Client> client = co_await oauth::Register(*fetcher_, self, server, deadline);
      if (!client) {
        registering.Failed(clock_.Now(), client.error());
        co_return Failure(std::move(client.error()));
      }
      registering.StartOver();
      source->KeepClient(server.issuer, self.redirect_uri, *client);
      co_return Known{.client = std::move(*client), .redirect_uri = self.redirect_uri};
    }
  }
  co_return Failure(Code::kInvalid, Origin::kGateway,
                    "its authorization server takes no client that it does not know: register the "
                    "gateway there and set client_id");
}

Task<Result<std::optional<std::string>>> ConnectFlow::Begin(std::string token, std::string browser,
                                                            std::string terms) {
  if (browser.empty()) co_return IsOtherBrowser();
  Result<Place> place = co_await PlaceOf(token, browser);
  if (!place) co_return Failure(std::move(place.error()));
  const Offer* shown = links_.Find(token);
  if (shown == nullptr) co_return LinkIsGone();
  // The server may have asked for more meanwhile, or have named another authorization server.
  if (TermsOf(ShownOf(*shown, *place)) != terms) co_return std::nullopt;
  const std::string name = place->source->name();
  const oauth::ServerMetadata server = place->found.server;
  Result<Known> known = co_await ClientFor(place->source, server, Deadline::In(clock_, kTimeout));
  if (!known) co_return NotHere(name, known.error());
  oauth::Attempt attempt{.state = RandomToken(),
                         .verifier = RandomToken() + RandomToken(),
                         .issuer = server.issuer,
                         .says_issuer = server.says_issuer,
                         .client_id = known->client.id,
                         .redirect_uri = std::move(known->redirect_uri),
                         .resource = place->found.resource,
                         .scopes = std::move(place->scopes)};
  Result<std::string> url = oauth::AuthorizationUrl(server, attempt);
  if (!url) co_return NotHere(name, url.error());
  // Meanwhile somebody else may have begun, or it is over.
  Offer* offer = links_.Find(token);
  if (offer == nullptr) co_return LinkIsGone();
  if (!offer->browser.empty() && offer->browser != browser) co_return IsOtherBrowser();
  offer->browser = std::move(browser);
  offer->attempt = std::move(attempt);
  offer->client = std::move(known->client);
  co_return url;
}

Task<Result<ConnectFlow::Shown>> ConnectFlow::Finish(std::string path, std::string query,
                                                     std::string browser) {
  const std::optional<oauth::Fields> fields = oauth::ReadForm(query);
  const auto state = fields ? oauth::Find(*fields, "state") : std::nullopt;
  Offer* offer = state ? links_.ByState(*state) : nullptr;
  // An answer to somebody else's question is none to ours, though the state be right.
  if (offer == nullptr || !offer->attempt->redirect_uri.ends_with(path)) co_return LinkIsGone();
  if (browser.empty() || offer->browser != browser) co_return IsOtherBrowser();
  if (!IsProven(*offer)) co_return NotProven();
  Offer mine = *offer;
  // Once, whatever comes of it; the button begins anew.
  offer->attempt.reset();
  const Result<std::string> code = oauth::CodeIn(*fields, *mine.attempt);
  if (!code) {
    spdlog::warn("server {}: an account was not connected: {}", mine.server, code.error().message);
    co_return Failure(Code::kForbidden, Origin::kServer,
                      "The account was not connected: " + code.error().message + ".");
  }
  Result<Shown> shown = co_await Exchange(std::move(mine), *code);
  co_return shown;
}

Task<Result<ConnectFlow::Shown>> ConnectFlow::Exchange(Offer offer, std::string code) {
  const oauth::Attempt& attempt = *offer.attempt;
  const std::shared_ptr<Connections> source = find_(offer.server);
  if (source == nullptr) co_return LinkIsGone();
  const Deadline deadline = Deadline::In(clock_, kTimeout);
  Result<oauth::Discovered> found = co_await source->Locate(deadline);
  if (!found) co_return NotHere(offer.server, found.error());
  // The code goes to who gave it, and to nobody who took that one's place meanwhile.
  if (found->server.issuer != attempt.issuer) co_return LinkIsGone();
  Result<oauth::Token> token = co_await oauth::AskForToken(
      *fetcher_, clock_, offer.client, found->server,
      oauth::CodeGrant(code, attempt.verifier, attempt.redirect_uri, attempt.resource),
      attempt.scopes, deadline);
  if (!token) {
    if (token.error().message.contains("invalid_client")) {
      source->ForgetClient(attempt.issuer, attempt.client_id);
    }
    co_return NotHere(offer.server, token.error());
  }
  // Who forgot the connection meanwhile took the link back as well.
  if (links_.Find(offer.token) == nullptr) co_return LinkIsGone();
  links_.Drop(offer.token);
  // A reload may have put another source in its place, which would not see what is kept in this
  // one.
  const std::shared_ptr<Connections> now = find_(offer.server);
  Connected connected{.token = std::move(*token),
                      .asked = attempt.scopes,
                      .issuer = attempt.issuer,
                      .resource = attempt.resource};
  if (now == nullptr || !now->Fits(connected)) co_return LinkIsGone();
  if (offer.client.id != now->config().client_id) connected.client = offer.client;
  now->Keep(offer.whose, std::move(connected));
  spdlog::info("server {}: an account was connected", offer.server);
  co_return Shown{.server = offer.server,
                  .url = config::RedactUrl(now->url()),
                  .whose = offer.whose,
                  .issuer = attempt.issuer,
                  .scopes = attempt.scopes,
                  .proven = offer.proven};
}

}  // namespace switchyard::credentials
