// Every tool as docs/orchestration.md shows it, and that no statement behind any of them looks
// through a table that grows with the work: a new tool is judged as soon as it is on its page.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "unit/orchestration/page.h"
#include "unit/orchestration/recorder.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

// Bounded by a number that is small beside that of tasks: agents and what they can do (10 000
// agents), lanes, and what is counted. CONSTANT is how a VALUES reads in a plan.
// recent: what a part in brackets found, up to its LIMIT.
constexpr std::array<std::string_view, 7> kSmall = {"agent",   "capability", "lane",  "tally",
                                                    "counter", "CONSTANT",   "recent"};

class PagePlans : public ::testing::Test {
 protected:
  void Call(const PageExample& example) {
    Arguments arguments(example.request);
    Result<Operation> operation =
        FindTool(std::string(kToolPrefix) + example.tool)->prepare(arguments);
    ASSERT_TRUE(operation.has_value()) << example.tool << ": " << operation.error().message;
    const auto done = room.Do([&](Records& records) {
      Recorder recorder(records.sql, seen);
      Records recorded{.sql = recorder,
                       .now = records.now,
                       .settings = records.settings,
                       .caller = records.caller};
      return operation->run(recorded);
    });
    EXPECT_TRUE(done.has_value()) << example.tool << ": " << done.error().message;
  }
  void Judge(const std::string& sql, const std::string& step) const {
    if (step.starts_with("SCAN ")) {
      const std::string table = step.substr(5, step.find(' ', 5) - 5);
      const bool own = table.starts_with('(') || sql.contains(table + " AS (");  // of the statement
      EXPECT_TRUE(own || std::ranges::find(kSmall, table) != kSmall.end())
          << sql << "\n  " << step << "\n  give it an index, or bound the table and name it above";
    }
    EXPECT_TRUE(!step.contains("TEMP B-TREE FOR ORDER BY") || sql.contains("GROUP BY"))
        << sql << "\n  " << step;
    EXPECT_FALSE(step.contains("AUTOMATIC")) << sql << "\n  an index that is made each time";
  }

  Room room;
  std::set<std::string> seen, plans;  // texts outlive the statements
};

TEST_F(PagePlans, NothingOfThePageLooksThroughTheTasks) {
  for (const PageExample& example : PageExamples()) {
    Call(example);
    room.now += 1000;
  }
  for (const std::string& sql : seen) {
    const std::string& explain = *plans.insert("EXPLAIN QUERY PLAN " + sql).first;
    const auto rows = room.Do([&](Records& records) { return records.sql.Query(explain); });
    ASSERT_TRUE(rows.has_value()) << sql;
    for (const Database::Row& row : *rows) Judge(sql, row.Text(3));
  }
  EXPECT_GT(seen.size(), 30U);
}

}  // namespace
}  // namespace switchyard::orchestration
