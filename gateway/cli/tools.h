// `switchyard tools`: what a gateway offers, and which servers are missing.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/reach.h"

namespace switchyard::cli {

struct ToolsOptions {
  Where where;
  bool json = false;      // the raw result (all pages in one)
  std::size_t width = 0;  // of a line, 0 = unlimited
};

int RunTools(const ToolsOptions& options, std::ostream& out, std::ostream& err);

// Every page of tools/list in one result; `error` is set when the gateway refused.
Result<Answer> ListTools(Client& client, Duration timeout);

}  // namespace switchyard::cli
