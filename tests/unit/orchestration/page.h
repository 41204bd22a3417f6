// The examples of docs/orchestration.md and docs/patterns.md: of each tool a request that it takes,
// and its reply.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "support/paths.h"

namespace switchyard::orchestration {

struct PageExample {
  std::string tool = {}, request = {}, reply = {};
  std::string section = {};
};

// In the order of the page, which is that in which they follow from each other.
inline std::vector<PageExample> PageExamples(const std::string& name = "orchestration.md") {
  std::ifstream page(::switchyard::paths::SourceDir() + "/docs/" + name);
  std::vector<PageExample> examples;
  std::string line, section;
  while (std::getline(page, line)) {
    if (line.starts_with("## ")) section = line.substr(3);
    // "### tool", or "### tool: what for" of one that is shown again.
    if (line.starts_with("### ")) {
      examples.push_back({.tool = line.substr(4, line.find(':') - 4), .section = section});
    }
    if (line != "```json" || examples.empty()) continue;
    std::string text;
    while (std::getline(page, line) && line != "```") text += line;
    PageExample& last = examples.back();
    (last.request.empty() ? last.request : last.reply) = text;
  }
  return examples;
}

}  // namespace switchyard::orchestration
