// Words of what is said of a configuration.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace switchyard::config {

inline std::string Join(const std::vector<std::string>& words, const char* between = ", ") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

inline std::string Count(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

}  // namespace switchyard::config
