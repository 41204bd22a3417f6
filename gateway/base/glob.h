// Globs over names: `*` is any run of bytes, `?` exactly one, everything else itself. Linear in the
// length of the text times that of the pattern, whatever the pattern. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace switchyard {

bool GlobMatches(std::string_view pattern, std::string_view text);

// Whether it is a name like any other.
inline bool IsPlainName(std::string_view pattern) {
  return pattern.find_first_of("*?") == std::string_view::npos;
}

// Whether all that `narrow` matches `wide` does, too, as far as their form alone says it.
bool GlobCovers(std::string_view wide, std::string_view narrow);

// How many bytes of the pattern stand for themselves.
std::size_t GlobLiterals(std::string_view pattern);

// Of two patterns that match the same text: `a` says more exactly what it means. A plain name does
// so more than any pattern, then the one with the longer literal part. Neither of two equals does.
bool IsMoreSpecific(std::string_view a, std::string_view b);

}  // namespace switchyard
