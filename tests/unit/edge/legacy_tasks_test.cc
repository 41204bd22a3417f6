// What the edge makes of tasks for a legacy client; everything else is in flow/tasks_test.cc.
#include "edge/legacy_tasks.h"

#include <gtest/gtest.h>

#include "support/json.h"
#include "unit/core/support.h"

namespace switchyard::edge {
namespace {

using switchyard::testing::ClientWho;
using switchyard::testing::FakeService;
using switchyard::testing::Pulled;
using tests::At;
using tests::Parse;
using tests::TextAt;

constexpr const char* kTask =
    R"({"resultType":"complete","taskId":"t","status":"working","createdAt":"c",)"
    R"("lastUpdatedAt":"u","ttlMs":60000})";

struct LegacyTasksTest : ::testing::Test {
  net::io_context context{1};
  ManualClock clock;
  Sealer sealer{Sealer::RandomKey()};
  TaskBoard board{clock};
  Sessions sessions{sealer, clock, {.tasks = &board}, [](const auto&) {}};
  std::shared_ptr<Session> session =
      sessions.Open(*ClientWho(mcp::Version::k2025_11_25, Tasks::kNone), "");
  FakeService service;
  std::vector<std::unique_ptr<Call>> calls;  // outlive their replies

  Call& Make(std::string_view method, std::string_view params) {
    calls.push_back(std::make_unique<Call>());
    calls.back()->message = mcp::Message::Make("5", method, params);
    calls.back()->client = session->client;
    return *calls.back();
  }

  // The response, or an object with the error's code.
  tests::json::value Answer(std::string_view method, std::string_view params) {
    tests::json::value answer;
    Spawn(context.get_executor(), "call",
          [](LegacyTasksTest& test, Call& call, tests::json::value& out) -> Task<void> {
            LegacyTasks tasks(test.service, test.session, test.sessions);
            Result<ReplyPtr> reply = co_await tasks.Handle(call);
            if (!reply) {
              out = {{"refused", reply.error().rpc_code}};
              co_return;
            }
            Pulled next = co_await (*reply)->Next();
            out = Parse((**next).ToText());
          }(*this, Make(method, params), answer));
    context.restart();
    context.poll();
    return answer;
  }
};

TEST_F(LegacyTasksTest, ConcernsTaskMethodsAndCallsThatWantATask) {
  const auto concerns = [&](std::string_view method, std::string_view params) {
    return LegacyTasks::Concerns(Make(method, params), sessions);
  };
  EXPECT_TRUE(concerns("tasks/get", R"({"taskId":"t"})"));
  EXPECT_TRUE(concerns("tools/call", R"({"name":"x","task":{}})"));
  EXPECT_FALSE(concerns("tools/call", R"({"name":"x"})"));
  EXPECT_FALSE(concerns("tools/list", R"({"task":{}})"));
}

TEST_F(LegacyTasksTest, TellsTheInsideThatTheClientWantsATask) {
  service.OnResult("tools/call",
                   R"({"resultType":"task","taskId":"t","status":"working","ttlMs":5})");
  Answer("tools/call", R"({"name":"x","task":{}})");
  EXPECT_EQ(service.last_call->client->tasks, Tasks::kWanted);
  service.OnResult("tasks/get", kTask);
  Answer("tasks/get", R"({"taskId":"t"})");
  EXPECT_EQ(service.last_call->client->tasks, Tasks::kAccepted);
}

TEST_F(LegacyTasksTest, ATaskParamThatIsNoObjectIsRefused) {
  EXPECT_EQ(At(Answer("tools/call", R"({"name":"x","task":7})"), "/refused"), -32602);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(LegacyTasksTest, WhatIsAskedBeforeTheTaskExistsPassesAsItIs) {
  service.OnResult(
      "tools/call",
      R"({"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}})");
  const auto answer = Answer("tools/call", R"({"name":"x","task":{}})");
  EXPECT_EQ(TextAt(answer, "/result/resultType"), "input_required") << answer;
  EXPECT_EQ(board.size(), 0u);
}

TEST_F(LegacyTasksTest, WhatATaskAsksForNamesTheTask) {
  service.OnResult("tasks/result",
                   R"({"resultType":"input_required","inputRequests":{"k":{"method":)"
                   R"("elicitation/create","params":{"message":"who?"}}}})");
  const auto answer = Answer("tasks/result", R"({"taskId":"t"})");
  EXPECT_EQ(TextAt(answer, "/result/resultType"), "input_required");
  const auto params = At(answer, "/result/inputRequests/k/params");
  EXPECT_EQ(TextAt(params, "/message"), "who?");
  EXPECT_EQ(TextAt(params, "/_meta/io.modelcontextprotocol~1related-task/taskId"), "t") << answer;
}

TEST_F(LegacyTasksTest, WhatWasCancelledStaysCancelledWhateverTheServerDoes) {
  service.OnResult("tools/call",
                   R"({"resultType":"task","taskId":"t","status":"working","ttlMs":60000})");
  service.OnResult("tasks/get", kTask);
  service.OnResult("tasks/cancel", R"({"resultType":"complete"})");
  service.OnResult("tasks/result", R"({"content":[]})");
  Answer("tools/call", R"({"name":"x","task":{}})");
  const auto cancelled = Answer("tasks/cancel", R"({"taskId":"t"})");
  EXPECT_EQ(TextAt(cancelled, "/result/status"), "cancelled") << cancelled;
  EXPECT_EQ(TextAt(Answer("tasks/get", R"({"taskId":"t"})"), "/result/status"), "cancelled");
  EXPECT_EQ(At(Answer("tasks/result", R"({"taskId":"t"})"), "/error/code"), -32603);
  EXPECT_EQ(At(Answer("tasks/cancel", R"({"taskId":"t"})"), "/refused"), -32602);
}

TEST_F(LegacyTasksTest, ARefusedCancelIsTheServersWord) {
  service.OnResult("tasks/get", kTask);
  service.On("tasks/cancel", [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::MakeError("99", -32602, "no"));
  });
  EXPECT_EQ(At(Answer("tasks/cancel", R"({"taskId":"t"})"), "/error/code"), -32602);
}

