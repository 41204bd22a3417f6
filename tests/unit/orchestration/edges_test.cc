// What happens at the edges: full, forgotten, foreign, late, and said twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/dependencies.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;

class Edges : public ::testing::Test {
 protected:
  void Run(std::string_view sql, std::initializer_list<Database::Parameter> parameters = {}) {
    const auto done =
        room.Do([&](Records& records) { return records.sql.Execute(sql, parameters); });
    ASSERT_TRUE(done.has_value()) << done.error().message << done.error().detail;
  }
  std::string Depending(const std::string& on, const std::string& content = "x") {
    return room.Create(content, R"(,"depends_on":[")" + on + R"("])");
  }
  void Complete(const std::string& agent, const std::string& id) {
    ASSERT_EQ(room.Claim(agent, R"(,"limit":1)"), id);
    ASSERT_EQ(room.Refusal("start_task", Room::Id(id)), "");
    ASSERT_EQ(room.Refusal("complete_task", Room::Id(id)), "");
  }
  // As many kinds of tasks as there may be, besides those that there are.
  void FillLanes() {
    for (std::int64_t kind = 0; kind < kMaxLanes; ++kind) {
      const std::string more = R"(,"task_type":"kind)" + std::to_string(kind) + "\"";
      if (!room.Create("x", more).starts_with("task_")) break;
    }
  }
  std::int64_t Number(std::string_view sql) {
    return room
        .Do([&](Records& records) -> Result<std::int64_t> {
          Result<Database::Rows> rows = records.sql.Query(sql);
          if (!rows) return Failure(std::move(rows.error()));
          return rows->front().Number(0);
        })
        .value();
  }
  Room room;
};

TEST_F(Edges, WhatWasGivenOutComesBackHoweverManyKindsAreReady) {
  room.Register("a");
  const std::string held = room.Create("x", R"(,"task_type":"own")");
  ASSERT_EQ(room.Claim("a", R"(,"lease_ms":5000)"), held);
  FillLanes();
  EXPECT_THAT(room.Create("y", R"(,"task_type":"another")"), HasSubstr("there are 1000 kinds"));
  room.now += 5000;
  EXPECT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  EXPECT_EQ(room.StatusOf(held), "pending");
  EXPECT_EQ(room.Claim("a", R"(,"task_type":"own")"), held);
}

// What waits has its place among the kinds from the start: however much is released at once, a
// claim has no more lanes to look at than there may be.
TEST_F(Edges, WhatWaitsCountsAmongTheKindsAsWhatIsReadyDoes) {
  const std::string root = room.Create("root");
  for (std::int64_t kind = 1; kind < kMaxLanes; ++kind) {
    const std::string more =
        R"(,"task_type":"kind)" + std::to_string(kind) + R"(","depends_on":[")";
    ASSERT_THAT(room.Create("x", more + root + "\"]"), testing::StartsWith("task_"));
  }
  const std::string another = R"("content":"x","task_type":"another","depends_on":[")" + root;
  EXPECT_THAT(room.Refusal("create_task", "{" + another + "\"]}"), HasSubstr("1000 kinds"));
  EXPECT_THAT(room.Refusal("create_tasks", R"({"tasks":[{)" + another + "\"]}]}"),
              HasSubstr("1000 kinds"));
  const std::string known = R"("content":"x","task_type":"kind7","depends_on":[")" + root;
  EXPECT_EQ(room.Refusal("create_tasks", R"({"tasks":[{)" + known + "\"]}]}"), "");
  room.Register("a");
  Complete("a", root);
  while (*room.Do([](Records& records) { return GoOnReleasing(records); })) continue;
  EXPECT_EQ(Number("SELECT count(*) FROM lane"), kMaxLanes);
  EXPECT_EQ(Number("SELECT sum(ready) FROM lane"), kMaxLanes);
}

