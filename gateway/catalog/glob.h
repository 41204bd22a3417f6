// Globs over names: `*` is any run of bytes, `?` exactly one, everything else itself. Linear in the
// length of the text times that of the pattern, whatever the pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace switchyard::catalog {

bool GlobMatches(std::string_view pattern, std::string_view text);

// What an operator filtered: matches an include (none = everything) and no exclude.
bool Selects(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
             std::string_view name);

}  // namespace switchyard::catalog
