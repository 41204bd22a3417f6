// `switchyard check FILE [--json] [--explain TOOL [--endpoint E]]`: says what is wrong with a
// configuration file, or what it means, or what it means for one tool.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>

#include "config/config.h"
#include "config/environment.h"
#include "config/explain.h"
#include "config/problem.h"

namespace switchyard::config {

// What a good configuration leaves to be asked, such as whether a directory can be used.
using Look = std::function<std::optional<Problem>(const Config&)>;

// Returns the exit status: 0 = fine, with a summary of the effective configuration on `out` and
// warnings on `err`; 1 = problems, one a line on `err`. With `json` one document on `out`, either
//   {"ok":true,"problems":[...warnings],"config":{...}}  or
//   {"ok":false,"problems":[{"severity","file","line","column","path","message"}]}.
// With a tool to explain it says that instead of the summary, in JSON as "explained"; a tool that
// nobody can be said to have is 1, too.
int RunCheck(const std::string& path, bool json, std::ostream& out, std::ostream& err,
             std::span<const PolicyKey> keys, const Environment& environment = ProcessEnvironment(),
             const ExplainRequest& explain = {}, const Look& look = {});

}  // namespace switchyard::config