// Whatever becomes of tasks, lanes count what there is of them, and what is over makes room.
TEST_F(Edges, KindsThatAreOverMakeRoomForOthers) {
  FillLanes();
  room.Get("cancel_task", Room::Id("task_00000005"));
  const std::string other = room.Create("y", R"(,"task_type":"another")");
  EXPECT_THAT(other, testing::StartsWith("task_"));
  EXPECT_EQ(Number("SELECT count(*) FROM lane"), kMaxLanes);
  EXPECT_EQ(Number("SELECT value FROM counter WHERE name = 'lanes'"), kMaxLanes);
  EXPECT_THAT(room.Refusal("requeue_task", Room::Id("task_00000005")), HasSubstr("1000 kinds"));
  room.Get("cancel_task", Room::Id(other));
  EXPECT_EQ(room.Refusal("requeue_task", Room::Id("task_00000005")), "");
  EXPECT_EQ(Number("SELECT count(*) FROM lane WHERE unfinished <> (SELECT count(*) FROM task WHERE "
                   "task.lane = lane.id AND status < 3)"),
            0);
}

TEST_F(Edges, AnotherPriorityWakesNobodyAndTakesNoPlaceOfItsOwn) {
  const std::string id = room.Create("x", R"(,"priority":"low")");
  room.Get("update_task", Room::Id(id, R"(,"priority":"high")"));
  EXPECT_EQ(room.effects.ready, 0);
  // Queued again, it is behind what was created before that.
  room.Get("cancel_task", Room::Id(id));
  room.now += 1000;
  const std::string earlier = room.Create("y", R"(,"priority":"high")");
  room.now += 1000;
  room.Get("requeue_task", Room::Id(id));
  room.Get("update_task", Room::Id(id, R"(,"priority":"high","content":"z")"));
  room.Register("a");
  EXPECT_EQ(room.Claim("a"), earlier + " " + id);
}

TEST_F(Edges, WhoLeavesEndsNoTaskHoweverFewAttemptsItHasLeft) {
  room.Register("a");
  const std::string id = room.Create("x", R"(,"max_attempts":3)");
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(room.Claim("a"), id);
    room.Get("fail_task", Room::Id(id, R"(,"error":"e","should_retry":true)"));
  }
  room.Get("update_task", Room::Id(id, R"(,"max_attempts":1)"));
  ASSERT_EQ(room.Claim("a"), id);
  EXPECT_EQ(room.Get("deregister_agent", R"({"agent_id":"a"})").at("returned"),
            boost::json::value(1));
  EXPECT_EQ(room.StatusOf(id), "pending");
}

TEST_F(Edges, WhatVeryManyWaitForIsNotMadeToWait) {
  const std::string root = room.Create("root"), other = room.Create("other");
  for (int batch = 0; batch < 10; ++batch) {
    std::string tasks;
    for (int i = 0; i < 100; ++i) {
      tasks += std::string(i == 0 ? "" : ",") + R"({"content":"x","depends_on":[")" + root + "\"]}";
    }
    ASSERT_EQ(room.Refusal("create_tasks", R"({"tasks":[)" + tasks + "]}"), "");
  }
  EXPECT_THAT(room.Refusal("update_task", Room::Id(root, R"(,"depends_on":[")" + other + "\"]")),
              HasSubstr("more than 1000 tasks wait for task " + root));
}

TEST_F(Edges, WhatNeedsWhatIsForgottenIsNotQueuedAgain) {
  const std::string failed = room.Create("x");
  const std::string waiting = Depending(failed);
  room.Get("fail_task", Room::Id(failed, R"(,"error":"no")"));
  room.now += room.settings.retain_ms;
  EXPECT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  ASSERT_EQ(room.StatusOf(waiting), "cancelled");
  EXPECT_EQ(room.Refusal("requeue_task", Room::Id(waiting)),
            "task " + waiting +
                " waits for what failed and is forgotten by now; create it anew with create_task");
  EXPECT_EQ(room.StatusOf(waiting), "cancelled");
}

TEST_F(Edges, WhatNeedsWhatIsStillKnownIsQueuedAgainAndWaits) {
  room.Register("a");
  const std::string first = room.Create("x");
  const std::string second = Depending(first);
  room.Get("cancel_task", Room::Id(second));
  EXPECT_EQ(room.Refusal("requeue_task", Room::Id(second)), "");
  Complete("a", first);
  EXPECT_EQ(room.Claim("a"), second);
}

