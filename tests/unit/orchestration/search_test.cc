// Searches by any filters, in pages that end where enough was looked at: nobody who goes on misses
// a task, and no call looks through the tasks.
#include "orchestration/search.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/recorder.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr unsigned kFilters = 1U << 7U;  // sets of them

class OrchestrationSearch : public ::testing::Test {
 protected:
  // Sixty tasks, each a little different.
  void Fill() {
    for (const char* agent : {"a", "b"}) room.Register(agent, R"(,"max_concurrent":9)");
    room.Get("create_project", R"({"name":"p"})");
    room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
    for (int i = 0; i < 60; ++i) {
      std::string more = i % 2 == 0 ? R"(,"task_type":"t")" : R"(,"task_type":"u")";
      if (i % 3 == 0) more += R"(,"priority":"high")";
      if (i > 1 && i % 4 == 1) {  // the second parent is of the project, and so are its parts
        more += i % 8 == 1 ? R"(,"parent":"task_00000001")" : R"(,"parent":"task_00000002")";
      } else if (i == 1 || i % 5 == 2) {
        more += R"(,"project_id":"project_00000001")";
      } else if (i % 5 == 3) {
        more += R"(,"goal_id":"goal_00000001")";
      }
      EXPECT_THAT(room.Create("x", more), StartsWith("task_"));
      if (i % 7 == 5) room.Claim("a", R"(,"limit":1)");
      if (i % 11 == 6) room.Get("cancel_task", Room::Id(ToText(i)));
    }
    room.Claim("b", R"(,"limit":5,"task_type":"t")");
  }
  TaskPage PageOf(const TaskFilter& filter) {
    Result<TaskPage> page = room.Do([&](Records& records) { return Search(records, filter); });
    EXPECT_TRUE(page.has_value());
    return page ? std::move(*page) : TaskPage();
  }
  // What it has in common with this one, of these things.
  static TaskFilter Like(const Task& task, unsigned what) {
    TaskFilter filter;
    if ((what & 1U) != 0) filter.status = task.status;
    if ((what & 2U) != 0) filter.priority = task.priority;
    if ((what & 4U) != 0) filter.task_type = task.task_type;
    if ((what & 8U) != 0) filter.assigned_to = task.assigned_to;
    if ((what & 16U) != 0) filter.parent = task.parent;
    if ((what & 32U) != 0) filter.project = task.project;
    if ((what & 64U) != 0) filter.goal = task.goal;
    return filter;
  }
  static bool Fits(const Task& task, const TaskFilter& filter) {
    return (!filter.status || task.status == *filter.status) &&
           (!filter.priority || task.priority == *filter.priority) &&
           (filter.task_type.empty() || task.task_type == filter.task_type) &&
           (filter.assigned_to.empty() || task.assigned_to == filter.assigned_to) &&
           (filter.parent == 0 || task.parent == filter.parent) &&
           (filter.project == 0 || task.project == filter.project) &&
           (filter.goal == 0 || task.goal == filter.goal);
  }

  Room room;
};

TEST_F(OrchestrationSearch, ByWhateverFiltersGivesEverythingWhereverItIsCut) {
  Fill();
  const std::vector<Task> all = PageOf({.limit = 100}).tasks;
  ASSERT_EQ(all.size(), 60U);
  int cut = 0;
  for (unsigned what = 0; what < kFilters; ++what) {
    for (std::size_t like = what % 7; like < all.size(); like += 7) {
      TaskFilter filter = Like(all[like], what);
      std::vector<TaskId> expected, found;
      for (const Task& task : all) {
        if (Fits(task, filter)) expected.push_back(task.id);
      }
      filter.limit = 3;
      filter.most_looked_at = 5;
      do {
        const TaskPage page = PageOf(filter);
        ASSERT_LE(page.tasks.size(), 3U);
        for (const Task& task : page.tasks) found.push_back(task.id);
        ASSERT_TRUE(filter.before == 0 || page.next < filter.before) << "it goes on";
        cut += page.next != 0 && page.tasks.size() < 3 ? 1 : 0;
        filter.before = page.next;
      } while (filter.before != 0);
      ASSERT_EQ(found, expected) << what << " like " << ToText(all[like].id);
    }
  }
  EXPECT_GT(cut, 100);
}

