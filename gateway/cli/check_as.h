// `switchyard check FILE --as CALLER TOOL ARGUMENTS`: what the rules of `authorize` say of a call,
// one by one. The configuration alone says it; nothing is started.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/environment.h"

namespace switchyard::cli {

struct CheckAsOptions {
  std::string file;
  std::string caller;  // anonymous, a subject, or {subject: ada, roles: [dev]}
  std::string tool;    // as clients see it, or SERVER/TOOL
  std::string arguments = "{}";
  std::string endpoint = {};  // "" = /mcp
  // As if agents of the caller were registered with these.
  std::vector<std::string> capabilities = {};
  bool json = false;
};

// The exit status: 0 = the call is allowed.
int RunCheckAs(const CheckAsOptions& options, const config::Environment& environment,
               const Clock& clock, std::ostream& out, std::ostream& err);

}  // namespace switchyard::cli
