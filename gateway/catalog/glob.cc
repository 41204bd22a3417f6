#include "catalog/glob.h"

#include <algorithm>

namespace switchyard::catalog {

bool GlobMatches(std::string_view pattern, std::string_view text) {
  // Backtracking to the last star only is enough: an earlier star can never do better.
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, t = 0, star = kNone, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != kNone) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Selects(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
             std::string_view name) {
  const auto matches = [name](const std::string& glob) { return GlobMatches(glob, name); };
  return (include.empty() || std::ranges::any_of(include, matches)) &&
         std::ranges::none_of(exclude, matches);
}

}  // namespace switchyard::catalog