TEST_F(LegacyTasksTest, AResultThatCameAtOnceIsKeptForAsLongAsTheClientWants) {
  service.OnResult("tools/call", R"({"resultType":"complete","content":[{"a":1.50}]})");
  const auto created = Answer("tools/call", R"({"name":"x","task":{"ttl":60000}})");
  const std::string id = TextAt(created, "/result/task/taskId");
  EXPECT_EQ(TextAt(created, "/result/task/status"), "working");
  EXPECT_EQ(At(created, "/result/task/ttl"), 60000);
  const std::string params = R"({"taskId":")" + id + "\"}";
  EXPECT_EQ(TextAt(Answer("tasks/get", params), "/result/status"), "completed");
  EXPECT_EQ(At(Answer("tasks/result", params), "/result/content"), Parse(R"([{"a":1.50}])"));
  EXPECT_EQ(service.seen, std::vector<std::string>{"tools/call"});
  clock.Advance(std::chrono::seconds(60));
  service.OnResult("tasks/get", kTask);
  Answer("tasks/get", params);
  EXPECT_EQ(service.seen.back(), "tasks/get");
}

TEST_F(LegacyTasksTest, AnErrorOfTheCallIsNoTask) {
  service.On("tools/call", [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::MakeError("99", -32602, "no"));
  });
  EXPECT_EQ(At(Answer("tools/call", R"({"name":"x","task":{}})"), "/error/code"), -32602);
  EXPECT_EQ(board.size(), 0u);
}

TEST_F(LegacyTasksTest, AnEndedSessionTakesItsTasksAlong) {
  service.OnResult("tools/call", R"({"content":[]})");
  Answer("tools/call", R"({"name":"x","task":{}})");
  EXPECT_EQ(board.size(), 1u);
  sessions.End(session->client->session);
  EXPECT_EQ(board.size(), 0u);
}

}  // namespace
}  // namespace switchyard::edge
