// Projects and goals, and that what they say of their tasks is what counting them says.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "orchestration/projects/efforts.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr const char* kProject = R"({"project_id":"project_00000001"})";

TEST(Projects, FollowTheirTasks) {
  Room room;
  room.Register("a");
  room.Get("create_project", R"({"name":"p","description":"d","lead_agent_id":"a"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  const std::string task = room.Create("x", R"(,"goal_id":"goal_00000001")");
  room.Create("y", R"(,"project_id":"project_00000001")");
  EXPECT_EQ(json::serialize(room.Get("get_project_status", kProject)),
            R"({"project_id":"project_00000001","name":"p","status":"planned","progress":0E0,)"
            R"("description":"d","lead_agent_id":"a","tasks":{"pending":2},)"
            R"("goals":{"all":1,"open":1}})");
  room.Claim("a", R"(,"limit":1)");
  EXPECT_EQ(room.Get("get_project_status", kProject).at("status"), json::value("active"))
      << "somebody began";
  room.Get("start_task", Room::Id(task));
  room.Get("complete_task", Room::Id(task));
  EXPECT_EQ(room.Get("get_project_status", kProject).at("progress"), json::value(0.5));
  const json::object goal = room.Get("get_goal_status", R"({"goal_id":"goal_00000001"})");
  EXPECT_EQ(goal.at("progress"), json::value(1.0));
  EXPECT_EQ(goal.at("status"), json::value("active")) << "that it is over is for people to say";
}

TEST(Projects, PartsOfATaskAreOfItsProject) {
  Room room;
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  room.Create("1. a\\n2. b", R"(,"goal_id":"goal_00000001")");
  room.Get("decompose_task", R"({"task_id":"task_00000001","create":true})");
  EXPECT_EQ(room.Get("get_project_status", kProject).at("tasks").at("pending"), json::value(3));
  const json::object found =
      room.Get("query_tasks", R"({"filters":{"goal_id":"goal_00000001"},"fields":["goal_id"]})");
  EXPECT_EQ(found.at("tasks").as_array().size(), 3U);
}

TEST(Projects, AreCompletedWhenNothingIsLeft) {
  Room room;
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  const std::string task = room.Create("x", R"(,"goal_id":"goal_00000001")");
  const auto complete = [&room](const std::string& kind) {
    return room.Refusal("update_" + kind,
                        "{\"" + kind + R"(_id":")" + kind + R"(_00000001","status":"completed"})");
  };
  EXPECT_EQ(complete("goal"),
            "goal_00000001 has 1 tasks that are not finished: complete or cancel them, or make it "
            "cancelled");
  room.Get("cancel_task", Room::Id(task));
  EXPECT_EQ(complete("project"),
            "project_00000001 has 1 open goals: complete or cancel them first");
  EXPECT_EQ(complete("goal"), "");
  EXPECT_EQ(complete("project"), "");
  EXPECT_THAT(room.Refusal("create_task", R"({"content":"x","goal_id":"goal_00000001"})"),
              "goal_00000001 is completed: update_goal makes it active again");
  EXPECT_THAT(room.Refusal("create_goal", R"({"name":"h","project_id":"project_00000001"})"),
              HasSubstr("project_00000001 is completed"));
}

TEST(Projects, AreListedByStatusInPages) {
  Room room;
  for (int i = 0; i < 12; ++i) {
    room.Get("create_project", R"({"name":"p","initial_status":")" +
                                   std::string(i < 3 ? "active" : "planned") + "\"}");
  }
  const json::object page = room.Get("list_projects");
  EXPECT_EQ(page.at("projects").as_array().size(), 10U);
  EXPECT_EQ(page.at("next_cursor"), json::value("project_00000003"));
  EXPECT_EQ(room.Get("list_projects", R"({"cursor":"project_00000003"})")
                .at("projects")
                .as_array()
                .size(),
            2U);
  EXPECT_EQ(room.Get("list_projects", R"({"status":"active"})").at("projects").as_array().size(),
            3U);
}

