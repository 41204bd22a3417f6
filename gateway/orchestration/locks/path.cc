#include "orchestration/locks/path.h"

#include <algorithm>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {
namespace {

constexpr std::string_view kSlashes = "/\\";

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

Result<std::string> NormalPath(std::string_view path) {
  if (path.size() > kMaxPath) {
    return Refused("file_path must have 1 to " + std::to_string(kMaxPath) + " bytes, got " +
                   std::to_string(path.size()));
  }
  if (std::ranges::any_of(path, IsControl)) {
    return Refused("file_path must have no control characters");
  }
  std::vector<std::string_view> steps;
  while (!path.empty()) {
    const std::string_view step = path.substr(0, path.find_first_of(kSlashes));
    path.remove_prefix(std::min(step.size() + 1, path.size()));
    if (step.empty() || step == ".") continue;
    if (step != "..") {
      steps.push_back(step);
    } else if (steps.empty()) {
      return Refused("file_path leads above the root that agents share; name a file below it");
    } else {
      steps.pop_back();
    }
  }
  if (steps.empty()) return Refused("file_path names no file");
  std::string normal;
  for (const std::string_view step : steps) {
    if (!normal.empty()) normal += '/';
    normal += step;
  }
  return normal;
}

}  // namespace switchyard::orchestration
