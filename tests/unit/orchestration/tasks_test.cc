// Tasks through their tools: the queue, its leases, dependencies and refusals.
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kMinute = 60'000;

class Tasks : public ::testing::Test {
 protected:
  Room room;
};

TEST_F(Tasks, GoThroughTheirLife) {
  room.Register("a", R"(,"capabilities":["python"])");
  const std::string id = room.Create("work", R"(,"requirements":["python"],"priority":"high")");
  EXPECT_EQ(id, "task_00000001");
  EXPECT_EQ(room.StatusOf(id), "pending");
  const auto routed = room.Get("route_task", Room::Id(id));
  EXPECT_EQ(routed.at("selected_agent"), boost::json::value("a"));
  const auto given = room.Get("assign_task", Room::Id(id, R"(,"agent_id":"a")"));
  EXPECT_EQ(given.at("status"), boost::json::value("assigned"));
  EXPECT_EQ(room.Get("start_task", Room::Id(id)).at("status"), boost::json::value("in_progress"));
  room.now += 2500;
  EXPECT_EQ(room.Refusal("complete_task",
                         Room::Id(id, R"(,"result":{"rows":3},"metrics":{"duration_ms":2500})")),
            "");
  const auto over = room.Get("get_task_status", Room::Id(id));
  EXPECT_EQ(over.at("status"), boost::json::value("completed"));
  EXPECT_EQ(over.at("result").at("rows"), boost::json::value(3));
  const auto numbers = room.Get("get_queue_metrics");
  EXPECT_EQ(numbers.at("completed"), boost::json::value(1));
  EXPECT_EQ(numbers.at("pending"), boost::json::value(0));
  EXPECT_EQ(numbers.at("success_rate"), boost::json::value(1.0));
}

TEST_F(Tasks, AreOrderedByPriorityAndGetAheadWithTime) {
  room.Register("a", R"(,"max_concurrent":100)");
  const std::string low = room.Create("low", R"(,"priority":"low")");
  const std::string medium = room.Create("medium");
  const std::string high = room.Create("high", R"(,"priority":"high")");
  const std::string urgent =
      room.Create("urgent", R"(,"priority":"low","deadline":)" + std::to_string(room.now + 1));
  EXPECT_EQ(room.Claim("a", R"(,"limit":2,"lease_ms":86400000)"), high + " " + urgent);
  room.now += 31 * kMinute;
  const std::string late = room.Create("late", R"(,"priority":"high")");
  EXPECT_EQ(room.Claim("a"), medium + " " + low + " " + late) << "nothing starves";
}

TEST_F(Tasks, HaveADeadlineThatIsReadWithItsFractionAndOffset) {
  const auto at = [this](const std::string& time) {
    const std::string task = room.Create("x", R"(,"deadline":")" + time + "\"");
    return room.Get("get_task_status", Room::Id(task, R"(,"fields":["deadline"])")).at("deadline");
  };
  const boost::json::value noon = at("2030-01-31T12:00:00Z");
  EXPECT_EQ(at("2030-01-31T12:00:00.000000+00:00"), noon) << "as Python writes it";
  EXPECT_EQ(at("2030-01-31T14:00:00+02:00"), noon);
  EXPECT_EQ(at("2030-01-31T06:30:00.0-05:30"), noon);
  EXPECT_EQ(at("2030-01-31T12:00:00.5Z"), at("2030-01-31T12:00:00.500999999+00:00"));
  for (const char* wrong : {"2030-01-31T12:00:00", "2030-01-31T12:00:00.Z", "2030-01-31T12:00:00+2",
                            "2030-01-31T12:00:00+24:00", "2030-01-31T12:00:00.1234567890Z",
                            "2030-01-31T12:00:00+02:00x"}) {
    EXPECT_THAT(
        room.Refusal("create_task", R"({"content":"x","deadline":")" + std::string(wrong) + "\"}"),
        HasSubstr("deadline must be a time such as"))
        << wrong;
  }
}