TEST(Projects, BelongToTheirCaller) {
  Room room;
  room.caller = "alice";
  room.Get("create_project", R"({"name":"p"})");
  room.caller = "bob";
  EXPECT_THAT(room.Refusal("update_project", R"({"project_id":"project_00000001","name":"q"})"),
              HasSubstr("created by another caller"));
}

TEST(Projects, AreAddedToByWhoMadeThemAlone) {
  Room room;
  room.caller = "alice";
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  room.caller = "bob";
  for (const char* belongs :
       {R"("project_id":"project_00000001")", R"("goal_id":"goal_00000001")"}) {
    EXPECT_THAT(room.Refusal("create_task", R"({"content":"c",)" + std::string(belongs) + "}"),
                HasSubstr("was created by another caller, who alone adds to it"));
  }
  EXPECT_THAT(room.Refusal("create_goal", R"({"name":"h","project_id":"project_00000001"})"),
              HasSubstr("project_00000001 was created by another caller"));
}

TEST(Projects, ArePartsOfThemToWhoHasTheWholeAndCancelledByWhoMadeThem) {
  Room room;
  room.caller = "alice";
  room.Get("create_project", R"({"name":"p"})");
  const std::string whole = room.Create("x", R"(,"project_id":"project_00000001")");
  room.caller = "bob";
  room.Register("his");
  const auto pending = [&room] {
    return room.Get("get_project_status", kProject).at("tasks").as_object().contains("pending");
  };
  room.Create("aside", R"(,"parent":")" + whole + "\"");
  EXPECT_EQ(room.Claim("his", R"(,"limit":1)"), whole);
  EXPECT_FALSE(pending()) << "nobody had the whole";
  const std::string part = room.Create("part", R"(,"parent":")" + whole + "\"");
  EXPECT_TRUE(pending());
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("cancel_task", Room::Id(part)), "");
  EXPECT_EQ(room.Refusal("cancel_task", Room::Id(whole)), "");
  EXPECT_EQ(
      room.Refusal("update_project", R"({"project_id":"project_00000001","status":"completed"})"),
      "");
}

TEST(Projects, ThatAreClosedTakeNoWorkByAnyDoor) {
  Room room;
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  const std::string task = room.Create("1. a\\n2. b", R"(,"goal_id":"goal_00000001")");
  room.Get("cancel_task", Room::Id(task));
  const auto set = [&room](const std::string& kind, const std::string& status) {
    return room.Refusal("update_" + kind, "{\"" + kind + R"(_id":")" + kind +
                                              R"(_00000001","status":")" + status + "\"}");
  };
  EXPECT_EQ(set("goal", "completed"), "");
  EXPECT_EQ(set("project", "completed"), "");
  EXPECT_EQ(room.Refusal("requeue_task", Room::Id(task)),
            "project_00000001 is completed: update_project makes it active again");
  EXPECT_EQ(set("goal", "active"),
            "project_00000001 is completed: update_project makes it active again");
  room.Create("part", R"(,"parent":")" + task + "\"");
  EXPECT_FALSE(
      room.Get("get_project_status", kProject).at("tasks").as_object().contains("pending"));
  EXPECT_EQ(set("project", "active"), "");
  EXPECT_EQ(set("goal", "active"), "");
  EXPECT_EQ(room.Refusal("requeue_task", Room::Id(task)), "");
}

TEST(Projects, ThatAreCancelledSayWhatGoesOnOfThem) {
  Room room;
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  const std::string task = room.Create("x", R"(,"goal_id":"goal_00000001")");
  const json::object goal =
      room.Get("update_goal", R"({"goal_id":"goal_00000001","status":"cancelled"})");
  EXPECT_EQ(goal.at("tasks_left"), json::value(1));
  EXPECT_EQ(room.StatusOf(task), "pending");
  room.Get("cancel_task", Room::Id(task));
  EXPECT_FALSE(
      room.Get("update_project", R"({"project_id":"project_00000001","status":"cancelled"})")
          .contains("tasks_left"));
}

