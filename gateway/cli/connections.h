// `switchyard connections`: the accounts that users connected to servers at a running gateway, by
// its admin API: which there are, forgetting one, and a link for the gateway's own.
#pragma once

#include <ostream>
#include <string>

#include "cli/admin_api.h"

namespace switchyard::cli {

struct ConnectionsOptions {
  AdminOptions gateway;
  bool json = false;            // what the gateway says, as it is
  std::string connect;          // a server; "" = none
  std::string forget;           // a server; "" = none
  std::string issuer, subject;  // whose, with `forget`; both "" = the gateway's own
};

// 0 listed or done; 1 refused or not there; 2 half of a name; 3 nobody there. Starts nothing.
int RunConnections(const ConnectionsOptions& options, std::ostream& out, std::ostream& err);

}  // namespace switchyard::cli
