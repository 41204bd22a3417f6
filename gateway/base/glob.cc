#include "base/glob.h"

#include <algorithm>

namespace switchyard {

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

bool GlobCovers(std::string_view wide, std::string_view narrow) {
  // A `?` takes one byte, and a `*` of the other stands for many.
  if (wide.contains('?') && narrow.contains('*')) return wide == narrow;
  return GlobMatches(wide, narrow);
}

std::size_t GlobLiterals(std::string_view pattern) {
  return static_cast<std::size_t>(
      std::ranges::count_if(pattern, [](char c) { return c != '*' && c != '?'; }));
}

bool IsMoreSpecific(std::string_view a, std::string_view b) {
  if (IsPlainName(a) != IsPlainName(b)) return IsPlainName(a);
  return GlobLiterals(a) > GlobLiterals(b);
}

}  // namespace switchyard