TEST(Projects, AreKeptWhileTheirGoalsAreOpen) {
  Room room;
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  room.Get("update_project", R"({"project_id":"project_00000001","status":"cancelled"})");
  room.now += room.settings.retain_ms;
  ASSERT_TRUE(room.Do([](Records& records) { return SweepEfforts(records); }).has_value());
  EXPECT_EQ(room.Get("get_project_status", kProject).at("status"), json::value("cancelled"));
  room.Get("update_goal", R"({"goal_id":"goal_00000001","status":"cancelled"})");
  ASSERT_TRUE(room.Do([](Records& records) { return SweepEfforts(records); }).has_value());
  EXPECT_THAT(room.Refusal("get_project_status", kProject), HasSubstr("there is no project"));
}

TEST(Projects, AreSoManyAtMostClosedOnesWithThem) {
  Room room;
  const char* closed = R"({"name":"p","initial_status":"cancelled"})";
  ASSERT_TRUE(
      room.Do([](Records& records) { return CountUp(records, "projects_kept", kMaxProjects - 1); })
          .has_value());
  EXPECT_EQ(room.Refusal("create_project", closed), "");
  EXPECT_THAT(room.Refusal("create_project", closed),
              HasSubstr("there are 10000 projects, the most there may be"));
  room.now += room.settings.retain_ms;
  ASSERT_TRUE(room.Do([](Records& records) { return SweepEfforts(records); }).has_value());
  EXPECT_EQ(room.Refusal("create_project", closed), "");
}

TEST(Projects, AreATenthOfThemByOneCallerAtMost) {
  Room room;
  room.caller = "alice";
  const auto made = room.Do([](Records& records) -> Result<void> {
    for (std::int64_t i = 0; i < kMaxProjects / 10; ++i) {
      Result<Effort> effort = CreateEffort(records, {.name = "p"});
      if (!effort) return Failure(std::move(effort.error()));
    }
    return {};
  });
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(room.Refusal("create_project", R"({"name":"p"})"),
              HasSubstr("there are 1000 projects of yours, the most there may be"));
  room.caller = "bob";
  EXPECT_EQ(room.Refusal("create_project", R"({"name":"p"})"), "");
}

TEST(Projects, AreMadeOnceByARepeatedCall) {
  Room room;
  for (const std::string kind : {"project", "goal"}) {
    const std::string tool = "create_" + kind, id = kind + "_id";
    const std::string call = R"({"name":"p","idempotency_key":"k"})";
    const json::object made = room.Get(tool, call);
    EXPECT_EQ(room.Get(tool, call), made);
    EXPECT_EQ(room.Refusal(tool, R"({"name":"q","idempotency_key":"k"})"),
              "idempotency_key \"k\" made " + kind +
                  "_00000001, which asked for something else; use another key");
    EXPECT_NE(room.Get(tool, R"({"name":"p","idempotency_key":"l"})").at(id), made.at(id));
  }
  room.caller = "bob";
  EXPECT_EQ(room.Get("create_project", R"({"name":"q","idempotency_key":"k"})").at("project_id"),
            json::value("project_00000003"))
      << "keys are of their caller";
}

TEST(Projects, AreForgottenAfterTheyWereClosed) {
  Room room;
  room.Get("create_project", R"({"name":"p","initial_status":"cancelled"})");
  room.Get("create_project", R"({"name":"q"})");
  room.now += room.settings.retain_ms;
  ASSERT_TRUE(room.Do([](Records& records) { return SweepEfforts(records); }).has_value());
  EXPECT_THAT(room.Refusal("get_project_status", kProject), HasSubstr("there is no project"));
  EXPECT_EQ(room.Get("list_projects").at("projects").as_array().size(), 1U);
}

