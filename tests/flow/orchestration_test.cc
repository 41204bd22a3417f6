// The orchestration service in a whole gateway, for clients of both eras.
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

class Orchestration : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "{}") {
    gateway.GoesBy(clock).With("orchestration", keys).Start();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  // The structured content of a tool's answer.
  static json::value Call(Client& client, const std::string& tool,
                          const std::string& arguments = "{}") {
    const Answer answer = client.Call("orchestration_" + tool, arguments);
    EXPECT_EQ(answer.status, 200) << answer;
    return answer.at("/result/structuredContent");
  }
  static std::string Id(const json::value& created) { return TextAt(created, "/task_id"); }
  static std::string Of(const std::string& task) { return R"({"task_id":")" + task + R"("})"; }

  LeapingClock clock;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Orchestration, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(Orchestration, IsAServerLikeAnyOther) {
  Start();
  const auto client = NewClient();
  EXPECT_THAT(client->Tools(),
              IsSupersetOf({"orchestration_create_task", "orchestration_poll_tasks",
                            "orchestration_get_health"}));
  EXPECT_FALSE(client->Call("orchestration_nothing").Contains("structuredContent"));
  Call(*client, "get_health");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_server_up{server="orchestration"} 1)"));
}

// A client of 2025-03-26 knows no structured content.
TEST_P(Orchestration, ClientsThatKnowTextAloneHaveAllOfItThere) {
  Start();
  const auto newer = NewClient();
  Call(*newer, "register_agent", R"({"agent_id":"a"})");
  Call(*newer, "create_task", R"({"content":"Paint it"})");
  LegacyClient older(gateway.port(), "/mcp", "2025-03-26");
  const Answer claimed = older.Call("orchestration_poll_tasks", R"({"claim":true,"agent_id":"a"})");
  EXPECT_FALSE(claimed.Contains("structuredContent")) << claimed;
  const json::value all = Parse(claimed.text());
  EXPECT_EQ(TextAt(all, "/tasks/0/content"), "Paint it") << claimed;
  EXPECT_EQ(TextAt(all, "/tasks/0/id"), "task_00000001") << claimed;
}

// The first pattern of docs/orchestration.md.
TEST_P(Orchestration, ATaskIsCreatedRoutedAssignedStartedAndCompleted) {
  Start();
  const auto client = NewClient();
  Call(*client, "register_agent",
       R"({"agent_id":"analyst","capabilities":["python","data_analysis"]})");
  const std::string id =
      Id(Call(*client, "create_task",
              R"({"content":"Analyze dataset","task_type":"analysis","priority":"high",)"
              R"("requirements":["python","data_analysis"]})"));
  EXPECT_EQ(TextAt(Call(*client, "route_task", Of(id)), "/selected_agent"), "analyst");
  Call(*client, "assign_task", R"({"task_id":")" + id + R"(","agent_id":"analyst"})");
  Call(*client, "start_task", Of(id));
  const Answer done =
      client->Call("orchestration_complete_task",
                   R"({"task_id":")" + id +
                       R"(","result":"Analyzed 1000 records","metrics":{"duration_ms":2500}})");
  EXPECT_EQ(done.text(), id + " completed");
  const json::value status = Call(*client, "get_task_status", Of(id));
  EXPECT_EQ(TextAt(status, "/status"), "completed");
  EXPECT_EQ(TextAt(status, "/result"), "Analyzed 1000 records");
  EXPECT_EQ(At(Call(*client, "get_queue_metrics"), "/completed"), json::value(1));
}

TEST_P(Orchestration, WhatIsWrongIsAToolsErrorThatAnAgentCanActOn) {
  Start();
  const auto client = NewClient();
  const std::string id = Id(Call(*client, "create_task", R"({"content":"x"})"));
  const Answer refused = client->Call("orchestration_complete_task", Of(id));
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  EXPECT_EQ(refused.text(), "task " + id +
                                " is pending: complete_task does not apply; what applies: "
                                "assign_task, fail_task, cancel_task, update_task");
}

TEST_P(Orchestration, APollWaitsForATask) {
  Start();
  const auto client = NewClient();
  Call(*client, "register_agent", R"({"agent_id":"a"})");
  std::vector<Exchange> polls;
  for (int i = 0; i < 3; ++i) {
    polls.push_back(client->BeginCall(
        "orchestration_poll_tasks", R"({"claim":true,"agent_id":"a","limit":1,"wait_ms":60000})"));
  }
  std::vector<std::string> created;
  for (int i = 0; i < 3; ++i) {
    created.push_back(Id(Call(*client, "create_task", R"({"content":"x"})")));
  }
  std::vector<std::string> claimed;
  for (Exchange& poll : polls) {
    claimed.push_back(TextAt(poll.Finish().message(), "/result/structuredContent/tasks/0/id"));
  }
  EXPECT_THAT(claimed, ::testing::UnorderedElementsAreArray(created)) << "each to one of them";
}

TEST_P(Orchestration, AWaitEndsWhenItsTimeIsOver) {
  Start();
  const auto client = NewClient();
  Exchange poll = client->BeginCall("orchestration_poll_tasks", R"({"wait_ms":50})");
  EXPECT_EQ(poll.Finish().text(), "0 tasks");
}

