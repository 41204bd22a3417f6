// Files of earlier versions of the service, and what is counted in them.
#include "orchestration/schema.h"

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "unit/orchestration/counted.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

// Before lanes counted all tasks that are not over.
constexpr std::size_t kEarlier = 6;
// Before there was one row of numbers for each priority, and shares of callers.
constexpr std::size_t kBeforeTallies = 11;

class OrchestrationSchema : public ::testing::Test {
 protected:
  // A file as it was after so many steps, with these rows.
  void Make(std::size_t steps, const std::vector<std::string_view>& rows) {
    DatabaseSchema earlier = Schema();
    earlier.steps = earlier.steps.first(steps);
    const auto database = std::move(*store::SqliteDatabase::Open({.path = file}, earlier));
    std::promise<Result<void>> over;
    database->Submit(
        [&rows](Database::Transaction& sql) -> Result<void> {
          Result<void> done = {};
          for (const std::string_view row : rows) {
            if (done) done = sql.Execute(row);
          }
          return done;
        },
        [&](Result<void> done) { over.set_value(std::move(done)); });
    const Result<void> done = over.get_future().get();
    ASSERT_TRUE(done.has_value()) << done.error().detail;
  }
  static std::int64_t Number(Room& room, std::string_view sql) {
    return room.Do([&](Records& records) { return records.sql.Query(sql); })->front().Number(0);
  }

  const tests::TempDir directory;
  const std::string file = directory.Path("o.db");
};

#define SWITCHYARD_TASKS                                                                           \
  "INSERT INTO task (id, status, priority, lane, due, waits_for, task_type, content, "             \
  "requirements, creator, created_at, deadline, attempts, max_attempts, assigned_at, started_at, " \
  "finished_at, lease_ms, fence) VALUES "

TEST_F(OrchestrationSchema, TasksOfAnEarlierFileGetTheirLanes) {
  // One is ready, one waits for it in a lane that it does not have yet, one is over.
  Make(kEarlier,
       {SWITCHYARD_TASKS "(1, 0, 1, 4, 0, 0, 'a', 'x', '[]', '', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
                         "(2, 0, 1, 0, 0, 1, 'b', 'x', '[]', '', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
                         "(3, 3, 1, 5, 0, 0, 'c', 'x', '[]', '', 1, 0, 1, 3, 1, 1, 1, 0, 1)",
        "INSERT INTO dependency (task, needs) VALUES (2, 1)",
        "INSERT INTO lane (id, task_type, requirements, ready) VALUES (4, 'a', '[]', 1), "
        "(5, 'c', '[]', 0)",
        "UPDATE tally SET tasks = 2 WHERE status = 0 AND priority = 1",
        "UPDATE tally SET tasks = 1 WHERE status = 3 AND priority = 1",
        "UPDATE counter SET value = 5 WHERE name = 'lane'",
        "UPDATE counter SET value = 3 WHERE name = 'task'"});
  Room room(file);
  EXPECT_EQ(Miscounted(room), "");
  EXPECT_EQ(Number(room, "SELECT count(*) FROM lane WHERE unfinished = 1"), 2);
  EXPECT_EQ(Number(room, "SELECT value FROM counter WHERE name = 'lanes'"), 3);
  EXPECT_EQ(Number(room, "SELECT value FROM counter WHERE name = 'lane'"), 6);
  room.Register("a");
  for (const char* id : {"task_00000001", "task_00000002"}) {
    EXPECT_EQ(room.Claim("a"), id);
    room.Get("start_task", Room::Id(id));
    EXPECT_EQ(room.Refusal("complete_task", Room::Id(id)), "");
  }
  EXPECT_EQ(Number(room, "SELECT count(*) FROM lane WHERE unfinished = 0 AND ready = 0"), 3);
  EXPECT_EQ(Miscounted(room), "");
}

// Of two callers and of nobody, in all states and priorities.
TEST_F(OrchestrationSchema, TasksOfAnEarlierFileAreCountedAsTheyAre) {
  Make(kBeforeTallies,
       {"INSERT INTO lane (id, task_type, requirements, ready, unfinished) VALUES (1, 'a', '[]', "
        "3, 5)",
        SWITCHYARD_TASKS "(1, 0, 0, 1, 0, 0, 'a', 'x', '[]', 'alice', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
                         "(2, 0, 2, 1, 0, 0, 'a', 'x', '[]', 'bob', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
                         "(3, 0, 2, 1, 0, 0, 'a', 'x', '[]', '', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
                         "(4, 1, 1, 1, 0, 0, 'a', 'x', '[]', 'alice', 1, 0, 1, 3, 1, 0, 0, 1, 1), "
                         "(5, 2, 0, 1, 0, 0, 'a', 'x', '[]', 'alice', 1, 0, 1, 3, 1, 1, 0, 1, 1), "
                         "(6, 3, 2, 1, 0, 0, 'a', 'x', '[]', 'bob', 1, 0, 1, 3, 1, 1, 1, 0, 1), "
                         "(7, 4, 1, 1, 0, 0, 'a', 'x', '[]', 'alice', 1, 0, 1, 3, 1, 1, 1, 0, 1), "
                         "(8, 4, 2, 1, 0, 0, 'a', 'x', '[]', '', 1, 0, 1, 3, 1, 1, 1, 0, 1), "
                         "(9, 5, 0, 1, 0, 0, 'a', 'x', '[]', 'alice', 1, 0, 0, 3, 0, 0, 1, 0, 0)",
        "UPDATE tally SET tasks = (SELECT count(*) FROM task WHERE task.status = tally.status AND "
        "task.priority = tally.priority)",
        "UPDATE counter SET value = 1 WHERE name = 'lane' OR name = 'lanes'",
        "UPDATE counter SET value = 9 WHERE name = 'task'"});
  Room room(file);
  EXPECT_EQ(Miscounted(room), "");
  EXPECT_EQ(Number(room, "SELECT tasks FROM caller_tasks WHERE caller = 'alice'"), 5);
  EXPECT_EQ(Number(room, "SELECT tasks FROM caller_tasks WHERE caller = 'bob'"), 2);
  EXPECT_EQ(Number(room, "SELECT count(*) FROM caller_tasks"), 2) << "nobody has no share";
  EXPECT_EQ(Number(room, "SELECT pending FROM tally WHERE priority = 2"), 2);
  EXPECT_EQ(Number(room, "SELECT failed FROM tally WHERE priority = 1"), 1);
  // What the shares go by from then on.
  room.settings.max_tasks = 20;
  room.caller = "alice";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(room.Create("x").substr(0, 5), "task_");
  EXPECT_NE(room.Create("x").find("there are 10 tasks of yours"), std::string::npos);
  room.now += room.settings.retain_ms;
  ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  EXPECT_EQ(Miscounted(room), "") << "what is forgotten is counted no more";
  EXPECT_EQ(Number(room, "SELECT count(*) FROM task WHERE id IN (6, 7, 8, 9)"), 0);
}

}  // namespace
}  // namespace switchyard::orchestration
