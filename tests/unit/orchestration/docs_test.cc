// docs/orchestration.md does what it says: each tool's request gives the reply that stands under
// it.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/orchestration/page.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

TEST(OrchestrationPage, EachExampleGivesTheReplyThatStandsUnderIt) {
  Room room;
  for (const PageExample& example : PageExamples()) {
    const json::object reply = room.Get(example.tool, example.request);
    EXPECT_EQ(json::value(reply), json::parse(example.reply)) << "### " << example.tool << "\n"
                                                              << json::serialize(reply);
    room.now += 1000;
  }
}

TEST(OrchestrationPage, HasAllTools) {
  std::vector<std::string> shown, known;
  for (const PageExample& example : PageExamples()) shown.push_back(example.tool);
  for (const Tool& tool : Tools()) known.emplace_back(tool.name);
  std::ranges::sort(shown);
  const auto twice = std::ranges::unique(shown);
  shown.erase(twice.begin(), twice.end());
  std::ranges::sort(known);
  EXPECT_EQ(shown, known);
}

}  // namespace
}  // namespace switchyard::orchestration