TEST_F(Edges, APendingTaskIsFailedByWhoCreatedItAlone) {
  room.caller = "alice";
  const std::string id = room.Create("x");
  room.caller = "mallory";
  EXPECT_THAT(room.Refusal("fail_task", Room::Id(id, R"(,"error":"x")")),
              HasSubstr("was created by another caller"));
  EXPECT_EQ(room.StatusOf(id), "pending");
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("fail_task", Room::Id(id, R"(,"error":"x")")), "");
  EXPECT_EQ(room.StatusOf(id), "failed");
}

// An assembly line: each waits for the one before, and those are over.
TEST_F(Edges, ALongLineOfFinishedTasksIsNoReasonToRefuseTheNext) {
  constexpr std::int64_t kLine = 10'050;
  Run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
      "INSERT INTO task (id, status, priority, lane, due, waits_for, task_type, content, "
      "requirements, creator, created_at, deadline, attempts, max_attempts, assigned_at, "
      "started_at, finished_at, lease_ms, fence) "
      "SELECT i, 3, 1, 0, 0, 0, 'general', 'x', '[]', '', 1, 0, 1, 3, 1, 1, 1, 1, 1 FROM n",
      {kLine});
  Run("INSERT INTO dependency (task, needs) SELECT id, id - 1 FROM task WHERE id > 1");
  Run("UPDATE counter SET value = $1 WHERE name = 'task'", {kLine});
  const std::string next = Depending(ToText(kLine));
  EXPECT_EQ(next, ToText(kLine + 1));
  const std::string free = room.Create("free");
  EXPECT_EQ(room.Refusal("update_task", Room::Id(free, R"(,"depends_on":[")" + next + R"("])")),
            "");
}

TEST_F(Edges, ADeadlineThatIsPastOvertakesNobodyWhoWaitedLonger) {
  room.Register("a", R"(,"max_concurrent":100)");
  const std::string first = room.Create("first", R"(,"priority":"high")");
  room.now += 1;
  const std::string late = room.Create("late", R"(,"deadline":"1999-01-01T00:00:00Z")");
  EXPECT_EQ(room.Claim("a"), first + " " + late);
}

TEST_F(Edges, AnAgentFindsAllThatItHoldsHoweverOldItIs) {
  room.Register("a");
  const std::string id = room.Create("x");
  ASSERT_EQ(room.Claim("a"), id);
  Run("UPDATE counter SET value = 200000 WHERE name = 'task'");
  const auto got = room.Get("poll_tasks", R"({"status":"assigned","agent_id":"a"})");
  ASSERT_EQ(got.at("tasks").as_array().size(), 1U);
  EXPECT_EQ(got.at("tasks").at(0).at("id"), boost::json::value(id));
}

TEST_F(Edges, OnePriorityIsFoundAtOnceHoweverRareItIs) {
  const std::string id = room.Create("x", R"(,"priority":"high")");
  Run("UPDATE counter SET value = 200000 WHERE name = 'task'");
  const auto got = room.Get("query_tasks", R"({"filters":{"priority":"high"}})");
  ASSERT_EQ(got.at("tasks").as_array().size(), 1U);
  EXPECT_FALSE(got.contains("next_cursor"));
}

TEST_F(Edges, APageHasNoMoreBytesThanItMayHave) {
  const std::string large(250 * 1024, 'x');
  for (int i = 0; i < 40; ++i) room.Create(large);
  std::size_t found = 0, pages = 0;
  std::string cursor;
  for (; pages < 20; ++pages) {
    const auto page = room.Get("query_tasks", R"({"limit":100)" + cursor + "}");
    ASSERT_TRUE(page.contains("tasks")) << boost::json::serialize(page);
    EXPECT_LE(boost::json::serialize(page).size(), std::size_t{5} << 20);
    found += page.at("tasks").as_array().size();
    if (!page.contains("next_cursor")) break;
    cursor = R"(,"cursor":")" + std::string(page.at("next_cursor").as_string()) + "\"";
  }
  EXPECT_EQ(found, 40U);
  EXPECT_GE(pages, 2U);
  room.Register("a", R"(,"max_concurrent":100)");
  const auto claimed = room.Get("poll_tasks", R"({"claim":true,"agent_id":"a","limit":100})");
  EXPECT_LE(boost::json::serialize(claimed).size(), std::size_t{5} << 20);
  EXPECT_EQ(room.Get("get_agent_health", R"({"agent_id":"a"})").at("active_tasks"),
            boost::json::value(claimed.at("tasks").as_array().size()))
      << "what does not fit is not given out";
}