TEST_F(Tasks, AreClaimedByThoseWhoCanDoThem) {
  room.Register("py", R"(,"capabilities":["python","analysis"])");
  room.Register("none");
  room.Create("x", R"(,"requirements":["rust"])");
  const std::string both = room.Create("y", R"(,"requirements":["python","analysis","python"])");
  const std::string any = room.Create("z", R"(,"task_type":"other")");
  EXPECT_EQ(room.Claim("none", R"(,"task_type":"general")"), "");
  EXPECT_EQ(room.Claim("none"), any);
  EXPECT_EQ(room.Claim("py"), both);
  EXPECT_EQ(room.Claim("py"), "");
  EXPECT_THAT(room.Claim("who"), HasSubstr("there is no agent who; register_agent makes one"));
}

TEST_F(Tasks, AnAgentHasNoMoreThanItMayHave) {
  room.Register("a", R"(,"max_concurrent":2)");
  for (int i = 0; i < 3; ++i) room.Create("x");
  EXPECT_EQ(room.Claim("a"), "task_00000001 task_00000002");
  EXPECT_THAT(room.Claim("a"), HasSubstr("agent a has 2 of 2 tasks; complete one first"));
  room.Get("start_task", Room::Id("task_00000001"));
  room.Get("complete_task", Room::Id("task_00000001"));
  EXPECT_EQ(room.Claim("a"), "task_00000003");
}

TEST_F(Tasks, OfADeadAgentGoBackAndItsLateWordsAreRefused) {
  room.Register("dead");
  room.Register("next");
  const std::string id = room.Create("x");
  const auto got = room.Get("poll_tasks", R"({"claim":true,"agent_id":"dead","lease_ms":5000})");
  const auto fence = std::to_string(got.at("tasks").at(0).at("fence").as_int64());
  room.Get("start_task", Room::Id(id, R"(,"fence":)" + fence));
  room.now += 4999;
  EXPECT_EQ(room.Claim("next"), "");
  room.now += 1;
  EXPECT_EQ(room.Claim("next"), id) << "the poll itself finds it";
  EXPECT_EQ(room.effects.expired, 1);
  EXPECT_EQ(room.Refusal("complete_task", Room::Id(id, R"(,"fence":)" + fence)),
            "fence " + fence + " of task " + id +
                " is out of date: its lease ran out or it was given on; drop this work");
  EXPECT_THAT(room.Refusal("heartbeat", R"({"agent_id":"dead","task_id":")" + id + R"("})"),
              StartsWith("task " + id + " is not with agent dead"));
  EXPECT_EQ(room.Get("get_agent_health", R"({"agent_id":"dead"})").at("expired"),
            boost::json::value(1));
}

TEST_F(Tasks, AHeartbeatKeepsAllOfAnAgentsTasks) {
  room.Register("a");
  for (int i = 0; i < 2; ++i) room.Create("x");
  room.Claim("a", R"(,"lease_ms":5000)");
  for (int i = 0; i < 5; ++i) {
    room.now += 4000;
    EXPECT_EQ(room.Get("heartbeat", R"({"agent_id":"a"})").at("renewed"), boost::json::value(2));
    EXPECT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  }
  EXPECT_EQ(room.StatusOf("task_00000001"), "assigned");
}

TEST_F(Tasks, AreGivenUpAfterTheirLastAttemptAndMayBeQueuedAgain) {
  room.Register("a");
  const std::string id = room.Create("x", R"(,"max_attempts":2)");
  for (const char* status : {"pending", "failed"}) {
    EXPECT_EQ(room.Claim("a"), id);
    EXPECT_EQ(
        room.Get("fail_task", Room::Id(id, R"(,"error":"net","should_retry":true)")).at("status"),
        boost::json::value(status));
  }
  EXPECT_EQ(room.effects.dead, 1);
  const auto dead = room.Get("query_tasks", R"({"filters":{"status":"failed"}})");
  EXPECT_EQ(dead.at("tasks").at(0).at("error"), boost::json::value("net"));
  EXPECT_EQ(room.Get("requeue_task", Room::Id(id)).at("status"), boost::json::value("pending"));
  EXPECT_EQ(room.Claim("a"), id);
}

