// Very many calls that wait in the orchestration service, in a whole gateway as it is configured by
// default: they keep nobody out, least of all the calls that they wait for.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

constexpr int kMany = 70;  // more than `concurrency` has slots

class OrchestrationWaiters : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "{}") {
    gateway.With("orchestration", keys).Start();
    client = gateway.ClientOf(GetParam());
  }
  json::value Call(const std::string& tool, const std::string& arguments = "{}") {
    const Answer answer = client->Call("orchestration_" + tool, arguments);
    EXPECT_TRUE(answer.Contains("structuredContent")) << tool << ": " << answer;
    return answer.at("/result/structuredContent");
  }
  void Register(int agents) {
    for (int i = 0; i < agents; ++i) Call("register_agent", Of(i, ""));
  }
  static std::string Of(int agent, const std::string& more) {
    return R"({"agent_id":"a)" + std::to_string(agent) + "\"" + more + "}";
  }
  void Wait(const std::string& tool, const std::string& arguments) {
    waiting.push_back(client->BeginCall("orchestration_" + tool, arguments));
  }
  bool Waits(int calls) {
    return Shows(gateway,
                 R"(switchyard_calls_in_flight{server="orchestration"} )" + std::to_string(calls));
  }
  static std::string StatusOf(Exchange& call) {
    return TextAt(call.Finish().message(), "/result/structuredContent/status");
  }

  Gateway gateway;
  std::unique_ptr<Client> client;
  std::vector<Exchange> waiting;
};

INSTANTIATE_TEST_SUITE_P(Era, OrchestrationWaiters, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(OrchestrationWaiters, ThatPollKeepNoHeartbeatAndNoNewTaskOut) {
  Start();
  Register(kMany);
  for (int i = 0; i < kMany; ++i) {
    Wait("poll_tasks", Of(i, R"(,"claim":true,"limit":1,"wait_ms":60000)"));
  }
  ASSERT_TRUE(Waits(kMany));
  EXPECT_EQ(At(Call("heartbeat", Of(3, "")), "/renewed"), json::value(0));
  for (int i = 0; i < kMany; ++i) Call("create_task", R"({"content":"x"})");
  for (Exchange& poll : waiting) {
    EXPECT_EQ(TextAt(poll.Finish().message(), "/result/structuredContent/tasks/0/status"),
              "assigned");
  }
}

TEST_P(OrchestrationWaiters, ForATaskDoNotKeepItFromItsEnd) {
  Start();
  Register(1);
  const std::string task = TextAt(Call("create_task", R"({"content":"x"})"), "/task_id");
  const std::string its = R"({"task_id":")" + task + "\"";
  Call("poll_tasks", Of(0, R"(,"claim":true)"));
  Call("start_task", its + "}");
  for (int i = 0; i < kMany; ++i) Wait("await_task", its + R"(,"wait_ms":60000})");
  ASSERT_TRUE(Waits(kMany));
  EXPECT_EQ(TextAt(Call("complete_task", its + "}"), "/status"), "completed");
  for (Exchange& call : waiting) EXPECT_EQ(StatusOf(call), "completed");
}

TEST_P(OrchestrationWaiters, ForALockDoNotKeepItFromItsRelease) {
  Start();
  Register(kMany + 1);
  const std::string file = R"(,"file_path":"src/a.cc")";
  Call("acquire_file_lock", Of(kMany, file));
  for (int i = 0; i < kMany; ++i) {
    Wait("acquire_file_lock", Of(i, file + R"(,"mode":"shared","wait_ms":60000)"));
  }
  ASSERT_TRUE(Waits(kMany));
  EXPECT_EQ(TextAt(Call("release_file_lock", Of(kMany, file)), "/status"), "released");
  for (Exchange& call : waiting) EXPECT_EQ(StatusOf(call), "acquired");
}

TEST_P(OrchestrationWaiters, TakeNoSlotOfACapForTheServiceButOneOfTheirOwn) {
  Start(
      "{policies: {concurrency: {max_in_flight: 1, queue: 0}}, tool_policies: "
      "{orchestration_await_task: {concurrency: {max_in_flight: 1, queue: 0}}}}");
  Register(1);
  const std::string task = TextAt(Call("create_task", R"({"content":"x"})"), "/task_id");
  const std::string its = R"({"task_id":")" + task + R"(","wait_ms":60000})";
  for (int i = 0; i < 3; ++i) Wait("poll_tasks", R"({"task_type":"none","wait_ms":60000})");
  Wait("await_task", its);
  ASSERT_TRUE(Waits(4));
  EXPECT_EQ(At(Call("heartbeat", Of(0, "")), "/renewed"), json::value(0));
  EXPECT_THAT(client->Call("orchestration_await_task", its).text() +
                  TextAt(client->Call("orchestration_await_task", its).message(), "/error/message"),
              HasSubstr("busy with 1 calls"));
}

}  // namespace
}  // namespace switchyard::tests
