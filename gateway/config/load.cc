#include "config/load.h"

#include <utility>

#include "config/read.h"
#include "config/section.h"

namespace switchyard::config {

LoadResult Load(const std::string& path, std::span<const PolicyKey> keys, const Environment& env) {
  auto text = env.ReadFile(path);
  if (!text) {
    return std::unexpected(std::vector<Problem>{{.severity = Severity::kError,
                                                 .file = path,
                                                 .at = {},
                                                 .path = "",
                                                 .message = "cannot read: " + text.error()}});
  }
  return LoadText(std::move(*text), path, keys, env);
}

LoadResult LoadText(std::string text, std::string file, std::span<const PolicyKey> keys,
                    const Environment& env) {
  Document document(std::move(text), std::move(file), env);
  Config config = ReadConfig(document, keys);
  const Problems& problems = document.problems();
  std::vector<Problem> warnings = problems.Warnings();
  if (!problems.has_errors()) {
    return Loaded{std::move(config), std::move(warnings), document.environment()};
  }
  std::vector<Problem> all = problems.Errors();
  all.insert(all.end(), warnings.begin(), warnings.end());
  return std::unexpected(std::move(all));
}

}  // namespace switchyard::config