TEST_F(Tasks, AFailureForGoodEndsThem) {
  const std::string id = room.Create("x");
  EXPECT_EQ(room.Get("fail_task", Room::Id(id, R"(,"error":"nobody can","should_retry":true)"))
                .at("status"),
            boost::json::value("pending"))
      << "nobody tried it, so that was no attempt";
  EXPECT_EQ(room.Get("fail_task", Room::Id(id, R"(,"error":"never")")).at("status"),
            boost::json::value("failed"));
  EXPECT_EQ(room.Get("get_queue_metrics").at("success_rate"), boost::json::value(0.0));
}

TEST_F(Tasks, WaitForThoseTheyDependOn) {
  room.Register("a", R"(,"max_concurrent":100)");
  const std::string first = room.Create("first");
  const std::string second = room.Create("second", R"(,"depends_on":[")" + first + R"("])");
  EXPECT_EQ(room.Claim("a"), first);
  EXPECT_EQ(room.Refusal("assign_task", Room::Id(second, R"(,"agent_id":"a")")),
            "task " + second + " waits for 1 others; get_task_status names them");
  room.Get("start_task", Room::Id(first));
  room.Get("fail_task", Room::Id(first, R"(,"error":"no")"));
  EXPECT_EQ(boost::json::serialize(room.Get("get_task_status", Room::Id(second)).at("blocked_by")),
            R"([{"id":")" + first + R"(","status":"failed"}])");
  room.Get("requeue_task", Room::Id(first));
  EXPECT_EQ(room.Claim("a"), first);
  room.Get("start_task", Room::Id(first));
  room.Get("complete_task", Room::Id(first));
  EXPECT_EQ(room.effects.ready, 1);
  EXPECT_EQ(room.Claim("a"), second);
}

TEST_F(Tasks, ACycleIsRefusedAndNamed) {
  const std::string a = room.Create("a");
  const std::string b = room.Create("b", R"(,"depends_on":[")" + a + R"("])");
  const std::string c = room.Create("c", R"(,"depends_on":[")" + b + R"("])");
  EXPECT_EQ(room.Refusal("update_task", Room::Id(a, R"(,"depends_on":[")" + c + R"("])")),
            "depends_on would make a cycle: " + a + " -> " + c + " -> " + b + " -> " + a);
  EXPECT_EQ(room.Refusal("update_task", Room::Id(a, R"(,"depends_on":[")" + a + R"("])")),
            "task " + a + " cannot depend on itself");
  EXPECT_THAT(
      room.Refusal("create_tasks", R"({"tasks":[{"content":"x","ref":"x","depends_on":["y"]},)"
                                   R"({"content":"y","ref":"y","depends_on":["x"]}]})"),
      HasSubstr("would make a cycle"));
  EXPECT_EQ(room.Get("get_queue_metrics").at("pending"), boost::json::value(3))
      << "all of a batch or none";
}

TEST_F(Tasks, ABatchMayDependOnItself) {
  const auto made =
      room.Get("create_tasks", R"({"tasks":[{"content":"end","depends_on":["begin"]},)"
                               R"({"content":"begin","ref":"begin"}]})");
  ASSERT_TRUE(made.contains("task_ids")) << boost::json::serialize(made);
  room.Register("a");
  EXPECT_EQ(room.Claim("a"), std::string(made.at("task_ids").at(1).as_string()));
}

TEST_F(Tasks, AnIdempotencyKeyGivesTheFirstAnswer) {
  const std::string more = R"(,"idempotency_key":"k")";
  const std::string id = room.Create("x", more);
  EXPECT_EQ(room.Create("x", more), id);
  EXPECT_EQ(
      room.Refusal("create_task", R"({"content":"y","idempotency_key":"k"})"),
      "idempotency_key \"k\" made " + id + ", which asked for something else; use another key");
  room.caller = "other";
  EXPECT_NE(room.Create("x", more), id) << "keys are each caller's own";
}

TEST_F(Tasks, OverForLongAreForgottenAndThoseThatWaitForThemEnd) {
  const std::string failed = room.Create("x");
  const std::string waiting = room.Create("y", R"(,"depends_on":[")" + failed + R"("])");
  room.Get("fail_task", Room::Id(failed, R"(,"error":"no")"));
  room.now += room.settings.retain_ms;
  EXPECT_FALSE(*room.Do([](Records& records) { return Sweep(records); }));
  EXPECT_THAT(room.StatusOf(failed), HasSubstr("there is no task"));
  EXPECT_EQ(room.StatusOf(waiting), "cancelled");
  EXPECT_EQ(room.Get("get_queue_metrics").at("failed"), boost::json::value(0));
}

