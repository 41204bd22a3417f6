// ${NAME}, ${NAME:-default} and ${file:path} inside one value; $${ stands for a literal ${.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"

namespace switchyard::config {

struct Expanded {
  std::string value;
  std::string shown;  // the text as written, without defaults: never holds what was expanded
  bool expanded = false;
};

struct ExpandProblem {
  std::size_t offset = 0;  // of `token` in the text
  std::string token;       // as written: "${NAME"
  std::string message;
};

inline constexpr std::size_t kMaxExpanded = 1024 * 1024;

// Relative paths start at `directory`. All problems of the text, not only the first. Not nested:
// what was expanded is not looked at again, so a variable cannot inject an expansion.
std::expected<Expanded, std::vector<ExpandProblem>> Expand(std::string_view text,
                                                           const std::string& directory,
                                                           const Environment& environment);

}  // namespace switchyard::config
