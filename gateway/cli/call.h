// `switchyard call TOOL '{json}'`: one tool call, its progress on stderr, its result on stdout.
#pragma once

#include <chrono>
#include <istream>
#include <ostream>
#include <string>

#include "cli/reach.h"

namespace switchyard::cli {

struct CallOptions {
  Where where;
  std::string tool;
  std::string arguments = "{}";  // "-" = read from `in`
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  bool json = false;      // the raw result
  bool terminal = false;  // stdout is one: control characters are kept away from it
};

// 1 also when the tool itself reports an error.
int RunCall(const CallOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace switchyard::cli