TEST(Projects, BadInputIsToldWhatIsAllowed) {
  Room room;
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_goal", R"({"name":"g"})");
  EXPECT_THAT(room.Refusal("create_project"), "name is missing");
  EXPECT_THAT(room.Refusal("create_project", R"({"name":"p","initial_status":"done"})"),
              HasSubstr("planned, active, on_hold, completed, cancelled"));
  EXPECT_THAT(room.Refusal("create_project", R"({"name":"p","lead_agent_id":"nobody"})"),
              HasSubstr("there is no agent nobody"));
  EXPECT_EQ(room.Refusal("create_task", R"({"content":"x","goal_id":"7"})"),
            "goal_id: an id of a goal reads like goal_00000012, as create_goal gave it");
  EXPECT_THAT(room.Refusal("create_task", R"({"content":"x","goal_id":"goal_00000009"})"),
              HasSubstr("there is no goal goal_00000009"));
  EXPECT_THAT(room.Refusal("create_task", R"({"content":"x","goal_id":"goal_00000001",)"
                                          R"("project_id":"project_00000001"})"),
              HasSubstr("goal_00000001 is not of project_00000001"));
}

// ---- Roll-up ----------------------------------------------------------------------------------

class RollUps : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RollUps, SayWhatCountingSays) {
  FastRandom random{GetParam()};
  const auto below = [&random](std::uint64_t end) { return random.Next() % end; };
  Room room;
  room.settings.lease_ms = 5'000;
  room.Register("a", R"(,"max_concurrent":1000)");
  room.Get("create_project", R"({"name":"p"})");
  room.Get("create_project", R"({"name":"q"})");
  for (int i = 0; i < 3; ++i) {
    room.Get("create_goal",
             i == 2 ? R"({"name":"g"})" : R"({"name":"g","project_id":"project_00000001"})");
  }
  const char* belongs[] = {"",
                           R"(,"goal_id":"goal_00000001")",
                           R"(,"goal_id":"goal_00000002")",
                           R"(,"goal_id":"goal_00000003")",
                           R"(,"project_id":"project_00000001")",
                           R"(,"project_id":"project_00000002")"};
  const char* moves[] = {"start_task", "complete_task", "cancel_task", "requeue_task"};
  std::uint64_t tasks = 0;
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t dice = below(11);
    if (dice < 3) {
      // Parts may be refused or belong to nothing, where the project is closed.
      const bool part = tasks > 0 && below(3) == 0;
      const std::string more =
          part ? R"(,"parent":")" + ToText(static_cast<TaskId>(below(tasks) + 1)) + "\""
               : belongs[below(std::size(belongs))];
      if (room.Create("x", more).starts_with("task_")) ++tasks;
    } else if (dice == 10) {
      const bool goal = below(2) == 0;
      const std::string kind = goal ? "goal" : "project";
      room.Get("update_" + kind, "{\"" + kind + R"(_id":")" +
                                     ToText(goal ? Kind::kGoal : Kind::kProject,
                                            static_cast<EffortId>(below(goal ? 3 : 2) + 1)) +
                                     R"(","status":")" + std::string(kEffortStatuses[below(5)]) +
                                     "\"}");
    } else if (dice < 5) {
      room.Get("poll_tasks", R"({"claim":true,"agent_id":"a","limit":3})");
    } else if (dice < 9 && tasks > 0) {
      room.Get(moves[below(std::size(moves))],
               Room::Id(ToText(static_cast<TaskId>(below(tasks) + 1))));
    } else {
      room.now += static_cast<std::int64_t>(below(4'000));
      ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
    }
  }
  for (const Kind kind : {Kind::kProject, Kind::kGoal}) {
    for (EffortId id = 1; id <= (kind == Kind::kProject ? 2 : 3); ++id) {
      const auto effort = room.Do([&](Records& records) { return FindEffort(records, kind, id); });
      const auto rows = room.Do([&](Records& records) {
        return records.sql.Query(
            kind == Kind::kProject
                ? "SELECT status, count(*) FROM task WHERE project = $1 GROUP BY status"
                : "SELECT status, count(*) FROM task WHERE goal = $1 GROUP BY status",
            {id});
      });
      std::array<std::int64_t, kStatuses> counted{};
      for (const Database::Row& row : *rows) {
        counted[static_cast<std::size_t>(row.Number(0))] = row.Number(1);
      }
      EXPECT_EQ(effort->tasks, counted) << ToText(kind, id);
      if (effort->status != EffortStatus::kCompleted) continue;
      EXPECT_EQ(effort->unfinished() + effort->goals_open, 0) << ToText(kind, id);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RollUps, ::testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace switchyard::orchestration
