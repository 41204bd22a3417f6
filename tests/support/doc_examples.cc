#include "support/doc_examples.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "support/paths.h"

namespace switchyard::tests {

std::vector<std::string> ExamplesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> examples;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```yaml") {
      inside = true;
      examples.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      examples.back() += line + "\n";
    }
  }
  return examples;
}

std::string FromPolicyPage(const std::string& page, std::size_t example, const std::string& key) {
  const std::vector<std::string> examples =
      ExamplesOf(::switchyard::paths::SourceDir() + "/docs/policies/" + page + ".md");
  std::istringstream text(example < examples.size() ? examples[example] : "");
  std::string found;
  bool below = false;
  for (std::string line; std::getline(text, line);) {
    const bool top = !line.empty() && line.front() != ' ';
    if (top) below = line.starts_with(key + ":");
    if (top && below) found = line.substr(key.size() + 1);
    if (!top && below) found += "\n" + line;
  }
  EXPECT_NE(found, "") << page << ".md, example " << example << " has no " << key;
  return found;
}

std::string ServerFromPolicyPage(const std::string& page, std::size_t example,
                                 const std::string& server) {
  std::istringstream text(FromPolicyPage(page, example, "servers"));
  std::string found;
  bool below = false;
  for (std::string line; std::getline(text, line);) {
    const bool named = line.starts_with("  ") && line.size() > 2 && line[2] != ' ';
    if (named) below = line == "  " + server + ":";
    if (!named && below && !line.starts_with("    url:")) found += "\n" + line;
  }
  EXPECT_NE(found, "") << page << ".md, example " << example << " has no server " << server;
  return found;
}

}  // namespace switchyard::tests
