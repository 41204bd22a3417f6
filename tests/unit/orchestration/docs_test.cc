// docs/orchestration.md does what it says: each tool's request gives the reply that stands under
// it.
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/paths.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

struct Example {
  std::string tool = {}, request = {}, reply = {};
};

std::vector<Example> Examples() {
  std::ifstream page(::switchyard::paths::SourceDir() + "/docs/orchestration.md");
  std::vector<Example> examples;
  std::string line;
  while (std::getline(page, line)) {
    // "### tool", or "### tool: what for" of one that is shown again.
    if (line.starts_with("### ")) examples.push_back({.tool = line.substr(4, line.find(':') - 4)});
    if (line != "```json" || examples.empty()) continue;
    std::string text;
    while (std::getline(page, line) && line != "```") text += line;
    Example& last = examples.back();
    (last.request.empty() ? last.request : last.reply) = text;
  }
  return examples;
}

TEST(OrchestrationPage, EachExampleGivesTheReplyThatStandsUnderIt) {
  Room room;
  for (const Example& example : Examples()) {
    const json::object reply = room.Get(example.tool, example.request);
    EXPECT_EQ(json::value(reply), json::parse(example.reply)) << "### " << example.tool << "\n"
                                                              << json::serialize(reply);
    room.now += 1000;
  }
}

TEST(OrchestrationPage, HasAllTools) {
  std::vector<std::string> shown, known;
  for (const Example& example : Examples()) shown.push_back(example.tool);
  for (const Tool& tool : Tools()) known.emplace_back(tool.name);
  std::ranges::sort(shown);
  const auto again = std::ranges::unique(shown);
  shown.erase(again.begin(), again.end());
  std::ranges::sort(known);
  EXPECT_EQ(shown, known);
}

}  // namespace
}  // namespace switchyard::orchestration
