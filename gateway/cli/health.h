// `switchyard health`: is a running gateway ready, and which of its servers are up.
#pragma once

#include <ostream>

#include "cli/reach.h"

namespace switchyard::cli {

struct HealthOptions {
  Where where;
  bool json = false;  // what /readyz says, as it is
};

// 0 ready, 1 not ready, 3 nobody there. Starts nothing.
int RunHealth(const HealthOptions& options, std::ostream& out, std::ostream& err);

}  // namespace switchyard::cli
