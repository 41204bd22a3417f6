// How a person connects an account: from the page of the gateway to the authorization server and
// back (OAuth 2.1 authorization code flow with PKCE, RFC 7636, 8707, 9207; MCP authorization). What
// is shown and how is that of who asks; see gateway/connect_pages.h.
//
// `browser` is what a cookie of this browser holds, a random text; "" = it has none. The first one
// that begins has the link to itself; what comes back to another one is not believed. The page that
// it comes back to is one for each server, and another one where the gateway is known by a
// document: that name anybody may use anywhere, so what comes back there has to say who answers
// (`iss`), or the configuration does (RFC 9700 section 4.4).
//
// All on the home executor of the connections. Errors are for the person who looks at the page:
// kNotFound: no such link, or it is over; kForbidden: not this browser, or it was refused;
// kUnavailable: not now.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "credentials/connections.h"
#include "credentials/links.h"
#include "credentials/oauth/form.h"
#include "credentials/oauth/registration.h"
#include "fetch/fetch.h"

namespace switchyard::credentials {

class ConnectFlow {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(20);  // of what a page waits for

  // Of a server that accounts are connected to; null: there is no such one.
  using Find = std::function<std::shared_ptr<Connections>(std::string_view server)>;

  // Whether nobody but the caller can have come so far; see login_flow.h.
  using Proven = std::function<bool(const Offer&)>;

  // All of it outlives this.
  // `fetcher` null: there are no such servers. `proven` null: that is not asked.
  ConnectFlow(Links& links, const Clock& clock, fetch::Fetcher* fetcher, Find find,
              Proven proven = nullptr)
      : links_(links),
        clock_(clock),
        fetcher_(fetcher),
        find_(std::move(find)),
        proven_(std::move(proven)) {}

  // What the person is to read before anything is done.
  struct Shown {
    std::string server, url;  // of the MCP server
    Whose whose;
    std::string issuer;        // of the authorization server
    std::string sign_in = {};  // the origin where the browser is sent; "" = the issuer's own
    std::vector<std::string> scopes;
    bool proven = false;  // the person is the caller: signed in as that one
  };
  Task<Result<Shown>> Look(std::string token, std::string browser);
  // What of it the person agrees to, as a short text: who is asked for what. Two that differ in it
  // differ here.
  static std::string TermsOf(const Shown& shown);
  // Where the browser is sent. `terms`: of what the person was shown; nullopt: what would be asked
  // for now is something else, and is to be shown first.
  Task<Result<std::optional<std::string>>> Begin(std::string token, std::string browser,
                                                 std::string terms);
  // What it brought back to the page at `path`.
  Task<Result<Shown>> Finish(std::string path, std::string query, std::string browser);

  // The document by which authorization servers know the gateway that take one (Client ID Metadata
  // Documents), JSON; "" = there is none.
  std::string ClientDocumentOf(std::string_view server) const;

 private:
  struct Place;
  static Shown ShownOf(const Offer& offer, const Place& place);
  Task<Result<Place>> PlaceOf(std::string token, std::string browser);
  // The gateway as a client, and where those come back to who know it as that.
  struct Known {
    oauth::Client client;
    std::string redirect_uri;
  };
  Task<Result<Known>> ClientFor(std::shared_ptr<Connections> source, oauth::ServerMetadata server,
                                Deadline deadline);
  Task<Result<Shown>> Exchange(Offer offer, std::string code);
  bool IsProven(const Offer& offer) const { return !proven_ || proven_(offer); }
  oauth::Self SelfOf(std::string_view server) const;

  Links& links_;
  const Clock& clock_;
  fetch::Fetcher* const fetcher_;
  const Find find_;
  const Proven proven_;
};

}  // namespace switchyard::credentials
