// From a file to a checked Config. The only way in: `serve`, `check`, reload and the fuzzer all
// come through here. Pure apart from what Environment reads; safe to call from any thread.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/environment.h"
#include "config/problem.h"
#include "config/remembered.h"

namespace switchyard::config {

struct Loaded {
  Config config;
  std::vector<Problem> warnings;
  // Of the document: what is said of the configuration elsewhere goes through its Hide().
  std::shared_ptr<const Remembered> expanded;
};

using LoadResult = std::expected<Loaded, std::vector<Problem>>;

// `keys` are the policies that exist; any other name under `policies` is a problem. On failure all
// errors come back, in file order, followed by the warnings.
LoadResult Load(const std::string& path, std::span<const PolicyKey> keys, const Environment& env);

// `file` names the text in problems; relative ${file:...} paths start at its directory.
LoadResult LoadText(std::string text, std::string file, std::span<const PolicyKey> keys,
                    const Environment& env);

}  // namespace switchyard::config
