// /admin/approvals: what waits for a person, and what they decide, over HTTP. Safe from any thread.
//
//   GET  /admin/approvals        200 {"approvals":[...]}, as approvals::ToJson() has them
//   POST /admin/approvals/ID     {"decision":"approve" or "deny","reason":"...","by":"ada"}
//                                200 the approval; 404 gone, 409 decided before, 403 not theirs
//
// Who asks shows `Authorization: Bearer TOKEN` (admin.token). Without a token only this machine may
// ask, and no web page: see Access.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/page.h"
#include "approvals/desk.h"
#include "base/digest.h"

namespace switchyard::admin {

inline constexpr std::string_view kApprovalsPath = "/admin/approvals";

// Who may use the admin API.
struct Access {
  std::optional<Sha256Digest> token = {};  // its digest
  // Without a token: whether all who reach the listener may, since that is this machine alone and
  // nobody has to say who they are anywhere.
  bool open = false;

  static Access Of(std::string_view token, bool open);
};

// Host and Origin were checked as for all requests (edge/endpoint.h).
struct Asked {
  std::string method = {}, path = {}, content_type = {}, body = {};
  std::string authorization = {};  // the header's value
  bool from_page = false;          // it has an Origin: a browser says which page it is of
  bool forwarded = false;          // a proxy says that it is somebody else's
};

// What who may not use it is answered; nullopt: they may.
std::optional<Page> Turned(const Access& access, const Asked& asked);

// nullopt: nothing is there.
std::optional<Page> ApprovalsPage(approvals::Desk& desk, const Access& access, const Asked& asked);

// What a POST says; the error is for its sender.
struct Decision {
  bool approve = false;
  std::string reason, by;
};
Result<Decision> ReadDecision(std::string_view body);

}  // namespace switchyard::admin
