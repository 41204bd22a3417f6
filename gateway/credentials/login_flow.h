// How the person who opens a link proves to be the caller that it was made for: signs in at the
// issuer of that caller's tokens (OpenID Connect Core 1.0, authorization code flow with PKCE and a
// nonce), and the subject of the ID token is that caller's. So MCP wants it of elicitation by URL:
// who opens a page is verified to be who was asked. Where the configuration has no login for an
// issuer, nothing is proved; callers by API key or certificate have no issuer to sign in at.
//
// The browser that signed in has the link to itself from then on. Before, anybody who has the link
// may try: somebody else gets no further, and does no more harm than to end an attempt that is
// under way. Nobody is signed in at the gateway by it: it holds for one link. What comes of it is
// told by the same errors as in connect_flow.h. On the home executor of the connections.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "credentials/links.h"
#include "credentials/login.h"
#include "credentials/oauth/metadata.h"
#include "credentials/turn.h"
#include "fetch/fetch.h"

namespace switchyard::credentials {

class LoginFlow {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(20);  // of what a page waits for
  static constexpr Duration kForget = std::chrono::hours(1);      // an issuer's metadata

  // proven; another: somebody else signed in; failed: the issuer's answer was none. By 0 once there
  // are logins: rules that wait for the first one need to have seen none before.
  using Count = std::function<void(std::string_view outcome, unsigned by)>;
  // Somebody else than whose link it is signed in, as `subject`.
  using Another = std::function<void(const Offer& offer, const std::string& subject)>;

  // All of it outlives this. `fetcher` null: there are no links; `another` null: nobody is told.
  LoginFlow(Links& links, const Clock& clock, fetch::Fetcher* fetcher, Count count,
            Another another = nullptr)
      : links_(links),
        clock_(clock),
        fetcher_(fetcher),
        count_(std::move(count)),
        another_(std::move(another)) {}

  // From a reload on; attempts that were begun before are over where they change.
  void Use(std::shared_ptr<const Logins> logins);

  // Whether who has the link may go on with it: nothing is to be proved, or it was.
  bool Proven(const Offer& offer) const;

  // What is shown of a link before anything is proved.
  struct Asked {
    std::string server, issuer;
  };
  // nullopt: nothing is to be proved first, or there is no such link.
  std::optional<Asked> Look(std::string_view token) const;
  // Where the browser is sent.
  Task<Result<std::string>> Begin(std::string token, std::string browser);
  // What it brought back, and to which page: the link's token, with which it goes on.
  Task<Result<std::string>> Finish(std::string path, std::string query, std::string browser);

 private:
  // What is known of an issuer.
  struct Place {
    Tries tries;
    std::optional<oauth::ServerMetadata> found = {};
    TimePoint found_at = {};
  };

  Task<Result<oauth::ServerMetadata>> Locate(std::string issuer, Deadline deadline);
  // `logins` have the issuer of the attempt.
  Task<Result<auth::Identity>> Exchange(std::shared_ptr<const Logins> logins, SignIn attempt,
                                        std::string code);
  Task<auth::Verdict<auth::Identity>> Verify(std::shared_ptr<const Logins> logins,
                                             std::string issuer, std::string token,
                                             std::string nonce, Deadline deadline);

  Links& links_;
  const Clock& clock_;
  fetch::Fetcher* const fetcher_;
  const Count count_;
  const Another another_;
  std::shared_ptr<const Logins> logins_ = std::make_shared<const Logins>();
  std::map<std::string, std::shared_ptr<Place>> places_;  // by issuer
};

}  // namespace switchyard::credentials