TEST_F(Tasks, AreFoundByWhatTheyAreInPages) {
  for (int i = 0; i < 25; ++i) {
    room.Create("x", i % 5 == 0 ? R"(,"priority":"high","task_type":"t")" : "");
  }
  auto page =
      room.Get("query_tasks", R"({"filters":{"priority":"high","status":"pending"},"limit":3})");
  ASSERT_EQ(page.at("tasks").as_array().size(), 3U) << boost::json::serialize(page);
  EXPECT_EQ(page.at("tasks").at(0).at("id"), boost::json::value("task_00000021"));
  page = room.Get("query_tasks",
                  R"({"filters":{"priority":"high"},"limit":3,"fields":["id"],"cursor":")" +
                      std::string(page.at("next_cursor").as_string()) + R"("})");
  EXPECT_EQ(boost::json::serialize(page),
            R"({"tasks":[{"id":"task_00000006"},{"id":"task_00000001"}]})");
  EXPECT_EQ(room.Get("query_tasks").at("tasks").as_array().size(), 10U);
  EXPECT_EQ(room.Get("query_tasks", R"({"filters":{"task_type":"t"},"limit":100})")
                .at("tasks")
                .as_array()
                .size(),
            5U);
}

TEST_F(Tasks, BadInputIsToldWhatIsAllowed) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({})", "content is missing"},
      {R"([])", "arguments must be a JSON object"},
      {R"({"content":""})", "content must have 1 to 262144 bytes, got 0"},
      {R"({"content":"a\u0000b"})", "content must have no control characters"},
      {R"({"content":"x","priority":"urgent"})",
       "priority must be one of low, medium, high, got \"urgent\""},
      {R"({"content":"x","max_attempts":-1})",
       "max_attempts must be a whole number from 1 to 100, got \"-1\""},
      {R"({"content":"x","max_attempts":1.5})",
       "max_attempts must be a whole number from 1 to 100, got \"1.5\""},
      {R"({"content":"x","max_attempts":"10"})",
       "max_attempts must be a whole number from 1 to 100, got the string \"10\""},
      {R"({"content":"x","requirements":"python"})",
       "requirements must be a list of at most 50 strings"},
      {R"({"content":"x","depends_on":["1"]})", "depends_on: an id of a task reads like"},
      {R"({"content":"x","depends_on":["task_99999999"]})",
       "depends_on: there is no task task_99999999, or no longer"},
      {R"({"content":"x","parent":"task_0"})", "parent: an id of a task reads like"},
      {R"({"content":"x","deadline":"tomorrow"})", "deadline must be a time such as"},
      {R"({"content":"x","colour":"red"})",
       "there is no argument \"colour\"; known: content, task_type, priority"},
  };
  for (const auto& [raw, message] : cases) {
    EXPECT_THAT(room.Refusal("create_task", raw), HasSubstr(std::string(message))) << raw;
  }
  const std::string large(10'000'000, 'x');
  EXPECT_THAT(room.Refusal("create_task", R"({"content":")" + large + R"("})"),
              EndsWith("bytes, got 10000000"));
  EXPECT_THAT(room.Refusal("poll_tasks", R"({"limit":-1})"), HasSubstr("from 1 to 100"));
  EXPECT_THAT(room.Refusal("poll_tasks", R"({"claim":true})"), HasSubstr("claim needs agent_id"));
  EXPECT_THAT(room.Refusal("get_task_status", R"({"task_id":"task_00000077"})"),
              HasSubstr("there is no task task_00000077"));
  EXPECT_EQ(room.Get("get_queue_metrics").at("pending"), boost::json::value(0));
}

TEST_F(Tasks, AliasesOfArgumentsAreUnderstood) {
  EXPECT_EQ(room.Refusal("create_task", R"({"description":"x","required_capabilities":["a"]})"),
            "");
  EXPECT_EQ(room.Refusal("register_agent", R"({"id":"a","skills":["a"]})"), "");
  EXPECT_EQ(room.Claim("a"), "task_00000001");
}