// What a poll does for others is bounded, and it forgets nothing.
TEST_F(Edges, APollTakesBackAFewAndForgetsNone) {
  room.Register("a", R"(,"max_concurrent":1000)");
  room.Register("b", R"(,"max_concurrent":1000)");
  const std::string old = room.Create("old");
  room.Get("cancel_task", Room::Id(old));
  for (int i = 0; i < 200; ++i) room.Create("x", R"(,"task_type":"t")");
  for (int i = 0; i < 2; ++i) room.Claim("a", R"(,"limit":100,"lease_ms":1000)");
  room.now += room.settings.retain_ms;
  room.Claim("b", R"(,"limit":1)");
  EXPECT_LE(room.effects.expired, 50);
  EXPECT_GE(room.effects.expired, 1);
  EXPECT_EQ(room.StatusOf(old), "cancelled") << "not forgotten by a poll";
}

TEST_F(Edges, AnAgentIsAssignedWhatItCanDoAlone) {
  room.Register("a", R"(,"capabilities":["python"])");
  const std::string id = room.Create("x", R"(,"requirements":["python","rust"])");
  EXPECT_EQ(room.Refusal("assign_task", Room::Id(id, R"(,"agent_id":"a")")),
            "agent a lacks rust, which task " + id +
                " requires; find_capable_agents names those who can do it");
  room.Register("a", R"(,"capabilities":["python","rust"])");
  EXPECT_EQ(room.Refusal("assign_task", Room::Id(id, R"(,"agent_id":"a")")), "");
}

TEST_F(Edges, AgentsThatSaidNothingForLongAreForgotten) {
  room.Register("gone");
  room.now += 1;
  room.Register("here");
  room.now += room.settings.retain_ms - 1;
  EXPECT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  EXPECT_THAT(room.Refusal("get_agent_health", R"({"agent_id":"gone"})"),
              HasSubstr("there is no agent gone"));
  EXPECT_EQ(room.Refusal("get_agent_health", R"({"agent_id":"here"})"), "");
}

TEST_F(Edges, AnAgentIsNotForgottenAsSoonAsATaskMayBe) {
  room.settings.retain_ms = 60'000;
  room.Register("a");
  room.now += 3'600'000;
  EXPECT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  EXPECT_EQ(room.Refusal("get_agent_health", R"({"agent_id":"a"})"), "");
}

TEST_F(Edges, AProvedCallerTakesOverAnAgentThatWasNobodys) {
  room.Register("a");
  room.caller = "alice";
  room.Register("a");
  room.caller = "mallory";
  EXPECT_THAT(room.Refusal("heartbeat", R"({"agent_id":"a"})"), HasSubstr("another caller"));
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("heartbeat", R"({"agent_id":"a"})"), "");
}

TEST_F(Edges, WhoLeavesInGoodTimeBurnsNoAttempt) {
  room.Register("a");
  room.Register("b");
  const std::string id = room.Create("x", R"(,"max_attempts":1)");
  ASSERT_EQ(room.Claim("a"), id);
  EXPECT_EQ(room.Get("deregister_agent", R"({"agent_id":"a"})").at("returned"),
            boost::json::value(1));
  EXPECT_EQ(room.StatusOf(id), "pending");
  EXPECT_EQ(room.Claim("b"), id);
}

