#include "credentials/connect_flow.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "base/token.h"
#include "config/redact.h"
#include "credentials/oauth/authorization.h"
#include "credentials/oauth/exchange.h"
#include "credentials/oauth/url.h"

namespace switchyard::credentials {
namespace {

std::unexpected<Error> Gone() {
  return Failure(Code::kNotFound, Origin::kClient,
                 "This link was used already, took too long, or never was one. Make the call again "
                 "to get another one.");
}

std::unexpected<Error> OtherBrowser() {
  return Failure(Code::kForbidden, Origin::kClient,
                 "This was begun in another browser. Go on there, or wait until the link has ended "
                 "and make the call again.");
}

// What was wrong is for the log: it may be what somebody else said.
std::unexpected<Error> NotNow(const std::string& server, const Error& error) {
  spdlog::warn("server {}: no account can be connected: {}{}{}", server, error.message,
               error.detail.empty() ? "" : ": ", error.detail);
  return Failure(Code::kUnavailable, Origin::kServer,
                 "The account cannot be connected now. Whoever runs this gateway finds the reason "
                 "in its log.");
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
  if (offer == nullptr) co_return Gone();
  if (!offer->browser.empty() && offer->browser != browser) co_return OtherBrowser();
  const std::string server = offer->server;
  Place place{.source = find_(server), .found = {}, .scopes = offer->scopes};
  if (place.source == nullptr) co_return Gone();
  Result<oauth::Discovered> found = co_await place.source->Locate(Deadline::In(clock_, kTimeout));
  if (!found) co_return NotNow(server, found.error());
  place.scopes = oauth::ScopesFor(place.scopes, place.source->config().scopes,
                                  found->scopes_supported, found->server);
  place.found = std::move(*found);
  co_return place;
}

Task<Result<ConnectFlow::Shown>> ConnectFlow::Look(std::string token, std::string browser) {
  Result<Place> place = co_await PlaceOf(token, std::move(browser));
  if (!place) co_return Failure(std::move(place.error()));
  const Offer* offer = links_.Find(token);
  if (offer == nullptr) co_return Gone();
  co_return Shown{.server = offer->server,
                  .url = config::RedactUrl(place->source->url()),
                  .whose = offer->whose,
                  .issuer = std::move(place->found.server.issuer),
                  .scopes = std::move(place->scopes)};
}

// In the order of the MCP specification: registered before, a document, registering.
Task<Result<oauth::Client>> ConnectFlow::ClientFor(std::shared_ptr<Connections> source,
                                                   oauth::ServerMetadata server,
                                                   Deadline deadline) {
  const std::string name = source->name();
  const oauth::Self self = SelfOf(name);
  if (auto known = source->ClientAt(server.issuer, self.redirect_uri)) co_return *known;
  Result<oauth::Client> client =
      Failure(Code::kInvalid, Origin::kGateway,
              "its authorization server takes no client that it does not know: register the "
              "gateway there and set client_id");
  switch (oauth::WayOf(server, self)) {
    case oauth::Way::kNone: co_return client;
    case oauth::Way::kDocument:
      client = oauth::Client{.id = self.document_url, .auth_method = "none"};
      break;
    case oauth::Way::kRegister:
      client = co_await oauth::Register(*fetcher_, self, server, deadline);
  }
  if (client) source->KeepClient(server.issuer, self.redirect_uri, *client);
  co_return client;
}

Task<Result<std::string>> ConnectFlow::Begin(std::string token, std::string browser) {
  if (browser.empty()) co_return OtherBrowser();
  Result<Place> place = co_await PlaceOf(token, browser);
  if (!place) co_return Failure(std::move(place.error()));
  const std::string name = place->source->name();
  const oauth::ServerMetadata server = place->found.server;
  Result<oauth::Client> client =
      co_await ClientFor(place->source, server, Deadline::In(clock_, kTimeout));
  if (!client) co_return NotNow(name, client.error());
  oauth::Attempt attempt{.state = RandomToken(),
                         .verifier = RandomToken() + RandomToken(),
                         .issuer = server.issuer,
                         .says_issuer = server.says_issuer,
                         .client_id = std::move(client->id),
                         .redirect_uri = SelfOf(name).redirect_uri,
                         .resource = place->found.resource,
                         .scopes = std::move(place->scopes)};
  Result<std::string> url = oauth::AuthorizationUrl(server, attempt);
  if (!url) co_return NotNow(name, url.error());
  // Meanwhile somebody else may have begun, or it is over.
  Offer* offer = links_.Find(token);
  if (offer == nullptr) co_return Gone();
  if (!offer->browser.empty() && offer->browser != browser) co_return OtherBrowser();
  offer->browser = std::move(browser);
  offer->attempt = std::move(attempt);
  co_return url;
}

Task<Result<ConnectFlow::Shown>> ConnectFlow::Finish(std::string server, std::string query,
                                                     std::string browser) {
  const std::optional<oauth::Fields> fields = oauth::ReadForm(query);
  const auto state = fields ? oauth::Find(*fields, "state") : std::nullopt;
  Offer* offer = state ? links_.ByState(*state) : nullptr;
  if (offer == nullptr || offer->server != server) co_return Gone();
  if (browser.empty() || offer->browser != browser) co_return OtherBrowser();
  Offer mine = *offer;
  // Once, whatever comes of it; the button begins anew.
  offer->attempt.reset();
  const Result<std::string> code = oauth::CodeIn(*fields, *mine.attempt);
  if (!code) {
    spdlog::warn("server {}: an account was not connected: {}", server, code.error().message);
    co_return Failure(Code::kForbidden, Origin::kServer,
                      "The account was not connected: " + code.error().message + ".");
  }
  Result<Shown> shown = co_await Exchange(std::move(mine), *code);
  co_return shown;
}

Task<Result<ConnectFlow::Shown>> ConnectFlow::Exchange(Offer offer, std::string code) {
  const oauth::Attempt& attempt = *offer.attempt;
  const std::shared_ptr<Connections> source = find_(offer.server);
  if (source == nullptr) co_return Gone();
  const Deadline deadline = Deadline::In(clock_, kTimeout);
  Result<oauth::Discovered> found = co_await source->Locate(deadline);
  if (!found) co_return NotNow(offer.server, found.error());
  const std::optional<oauth::Client> client = source->ClientAt(attempt.issuer);
  // The code goes to who gave it, and to nobody who took that one's place meanwhile.
  if (found->server.issuer != attempt.issuer || !client || client->id != attempt.client_id) {
    co_return Gone();
  }
  Result<oauth::Token> token = co_await oauth::AskForToken(
      *fetcher_, clock_, *client, found->server,
      oauth::CodeGrant(code, attempt.verifier, attempt.redirect_uri, attempt.resource),
      attempt.scopes, deadline);
  if (!token) {
    if (token.error().message.contains("_client")) source->ForgetClient(attempt.issuer);
    co_return NotNow(offer.server, token.error());
  }
  // Who forgot the connection meanwhile took the link back as well.
  if (links_.Find(offer.token) == nullptr) co_return Gone();
  links_.Drop(offer.token);
  source->Keep(offer.whose, {.token = std::move(*token),
                             .asked = attempt.scopes,
                             .issuer = attempt.issuer,
                             .resource = attempt.resource});
  spdlog::info("server {}: an account was connected", offer.server);
  co_return Shown{.server = offer.server,
                  .url = config::RedactUrl(source->url()),
                  .whose = offer.whose,
                  .issuer = attempt.issuer,
                  .scopes = attempt.scopes};
}

}  // namespace switchyard::credentials
