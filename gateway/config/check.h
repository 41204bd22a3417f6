// `switchyard check FILE [--json]`: says what is wrong with a configuration file, or what it means.
#pragma once

#include <ostream>
#include <span>
#include <string>

#include "config/config.h"
#include "config/environment.h"

namespace switchyard::config {

// Returns the exit status: 0 = fine, with a summary of the effective configuration on `out` and
// warnings on `err`; 1 = problems, one a line on `err`. With `json` one document on `out`, either
//   {"ok":true,"problems":[...warnings],"config":{...}}  or
//   {"ok":false,"problems":[{"severity","file","line","column","path","message"}]}.
int RunCheck(const std::string& path, bool json, std::ostream& out, std::ostream& err,
             std::span<const PolicyKey> keys,
             const Environment& environment = ProcessEnvironment());

}  // namespace switchyard::config