// The answer was lost on its way, so the agent says it again.
TEST_F(Edges, AMoveSaidTwiceWithItsFenceHasTheFirstAnswer) {
  room.Register("a");
  const std::string id = room.Create("x");
  ASSERT_EQ(room.Claim("a"), id);
  const std::string fence = R"(,"fence":1)";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(room.Get("start_task", Room::Id(id, fence)).at("status"),
              boost::json::value("in_progress"));
  }
  for (int i = 0; i < 2; ++i) {
    const auto done = room.Get("complete_task", Room::Id(id, fence + R"(,"result":7)"));
    ASSERT_TRUE(done.contains("status")) << boost::json::serialize(done);
    EXPECT_EQ(done.at("status"), boost::json::value("completed"));
  }
  EXPECT_EQ(room.Get("get_agent_health", R"({"agent_id":"a"})").at("completed"),
            boost::json::value(1));
  EXPECT_THAT(room.Refusal("complete_task", Room::Id(id, fence + R"(,"result":8)")),
              HasSubstr("is completed"));
  EXPECT_THAT(room.Refusal("complete_task", Room::Id(id, R"(,"result":7)")),
              HasSubstr("is completed"));
}

TEST_F(Edges, FieldsThatNobodyHasAreRefused) {
  const std::string id = room.Create("x");
  for (const char* tool : {"query_tasks", "poll_tasks"}) {
    EXPECT_THAT(room.Refusal(tool, R"({"fields":["id","colour"]})"),
                HasSubstr("fields: there is no colour; known: id, task_id, status, content"))
        << tool;
  }
  EXPECT_THAT(room.Refusal("get_task_status", Room::Id(id, R"(,"fields":["colour"])")),
              HasSubstr("there is no colour"));
}

TEST_F(Edges, ABatchWakesForWhatIsReadyAlone) {
  room.Get("create_tasks",
           R"({"tasks":[{"content":"a","ref":"a"},)"
           R"({"content":"b","depends_on":["a"]},{"content":"c","depends_on":["a"]}]})");
  EXPECT_EQ(room.effects.ready, 1);
}

TEST_F(Edges, ABatchLeavesAloneWhatItsKeyMadeBefore) {
  const std::string id = room.Create("x");
  const std::string raw =
      R"({"tasks":[{"content":"a","idempotency_key":"k","depends_on":["task_1"]}]})";
  ASSERT_EQ(room.Refusal("create_tasks", raw), "");
  EXPECT_EQ(room.Refusal("create_tasks",
                         R"({"tasks":[{"content":"a","idempotency_key":"k","depends_on":[")" + id +
                             R"("]}]})"),
            "")
      << "the same id in other digits";
}

TEST_F(Edges, AnAgentThatRegistersAgainAsItWasWakesNobody) {
  room.Register("a", R"(,"capabilities":["x"])");
  EXPECT_EQ(room.effects.ready, 0) << "nobody waits as an agent that nobody knew";
  room.Register("a", R"(,"capabilities":["x"])");
  EXPECT_EQ(room.effects.ready, 0);
  room.Register("a", R"(,"capabilities":["x","y"])");
  EXPECT_GE(room.effects.ready, 1);
}

TEST_F(Edges, DefaultsStandWhereTheyHoldAlone) {
  for (const Tool& tool : Tools()) {
    const boost::json::value definition = boost::json::parse(tool.definition);
    const auto& properties = definition.at("inputSchema").at("properties").as_object();
    if (tool.name == "update_task") {
      EXPECT_FALSE(properties.at("priority").as_object().contains("default"));
    }
    if (tool.name == "query_tasks") {
      const auto& filters = properties.at("filters").as_object();
      EXPECT_FALSE(filters.at("properties").at("priority").as_object().contains("default"));
      EXPECT_EQ(filters.at("additionalProperties"), boost::json::value(false));
    }
    if (tool.name == "create_tasks") {
      EXPECT_EQ(properties.at("tasks").at("items").at("additionalProperties"),
                boost::json::value(false));
    }
  }
}

TEST_F(Edges, TheOldestPendingTaskIsNeverYoungerThanNow) {
  room.Create("x");
  room.now -= 10'000;
  EXPECT_EQ(room.Get("get_queue_metrics").at("oldest_pending_seconds"), boost::json::value(0));
}

}  // namespace
}  // namespace switchyard::orchestration