TEST_P(Orchestration, ManyAgentsShareTheWorkAndEachTaskIsDoneOnce) {
  constexpr int kAgents = 8;
  constexpr int kBatches = 3;
  Start();
  const auto client = NewClient();
  std::string batch = R"({"tasks":[)";
  for (int i = 0; i < 50; ++i) batch += std::string(i == 0 ? "" : ",") + R"({"content":"x"})";
  for (int i = 0; i < kBatches; ++i) Call(*client, "create_tasks", batch + "]}");
  std::vector<std::vector<std::string>> done(kAgents);
  {
    std::vector<std::jthread> agents;
    for (int i = 0; i < kAgents; ++i) {
      agents.emplace_back([this, i, &mine = done[static_cast<std::size_t>(i)]] {
        const auto agent = NewClient();
        const std::string who = R"("agent_id":"agent)" + std::to_string(i) + "\"";
        Call(*agent, "register_agent", "{" + who + "}");
        for (;;) {
          const json::value got =
              Call(*agent, "poll_tasks", R"({"claim":true,"limit":3,)" + who + "}");
          const std::vector<std::string> ids = Each(At(got, "/tasks"), "id");
          if (ids.empty()) return;
          for (const std::string& id : ids) {
            Call(*agent, "start_task", R"({"task_id":")" + id + "\"," + who + "}");
            Call(*agent, "complete_task", R"({"task_id":")" + id + "\"," + who + "}");
            mine.push_back(id);
          }
        }
      });
    }
  }
  std::set<std::string> all;
  std::size_t sum = 0;
  for (const auto& mine : done) {
    sum += mine.size();
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(sum, 50U * kBatches);
  EXPECT_EQ(all.size(), sum) << "a task was claimed twice";
  EXPECT_EQ(At(Call(*client, "get_queue_metrics"), "/completed"), json::value(50 * kBatches));
}

TEST_P(Orchestration, AStopWaitsForNoPoll) {
  Start();
  const auto client = NewClient();
  Exchange poll = client->BeginCall("orchestration_poll_tasks", R"({"wait_ms":60000})");
  ASSERT_TRUE(Shows(gateway, R"(switchyard_calls_in_flight{server="orchestration"} 1)"));
  gateway.server().Stop(std::chrono::minutes(1));
  EXPECT_EQ(poll.Finish().text(), "0 tasks");
}

TEST_P(Orchestration, ADeadAgentsTaskReturnsWithItsLeaseByItself) {
  Start("{lease: 30s}");
  const auto client = NewClient();
  Call(*client, "register_agent", R"({"agent_id":"dead"})");
  Call(*client, "register_agent", R"({"agent_id":"next"})");
  const std::string id = Id(Call(*client, "create_task", R"({"content":"x"})"));
  Call(*client, "poll_tasks", R"({"claim":true,"agent_id":"dead"})");
  Exchange poll = client->BeginCall("orchestration_poll_tasks",
                                    R"({"claim":true,"agent_id":"next","wait_ms":60000})");
  clock.Advance(std::chrono::seconds(31));
  EXPECT_EQ(TextAt(poll.Finish().message(), "/result/structuredContent/tasks/0/id"), id);
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_leases_expired_total 1"));
}

TEST_P(Orchestration, ReloadsChangeItsLimitsAndTakeItAway) {
  Start("{lease: 30s}");
  const auto client = NewClient();
  const std::string id = Id(Call(*client, "create_task", R"({"content":"x"})"));
  gateway.With("orchestration", "{lease: 40s, tools: [orchestration_get_task_status]}");
  gateway.Reload();
  EXPECT_EQ(TextAt(Call(*NewClient(), "get_task_status", Of(id)), "/status"), "pending");
  EXPECT_EQ(NewClient()->Tools(), std::vector<std::string>{"orchestration_get_task_status"});
  gateway.With("orchestration", "{enabled: false}");
  gateway.Reload();
  EXPECT_TRUE(NewClient()->Tools().empty());
}

// What cannot be opened is no reason to change anything else.
TEST_P(Orchestration, AReloadThatCannotOpenItChangesNothing) {
  const TempDir directory;
  std::ofstream(directory.Path("orchestration.db")) << std::string(5000, 'x');
  gateway.With("state", "{dir: " + directory.path() + "}").Start();
  gateway.With("audit", "{path: " + directory.Path("audit.jsonl") + "}")
      .With("orchestration", "{}");
  const Result<void> refused = gateway.TryReload();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is not a database"));
  EXPECT_FALSE(std::filesystem::exists(directory.Path("audit.jsonl")));
  gateway.Stop();
}

TEST_P(Orchestration, PoliciesApplyToIt) {
  Start("{policies: {budget: {budgets: {b: {calls: 1, window: 1h}}}}}");
  const auto client = NewClient();
  Call(*client, "create_task", R"({"content":"x"})");
  EXPECT_THAT(client->Call("orchestration_create_task", R"({"content":"x"})").text(),
              HasSubstr("budget b: 0 of 1 call left"));
}

TEST_P(Orchestration, WhatWasAnsweredIsThereAfterARestart) {
  const TempDir directory;
  gateway.With("state", "{dir: " + directory.path() + "}");
  Start();
  const std::string id = Id(Call(*NewClient(), "create_task", R"({"content":"x"})"));
  gateway.Stop();
  gateway.Start();
  EXPECT_EQ(TextAt(Call(*NewClient(), "get_task_status", Of(id)), "/status"), "pending");
  gateway.Stop();
}

}  // namespace
}  // namespace switchyard::tests