// Those who claim a step want what the one before gave.
TEST(ClaimedTasks, BringTheResultsOfWhatTheyWaitedFor) {
  Room room;
  room.Register("a", R"(,"max_concurrent":100)");
  const auto finish = [&room](const std::string& id, const std::string& result) {
    room.Get("start_task", Room::Id(id));
    EXPECT_EQ(room.Refusal("complete_task", Room::Id(id, R"(,"result":)" + result)), "");
  };
  for (const char* content : {"small", "large", "none"}) room.Create(content);
  room.Claim("a");
  const std::string after = R"(,"depends_on":["task_00000001","task_00000002","task_00000003"])";
  room.Create("step", after);
  room.Create("other", after);
  finish("task_00000001", R"({"n":1.50})");
  finish("task_00000002", "\"" + std::string(kMaxResult - 2, 'x') + "\"");
  finish("task_00000003", "null");
  const std::string claim = R"({"agent_id":"a","claim":true,"fields":["id"])";
  EXPECT_THAT(room.Refusal("poll_tasks", R"({"include_dependency_results":true})"),
              HasSubstr("include_dependency_results goes with claim"));
  const Result<Answer> got =
      room.Call("poll_tasks", claim + R"(,"limit":1,"include_dependency_results":true})");
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(ToText(got->content),
            R"({"tasks":[{"id":"task_00000004","fence":1,"dependency_results":[)"
            R"({"id":"task_00000001","result":{"n":1.50}},)"
            R"({"id":"task_00000002","omitted":true},{"id":"task_00000003"}]}]})");
  EXPECT_FALSE(room.Get("poll_tasks", claim + "}")
                   .at("tasks")
                   .at(0)
                   .as_object()
                   .contains("dependency_results"))
      << "only who asks gets them";
}

TEST(ClaimedTasks, BringNoMoreResultsThanThereIsRoomFor) {
  Room room;
  room.Register("a", R"(,"max_concurrent":1000)");
  std::string needs;
  for (int i = 0; i < 5; ++i) {
    const std::string id = room.Create("x");
    needs += (i == 0 ? "\"" : ",\"") + id + "\"";
    ASSERT_EQ(room.Claim("a"), id);
    room.Get("start_task", Room::Id(id));
    room.Get("complete_task", Room::Id(id, R"(,"result":")" + std::string(100'000, 'x') + "\""));
  }
  for (int i = 0; i < 3; ++i) room.Create("step", R"(,"depends_on":[)" + needs + "]");
  const auto got = room.Get(
      "poll_tasks",
      R"({"agent_id":"a","claim":true,"fields":["id"],"include_dependency_results":true})");
  int given = 0, omitted = 0;
  for (const auto& task : got.at("tasks").as_array()) {
    for (const auto& one : task.at("dependency_results").as_array()) {
      given += one.as_object().contains("result") ? 1 : 0;
      omitted += one.as_object().contains("omitted") ? 1 : 0;
    }
  }
  EXPECT_EQ(given, 2) << "256 KiB an answer";
  EXPECT_EQ(omitted, 13);
}

// An index has the end of each lease, and is spared what nobody notices.
TEST_F(Tasks, StartRenewsALeaseUnlessItIsAMomentOld) {
  room.Register("a");
  const auto lease = [&](const std::string& id) {
    const Result<Task> task =
        room.Do([&](Records& records) { return Find(records, *TaskIdOf(id)); });
    return task ? task->lease_until : -1;
  };
  for (const auto& [later, ms, renewed] :
       {std::tuple(99, 300'000, false), {100, 300'000, true}, {9, 1000, false}, {10, 1000, true}}) {
    const std::string id = room.Create("x");
    room.Claim("a", R"(,"lease_ms":)" + std::to_string(ms));
    const std::int64_t before = lease(id);
    room.now += later;
    ASSERT_EQ(room.Refusal("start_task", Room::Id(id)), "");
    EXPECT_EQ(lease(id) != before, renewed) << later << " ms of " << ms;
  }
}

}  // namespace
}  // namespace switchyard::orchestration
