// What an operator filtered by globs (base/glob.h). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"

namespace switchyard::catalog {

using switchyard::GlobMatches;

// Matches an include (none = everything) and no exclude.
bool Selects(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
             std::string_view name);

}  // namespace switchyard::catalog
