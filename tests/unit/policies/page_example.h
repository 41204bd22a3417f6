// The YAML example on a policy's page: what stands there works.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "support/paths.h"

namespace switchyard::policies::testing {

// The settings of the policy in the first example of docs/policies/NAME.md, without their key.
inline std::string ExampleOf(const std::string& name) {
  std::ifstream file(::switchyard::paths::SourceDir() + "/docs/policies/" + name + ".md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const std::size_t begin = text.find("```yaml\n") + 8;
  const std::string yaml = text.substr(begin, text.find("```\n", begin) - begin);
  const std::string key = "  " + name + ":\n";
  const std::size_t at = yaml.find(key);
  return at == std::string::npos ? "no example" : yaml.substr(at + key.size());
}

}  // namespace switchyard::policies::testing
