// `switchyard approvals` and `switchyard approve`: what waits for a person at a running gateway,
// and deciding it, by its admin API.
#pragma once

#include <ostream>
#include <string>

#include "cli/reach.h"

namespace switchyard::cli {

struct ApprovalsOptions {
  Where where;
  std::string token;  // of the admin API; "" = that of the configuration, if any
  bool json = false;  // what the gateway says, as it is
};
struct ApproveOptions {
  ApprovalsOptions gateway;
  std::string id;
  bool deny = false;
  std::string reason;
  std::string by;  // who decides, as they say themselves; "" = not said
};

// 0 listed or decided; 1 refused or gone; 3 nobody there. Starts nothing.
int RunApprovals(const ApprovalsOptions& options, std::ostream& out, std::ostream& err);
int RunApprove(const ApproveOptions& options, std::ostream& out, std::ostream& err);

}  // namespace switchyard::cli
