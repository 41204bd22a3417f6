// Files of earlier versions of the service.
#include "orchestration/schema.h"

#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

// Before lanes counted all tasks that are not over.
constexpr std::size_t kEarlier = 6;

TEST(OrchestrationSchema, TasksOfAnEarlierFileGetTheirLanes) {
  std::string name = std::filesystem::temp_directory_path() / "switchyard-unit-XXXXXX";
  const std::string directory = mkdtemp(name.data()), file = directory + "/o.db";
  DatabaseSchema earlier = Schema();
  earlier.steps = earlier.steps.first(kEarlier);
  {
    const auto database = std::move(*store::SqliteDatabase::Open({.path = file}, earlier));
    std::promise<Result<void>> over;
    database->Submit(
        [](Database::Transaction& sql) -> Result<void> {
          // One is ready, one waits for it in a lane that it does not have yet, one is over.
          Result<void> done = sql.Execute(
              "INSERT INTO task (id, status, priority, lane, due, waits_for, task_type, content, "
              "requirements, creator, created_at, deadline, attempts, max_attempts, assigned_at, "
              "started_at, finished_at, lease_ms, fence) VALUES "
              "(1, 0, 1, 4, 0, 0, 'a', 'x', '[]', '', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
              "(2, 0, 1, 0, 0, 1, 'b', 'x', '[]', '', 1, 0, 0, 3, 0, 0, 0, 0, 0), "
              "(3, 3, 1, 5, 0, 0, 'c', 'x', '[]', '', 1, 0, 1, 3, 1, 1, 1, 0, 1)");
          if (done) done = sql.Execute("INSERT INTO dependency (task, needs) VALUES (2, 1)");
          if (done) {
            done = sql.Execute(
                "INSERT INTO lane (id, task_type, requirements, ready) VALUES (4, 'a', '[]', 1), "
                "(5, 'c', '[]', 0)");
          }
          if (done)
            done = sql.Execute("UPDATE tally SET tasks = 2 WHERE status = 0 AND priority = 1");
          if (done)
            done = sql.Execute("UPDATE tally SET tasks = 1 WHERE status = 3 AND priority = 1");
          if (done) done = sql.Execute("UPDATE counter SET value = 5 WHERE name = 'lane'");
          return done ? sql.Execute("UPDATE counter SET value = 3 WHERE name = 'task'") : done;
        },
        [&](Result<void> done) { over.set_value(std::move(done)); });
    const Result<void> done = over.get_future().get();
    ASSERT_TRUE(done.has_value()) << done.error().detail;
  }
  {
    Room room(file);
    const auto number = [&room](std::string_view sql) {
      return room.Do([&](Records& records) { return records.sql.Query(sql); })->front().Number(0);
    };
    EXPECT_EQ(number("SELECT count(*) FROM lane WHERE unfinished = 1"), 2);
    EXPECT_EQ(number("SELECT value FROM counter WHERE name = 'lanes'"), 3);
    EXPECT_EQ(number("SELECT value FROM counter WHERE name = 'lane'"), 6);
    room.Register("a");
    for (const char* id : {"task_00000001", "task_00000002"}) {
      EXPECT_EQ(room.Claim("a"), id);
      room.Get("start_task", Room::Id(id));
      EXPECT_EQ(room.Refusal("complete_task", Room::Id(id)), "");
    }
    EXPECT_EQ(number("SELECT count(*) FROM lane WHERE unfinished = 0 AND ready = 0"), 3);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace switchyard::orchestration
