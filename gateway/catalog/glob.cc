#include "catalog/glob.h"

#include <algorithm>

namespace switchyard::catalog {

bool Selects(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
             std::string_view name) {
  const auto matches = [name](const std::string& glob) { return GlobMatches(glob, name); };
  return (include.empty() || std::ranges::any_of(include, matches)) &&
         std::ranges::none_of(exclude, matches);
}

}  // namespace switchyard::catalog
