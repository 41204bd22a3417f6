// What a caller is told that may not use something, or not so, or not now. Of policies/authorize.cc
// alone. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/call.h"
#include "policies/authorize/rulebook.h"

namespace switchyard::policies::authorize {

// With these scopes it would be allowed: an HTTP client is told which to get.
Error LacksScopes(const Call& call, const std::vector<std::string>& scopes);

// `rule`: its name, for the log alone.
Error Refusal(const Call& call, const Verdict& verdict, std::string_view rule);

}  // namespace switchyard::policies::authorize
