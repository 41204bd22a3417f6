// /connect/...: the pages on which people connect accounts (credentials/connect_flow.h), and
// /admin/connections: which there are, and forgetting them. Thread-safe; the work is done on the
// control thread.
//
//   GET  /connect/TOKEN            what is asked of whom, with a button
//   POST /connect/TOKEN            the button: the browser is sent to the authorization server
//   GET  /connect/login/ISSUER     where it comes back to from signing in, where that comes first
//   GET  /connect/callback/SERVER  where it comes back to, from who has registered the gateway
//   GET  /connect/answer/SERVER    and from who knows it by its document
//   GET  /connect/client/SERVER    the client's document, JSON
//   GET  /admin/connections        {"connections":[{"server":...,"issuer":...,"caller":{...}}]}
//   POST /admin/connections        {"server":"x","action":"forget","caller":{"issuer":..,
//                                  "subject":..}}; without a caller: the gateway's own;
//                                  {"server":"x","action":"connect"} -> {"url":...}, for that one
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "admin/page.h"
#include "base/mailbox.h"
#include "base/seal.h"
#include "base/task.h"
#include "credential_keeper.h"
#include "edge/endpoint.h"

namespace switchyard {

class ConnectPages {
 public:
  static constexpr std::string_view kAdmin = "/admin/connections";

  // `keeper` outlives this.
  ConnectPages(Executor control, CredentialKeeper& keeper)
      : control_(control), keeper_(keeper), proofs_(Sealer::RandomKey()) {}

  // On the thread of `worker`. nullopt: there is no such page.
  Task<std::optional<admin::Page>> Answer(edge::PlainRequest request, Executor worker);

 private:
  using Box = std::shared_ptr<Mailbox<std::optional<admin::Page>>>;

  Task<void> Serve(edge::PlainRequest request, Executor worker, Box box);
  Task<std::optional<admin::Page>> PageFor(edge::PlainRequest request);
  Task<admin::Page> Ask(std::string token, std::string browser);
  Task<admin::Page> Begin(edge::PlainRequest request, std::string token, std::string browser);
  Task<admin::Page> SignedIn(edge::PlainRequest request, std::string browser);
  Task<admin::Page> Finish(edge::PlainRequest request, std::string browser);
  void SetCookie(admin::Page& page, const std::string& browser) const;
  admin::Page Admin(const edge::PlainRequest& request);
  bool secure() const;
  std::string CookieName() const;

  const Executor control_;
  CredentialKeeper& keeper_;
  const Sealer proofs_;  // that a form was on a page of ours, in this browser, and what that said
};

}  // namespace switchyard