TEST_F(OrchestrationSearch, LooksAtFewInACallAndGoesOn) {
  const std::string parent = room.Create("x");
  const std::string rare =
      room.Create("x", R"(,"task_type":"t","priority":"high","parent":")" + parent + "\"");
  const std::string ended = room.Create("x", R"(,"task_type":"t")");
  room.Get("cancel_task", Room::Id(ended));
  std::string batch = R"({"tasks":[)";
  for (int i = 0; i < 100; ++i) {
    batch += std::string(i == 0 ? "" : ",") + R"({"content":"x","task_type":"t"})";
  }
  batch += "]}";
  for (std::int64_t made = 0; made < kMostLookedAt; made += 100) {
    ASSERT_EQ(room.Refusal("create_tasks", batch), "");
  }
  const auto ids = [](const boost::json::object& page) {
    std::string text;
    for (const auto& task : page.at("tasks").as_array()) text += task.at("id").as_string();
    return text;
  };
  const std::string of_all = R"({"fields":["id"],"filters":{"task_type":"t","priority":"high"})";
  const Result<Answer> first = room.Call("query_tasks", of_all + "}");
  ASSERT_TRUE(first.has_value());
  const boost::json::object page = boost::json::parse(ToText(first->content)).as_object();
  EXPECT_EQ(ids(page), "") << "it is older than those that are looked at";
  const std::string next(page.at("next_cursor").as_string());
  EXPECT_EQ(first->text, "0 tasks, more with cursor " + next);
  const auto rest = room.Get("query_tasks", of_all + R"(,"cursor":")" + next + "\"}");
  EXPECT_EQ(ids(rest), rare);
  EXPECT_FALSE(rest.contains("next_cursor"));

  // A poll that lists has pages, too.
  const std::string poll = R"({"status":"cancelled","task_type":"t")";
  const auto looked = room.Get("poll_tasks", poll + "}");
  EXPECT_EQ(ids(looked), "");
  const auto further =
      room.Get("poll_tasks",
               poll + R"(,"cursor":")" + std::string(looked.at("next_cursor").as_string()) + "\"}");
  EXPECT_EQ(ids(further), ended);
  EXPECT_FALSE(further.contains("next_cursor"));

  // What finds little is looked up, however many others there are since.
  const auto of_parent =
      room.Get("query_tasks",
               R"({"fields":["id"],"filters":{"status":"pending","parent":")" + parent + R"("}})");
  EXPECT_EQ(ids(of_parent), rare);
  EXPECT_FALSE(of_parent.contains("next_cursor"));
}

TEST_F(OrchestrationSearch, ACursorOfAPollIsForWhatHasPages) {
  EXPECT_THAT(room.Refusal("poll_tasks", R"({"cursor":"task_00000001"})"),
              EndsWith("query_tasks has pages of these"));
}

TEST_F(OrchestrationSearch, GoesByTheIndexOfWhatFindsLeast) {
  const Task task{.priority = Priority::kHigh,
                  .task_type = "t",
                  .parent = 1,
                  .assigned_to = "a",
                  .project = 1,
                  .goal = 1};
  std::set<std::string> plans;  // texts outlive the statements
  for (unsigned what = 1; what < kFilters; ++what) {
    std::set<std::string> seen;
    room.Do([&](Records& records) {
      Recorder recorder(records.sql, seen);
      Records recorded{.sql = recorder,
                       .now = records.now,
                       .settings = records.settings,
                       .caller = records.caller};
      return Search(recorded, Like(task, what));
    });
    const std::string index = (what & 16U) != 0   ? "task_parent"
                              : (what & 64U) != 0 ? "task_goal"
                              : (what & 32U) != 0 ? "task_project"
                              : (what & 8U) != 0  ? "task_holder"
                              : (what & 4U) != 0  ? "task_type"
                              : (what & 2U) != 0  ? "task_priority"
                                                  : "task_status";
    for (const std::string& sql : seen) {
      if (!sql.contains("FROM task")) continue;
      const std::string& explain = *plans.insert("EXPLAIN QUERY PLAN " + sql).first;
      const auto rows = room.Do([&](Records& records) { return records.sql.Query(explain); });
      ASSERT_TRUE(rows.has_value()) << sql;
      for (const Database::Row& row : *rows) {
        EXPECT_THAT(row.Text(3), HasSubstr("INDEX " + index + " (")) << sql;
        EXPECT_THAT(row.Text(3), Not(HasSubstr("TEMP B-TREE"))) << sql;
      }
    }
  }
}

}  // namespace
}  // namespace switchyard::orchestration
