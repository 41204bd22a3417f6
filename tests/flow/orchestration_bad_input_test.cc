// Bad input of the orchestration service as its clients meet it, in both eras: a tool's error in
// words that an agent can act on, nothing of the inside, and nothing that was there is changed.
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class OrchestrationBadInput : public ::testing::TestWithParam<Era> {
 protected:
  OrchestrationBadInput() {
    // Room for ten megabytes, so that it is the service that refuses them.
    gateway.With("listen", "{address: \"127.0.0.1:0\", max_body: 16MiB}");
    gateway.With("orchestration", "{}").Start();
    client = gateway.ClientOf(GetParam());
    Call("register_agent", R"({"agent_id":"a","capabilities":["python"]})");
    task = TextAt(Call("create_task", R"({"content":"kept","priority":"high"})").message(),
                  "/result/structuredContent/task_id");
  }
  Answer Call(const std::string& tool, const std::string& arguments) {
    return client->Call("orchestration_" + tool, arguments);
  }
  json::value Numbers() {
    return Call("get_queue_metrics", "{}").at("/result/structuredContent/pending_by_priority");
  }
  void ExpectRefused(const std::string& tool, const std::string& arguments,
                     const std::string& words) {
    const Answer answer = Call(tool, arguments);
    EXPECT_EQ(answer.status, 200) << tool;
    EXPECT_EQ(answer.at("/result/isError"), json::value(true)) << tool << ": " << answer;
    EXPECT_THAT(answer.text(), HasSubstr(words)) << tool;
    EXPECT_THAT(answer.body, Not(AnyOf(HasSubstr("sqlite"), HasSubstr("SELECT"), HasSubstr("boost"),
                                       HasSubstr(".cc"))));
    EXPECT_LT(answer.body.size(), 2000U) << "what was wrong is not sent back at length";
  }

  Gateway gateway;
  std::unique_ptr<Client> client;
  std::string task;
};

INSTANTIATE_TEST_SUITE_P(Era, OrchestrationBadInput, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(OrchestrationBadInput, IsToldWhatIsAllowedAndChangesNothing) {
  const json::value before = Numbers();
  const std::string its = R"({"task_id":")" + task + "\"";
  const std::string longer(101, 'a');
  ExpectRefused("get_task_status", R"({"task_id":"task_00000077"})",
                "there is no task task_00000077, or no longer");
  ExpectRefused("complete_task", its + "}",
                "what applies: assign_task, fail_task, cancel_task, update_task");
  ExpectRefused("register_agent", R"({"agent_id":")" + longer + "\"}",
                "agent_id must have 1 to 100 bytes, got 101");
  ExpectRefused("create_task", R"({"content":"x","priority":"urgent"})",
                R"(priority must be one of low, medium, high, got "urgent")");
  ExpectRefused("query_tasks", R"({"filters":{"status":"lost"}})",
                "filters.status must be one of pending, assigned, in_progress");
  ExpectRefused("create_task", R"({"content":"a\u0007b"})",
                "content must have no control characters");
  ExpectRefused("poll_tasks", R"({"limit":-5})", "limit must be a whole number from 1 to 100");
  ExpectRefused("update_task", its + R"(,"depends_on":[")" + task + "\"]}",
                "task " + task + " cannot depend on itself");
  ExpectRefused("heartbeat", R"({"agent_id":"nobody"})", "register_agent makes one");
  ExpectRefused("start_task", its + R"(,"fence":9})", "is out of date");
  EXPECT_EQ(Numbers(), before);
  EXPECT_EQ(TextAt(Call("get_task_status", its + R"(,"fields":["content"]})").message(),
                   "/result/structuredContent/content"),
            "kept");
}

TEST_P(OrchestrationBadInput, OfTenMegabytesIsRefusedByItsSize) {
  ExpectRefused("create_task", R"({"content":")" + std::string(10'000'000, 'x') + "\"}",
                "content must have 1 to 262144 bytes, got 10000000");
  EXPECT_EQ(At(Numbers(), "/high"), json::value(1));
  EXPECT_EQ(At(Numbers(), "/medium"), json::value()) << "there is none of that";
}

}  // namespace
}  // namespace switchyard::tests
