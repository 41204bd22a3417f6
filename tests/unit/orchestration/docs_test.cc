// docs/orchestration.md and docs/patterns.md do what they say: each tool's request gives the reply
// that stands under it.
#include <algorithm>
#include <map>
#include <set>
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

// Each in a service that is new: whoever follows one need not have followed the others.
TEST(PatternsPage, EachPatternGivesTheRepliesThatStandThere) {
  std::map<std::string, Room> rooms;
  std::set<std::string> mixed;
  for (const PageExample& example : PageExamples("patterns.md")) {
    Room& room = rooms[example.section];
    const json::object reply = room.Get(example.tool, example.request);
    EXPECT_FALSE(reply.contains("error")) << json::serialize(reply);
    EXPECT_EQ(json::value(reply), json::parse(example.reply))
        << example.section << ", ### " << example.tool << "\n"
        << json::serialize(reply);
    room.now += 1000;
    mixed.insert(example.tool);
  }
  EXPECT_EQ(rooms.size(), 4U);
  EXPECT_GT(mixed.size(), 15U);
  // What was begun in one is done at its end.
  for (auto& [pattern, room] : rooms) {
    EXPECT_EQ(room.Get("get_queue_metrics").at("active_tasks"), json::value(0)) << pattern;
  }
}

}  // namespace
}  // namespace switchyard::orchestration
