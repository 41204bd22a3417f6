// Tasks at the router of one endpoint, over a scripted server.
#include "catalog/tasks.h"

#include <algorithm>
#include <deque>

#include <gtest/gtest.h>

#include "downstream/remote.h"
#include "mcp/json_string.h"
#include "support/json.h"
#include "unit/core/support.h"
#include "unit/downstream/loop.h"

namespace switchyard::catalog {
namespace {

using switchyard::testing::FakeService;
using switchyard::testing::Pulled;
using tests::At;
using tests::Parse;
using tests::TextAt;

constexpr const char* kWorking =
    R"({"taskId":"up-1","status":"working","ttlMs":60000,"pollIntervalMs":500})";
constexpr const char* kAsking =
    R"({"taskId":"up-1","status":"input_required","inputRequests":{"k":{"method":"roots/list"}}})";
constexpr const char* kDone =
    R"({"taskId":"up-1","status":"completed","result":{"content":[{"n":1.50}]}})";
constexpr const char* kCreated =
    R"({"resultType":"task","taskId":"up-1","status":"working","ttlMs":60000})";

struct TaskRoutesTest : ::testing::Test {
  downstream::Loop loop;
  Sealer sealer{Sealer::RandomKey()};
  std::shared_ptr<FakeService> server = std::make_shared<FakeService>();
  bool configured = true;
  TaskRoutes routes{sealer, loop.deps(), [this](std::string_view) -> std::shared_ptr<Service> {
                      return configured ? server : nullptr;
                    }};
  Definition tool{.kind = ItemKind::kTool,
                  .server = "wiki",
                  .name = "slow",
                  .exposed = "wiki__slow",
                  .json = "{}",
                  .annotations = {},
                  .tasks = TaskSupport::kOptional};
  std::vector<std::unique_ptr<Call>> calls;  // outlive their replies
  std::deque<std::string> polls;             // what tasks/get says next; the last one stays

  TaskRoutesTest() {
    server->On("tasks/get", [this](Call& call) -> Result<ReplyPtr> {
      EXPECT_EQ(call.target.name, "up-1");
      const std::string now = polls.front();
      if (polls.size() > 1) polls.pop_front();
      return ReplyWith(mcp::Message::FromResult("99", now));
    });
    server->OnResult("tasks/update", R"({"resultType":"complete"})");
    server->OnResult("tasks/cancel", R"({"resultType":"complete"})");
  }

  Call& Make(std::string_view method, std::string_view params, Tasks tasks,
             mcp::Version version = mcp::kModern) {
    calls.push_back(std::make_unique<Call>());
    Call& call = *calls.back();
    call.message = mcp::Message::Make("5", method, params);
    call.client = switchyard::testing::ClientWho(version, tasks);
    if (method == "tools/call") {
      call.target = {.server = "wiki", .name = "slow", .definition = &tool, .pin = nullptr};
    }
    return call;
  }
  Result<ReplyPtr> Forward(Call& call) { return loop.Run(routes.Forward(call, server)); }
  Result<ReplyPtr> Handle(Call& call) {
    routes.Resolve(call);
    return loop.Run(routes.Handle(call));
  }
  tests::json::value Next(Result<ReplyPtr>& reply) {
    if (!reply) return {{"refused", reply.error().rpc_code}};
    std::optional<Pulled> next;
    Spawn(loop.deps().executor(), "pull",
          [](Reply& from, std::optional<Pulled>& out) -> Task<void> {
            Pulled pulled = co_await from.Next();
            out = std::move(pulled);
          }(**reply, next));
    EXPECT_TRUE(loop.RunUntilWithTime([&] { return next.has_value(); }));
    return *next && next->value() ? Parse((**next)->ToText()) : tests::json::value();
  }
  std::string IdOf(Call& call) {
    Result<ReplyPtr> reply = Forward(call);
    return TextAt(Next(reply), "/result/taskId");
  }
};

TEST_F(TaskRoutesTest, AnIdIsSealedOnItsWayOutAndOpenedOnItsWayIn) {
  server->OnResult("tools/call", kCreated);
  polls = {kWorking};
  const std::string id = IdOf(Make("tools/call", R"({"name":"slow"})", Tasks::kAccepted));
  EXPECT_NE(id, "up-1");
  Result<ReplyPtr> reply =
      Handle(Make("tasks/get", R"({"taskId":")" + id + "\"}", Tasks::kAccepted));
  EXPECT_EQ(TextAt(Next(reply), "/result/taskId"), id);
}

TEST_F(TaskRoutesTest, ATaskOfAnotherCallerIsUnknown) {
  server->OnResult("tools/call", kCreated);
  Call& owner = Make("tools/call", R"({"name":"slow"})", Tasks::kAccepted);
  owner.caller = MakeCaller({.subject = "ada"});
  const std::string id = IdOf(owner);
  for (const char* method : {"tasks/get", "tasks/update", "tasks/cancel", "tasks/result"}) {
    Call& thief =
        Make(method, R"({"taskId":")" + id + R"(","inputResponses":{}})", Tasks::kAccepted);
    thief.caller = MakeCaller({.subject = "bob"});
    Result<ReplyPtr> reply = Handle(thief);
    ASSERT_FALSE(reply) << method;
    EXPECT_EQ(reply.error().rpc_code, -32602);
    EXPECT_EQ(reply.error().message, "unknown task");
  }
  EXPECT_EQ(server->seen, std::vector<std::string>{"tools/call"});
}

TEST_F(TaskRoutesTest, ATaskOfAServerThatIsGoneIsUnknown) {
  server->OnResult("tools/call", kCreated);
  const std::string id = IdOf(Make("tools/call", R"({"name":"slow"})", Tasks::kAccepted));
  configured = false;
  Result<ReplyPtr> reply =
      Handle(Make("tasks/get", R"({"taskId":")" + id + "\"}", Tasks::kAccepted));
  EXPECT_EQ(At(Next(reply), "/refused"), -32602);
}

TEST_F(TaskRoutesTest, OnlyTheCallItselfHoldsTheWayToTheServerOfATask) {
  server->OnResult("tools/call", kCreated);
  polls = {kWorking};
  const std::string id = IdOf(Make("tools/call", R"({"name":"slow"})", Tasks::kAccepted));
  Call& call = Make("tasks/get", R"({"taskId":")" + id + "\"}", Tasks::kAccepted);
  ASSERT_TRUE(Handle(call));
  const downstream::OwnedCall copy(call);  // may end on the thread of the server's home
  const std::weak_ptr<FakeService> way = server;
  server = nullptr;
  EXPECT_FALSE(way.expired());
  calls.clear();
  EXPECT_TRUE(way.expired());
  EXPECT_EQ(copy.call.target.name, "up-1");
}

TEST_F(TaskRoutesTest, AToolThatCannotBeATaskIsNotCalledAsOne) {
  tool.tasks = TaskSupport::kNone;
  Call& call = Make("tools/call", R"({"name":"slow","task":{}})", Tasks::kWanted);
  EXPECT_TRUE(TaskRoutes::Concerns(call));
  Result<ReplyPtr> reply = Forward(call);
  EXPECT_EQ(At(Next(reply), "/refused"), -32601);
  EXPECT_FALSE(TaskRoutes::Concerns(Make("tools/call", "{}", Tasks::kAccepted)));
  EXPECT_TRUE(server->seen.empty());
}

TEST_F(TaskRoutesTest, ARequiredToolIsPolledAtTheServersPaceForWhoKnowsNoTasks) {
  tool.tasks = TaskSupport::kRequired;
  server->On("tools/call", [](Call& call) -> Result<ReplyPtr> {
    EXPECT_EQ(call.client->tasks, Tasks::kAccepted);
    return ReplyWith(mcp::Message::FromResult("99", kCreated));
  });
  polls = {kWorking, kWorking, kDone};
  Call& call = Make("tools/call", R"({"name":"slow"})", Tasks::kNone);
  Result<ReplyPtr> reply = Forward(call);
  EXPECT_EQ(call.client->tasks, Tasks::kNone);
  const TimePoint before = loop.deps().clock.Now();
  const auto answer = Next(reply);
  EXPECT_EQ(tests::json::serialize(At(answer, "/result")),
            tests::json::serialize(Parse(R"({"content":[{"n":1.50}],"resultType":"complete"})")));
  EXPECT_EQ(At(answer, "/id"), 5);
  EXPECT_GE(loop.deps().clock.Now() - before, std::chrono::seconds(1));  // twice 500 ms
}

TEST_F(TaskRoutesTest, WhatAHeldTaskAsksForEndsTheRequestAndTheRetryGoesOn) {
  tool.tasks = TaskSupport::kRequired;
  server->OnResult("tools/call", kCreated);
  polls = {kAsking, kAsking, kDone};
  Result<ReplyPtr> asked = Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone));
  const auto question = Next(asked);
  EXPECT_EQ(TextAt(question, "/result/resultType"), "input_required") << question;
  EXPECT_EQ(TextAt(question, "/result/inputRequests/k/method"), "roots/list");
  const std::string state = TextAt(question, "/result/requestState");
  asked->reset();  // the client's request is over, the task is not
  loop.RunReady();
  EXPECT_FALSE(tests::Contains(server->seen, "tasks/cancel"));

  const std::string params =
      R"({"name":"slow","inputResponses":{"k":{"roots":[]}},"requestState":")";
  Result<ReplyPtr> retried = Forward(Make("tools/call", params + state + "\"}", Tasks::kNone));
  // It still reads as if it asked, but that was answered.
  EXPECT_TRUE(At(Next(retried), "/result/content").is_array());
  EXPECT_EQ(server->seen, (std::vector<std::string>{"tools/call", "tasks/get", "tasks/update",
                                                    "tasks/get", "tasks/get"}));

  Call& thief = Make("tools/call", params + state + "\"}", Tasks::kNone);
  thief.caller = MakeCaller({.subject = "bob"});
  Result<ReplyPtr> stolen = Forward(thief);
  EXPECT_EQ(server->seen.back(), "tools/call");  // a call like any other
}

TEST_F(TaskRoutesTest, AHeldTaskIsCancelledWithItsReply) {
  tool.tasks = TaskSupport::kRequired;
  server->OnResult("tools/call", kCreated);
  polls = {kWorking};
  Result<ReplyPtr> reply = Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone));
  reply->reset();
  loop.RunReady();
  EXPECT_EQ(server->seen.back(), "tasks/cancel");
}

TEST_F(TaskRoutesTest, AHeldTaskThatIsGivenUpIsCancelledInTimeForTheCall) {
  tool.tasks = TaskSupport::kRequired;
  server->OnResult("tools/call", kCreated);
  int polls_made = 0;
  Deadline of_cancel;
  server->answers.emplace(server->answers.begin(), "tasks/cancel", [&](Call& cancel) {
    of_cancel = cancel.deadline;
    return ReplyWith(mcp::Message::FromResult("99", std::string("{}")));
  });
  server->answers.emplace(server->answers.begin(), "tasks/get", [&](Call&) -> Result<ReplyPtr> {
    ++polls_made;
    return Failure(Code::kDeadline, Origin::kServer, "no answer in time");
  });
  Call& call = Make("tools/call", R"({"name":"slow"})", Tasks::kNone);
  call.deadline = Deadline::In(loop.deps().clock, std::chrono::milliseconds(1500));
  Result<ReplyPtr> reply = Forward(call);
  std::optional<Pulled> next;
  Spawn(loop.deps().executor(), "pull", [](Reply& from, std::optional<Pulled>& out) -> Task<void> {
    Pulled pulled = co_await from.Next();
    out = std::move(pulled);
  }(**reply, next));
  EXPECT_TRUE(loop.RunUntilWithTime([&] { return next.has_value(); }));
  EXPECT_FALSE(*next);
  EXPECT_EQ(polls_made, 3) << "at 0, 1 and 2 seconds, and not for as long as it may be away";
  reply->reset();
  loop.RunReady();
  EXPECT_EQ(server->seen.back(), "tasks/cancel");
  EXPECT_TRUE(call.deadline.Passed(loop.deps().clock.Now()));
  EXPECT_FALSE(of_cancel.Passed(loop.deps().clock.Now())) << "or it would not be sent";
  EXPECT_TRUE(of_cancel.Passed(loop.deps().clock.Now() + std::chrono::minutes(1)));
}

TEST_F(TaskRoutesTest, AServerThatIsAwayForAMomentIsAskedAgain) {
  tool.tasks = TaskSupport::kRequired;
  server->OnResult("tools/call", kCreated);
  polls = {kDone};
  int failures = 4;
  server->answers.emplace(server->answers.begin(), "tasks/get", [&](Call&) -> Result<ReplyPtr> {
    if (failures-- > 0) return Failure(Code::kUnavailable, Origin::kServer, "down");
    return ReplyWith(mcp::Message::FromResult("99", kDone));
  });
  Result<ReplyPtr> reply = Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone));
  EXPECT_TRUE(At(Next(reply), "/result/content").is_array());
  failures = 5;
  Result<ReplyPtr> again = Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone));
  std::optional<Pulled> next;
  Spawn(loop.deps().executor(), "pull", [](Reply& from, std::optional<Pulled>& out) -> Task<void> {
    Pulled pulled = co_await from.Next();
    out = std::move(pulled);
  }(**again, next));
  EXPECT_TRUE(loop.RunUntilWithTime([&] { return next.has_value(); }));
  EXPECT_FALSE(*next);
}

TEST_F(TaskRoutesTest, WhatBecameATaskRanThoughItsServerCannotBeReachedAnyMore) {
  tool.tasks = TaskSupport::kRequired;
  server->OnResult("tools/call", kCreated);
  polls = {kAsking};
  for (const char* method : {"tasks/get", "tasks/update"}) {
    Call& first = Make("tools/call", R"({"name":"slow"})", Tasks::kNone);
    Call* call = &first;
    if (method == std::string_view("tasks/update")) {
      Result<ReplyPtr> asks = Forward(first);
      call = &Make("tools/call",
                   R"({"name":"slow","inputResponses":{"k":{}},"requestState":)" +
                       mcp::Quote(TextAt(Next(asks), "/result/requestState")) + "}",
                   Tasks::kNone);
    }
    const auto down =
        server->answers.emplace(server->answers.begin(), method, [](Call&) -> Result<ReplyPtr> {
          return Failure(Error{.code = Code::kUnavailable,
                               .origin = Origin::kServer,
                               .retryable = true,
                               .message = "connect: refused",
                               .data = R"({"origin":"server","retryable":true})"});
        });
    Result<ReplyPtr> reply = Forward(*call);
    std::optional<Pulled> next;
    Spawn(loop.deps().executor(), "pull",
          [](Reply& from, std::optional<Pulled>& out) -> Task<void> {
            Pulled pulled = co_await from.Next();
            out = std::move(pulled);
          }(**reply, next));
    ASSERT_TRUE(loop.RunUntilWithTime([&] { return next.has_value(); }));
    ASSERT_FALSE(*next) << method;
    EXPECT_EQ(next->error().code, Code::kUnavailable);
    EXPECT_FALSE(next->error().retryable) << method;
    EXPECT_EQ(next->error().data, R"({"origin":"server","retryable":false})");
    server->answers.erase(down);
  }
}

TEST_F(TaskRoutesTest, ALegacyClientsCallIsHeldOnceTheServerInsists) {
  int calls_seen = 0;
  server->On("tools/call", [&](Call& call) -> Result<ReplyPtr> {
    ++calls_seen;
    if (call.client->tasks != Tasks::kNone) {
      return ReplyWith(mcp::Message::FromResult("99", kCreated));
    }
    return ReplyWith(mcp::Message::MakeError(
        "99", -32021, "no",
        R"({"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}})"));
  });
  polls = {kDone};
  Result<ReplyPtr> legacy =
      Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone, mcp::Version::k2025_11_25));
  EXPECT_TRUE(At(Next(legacy), "/result/content").is_array());
  EXPECT_EQ(calls_seen, 2);
  Result<ReplyPtr> modern = Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone));
  EXPECT_EQ(At(Next(modern), "/error/code"), -32021);
  EXPECT_EQ(calls_seen, 3);
}

TEST_F(TaskRoutesTest, HowAHeldTaskEndsIsHowTheCallEnds) {
  tool.tasks = TaskSupport::kRequired;
  server->OnResult("tools/call", kCreated);
  const auto end = [&](const std::string& task) {
    polls = {task};
    Result<ReplyPtr> reply = Forward(Make("tools/call", R"({"name":"slow"})", Tasks::kNone));
    return At(Next(reply), "/error");
  };
  const auto failed = end(R"({"status":"failed","error":{"code":-7,"message":"m","data":[1]}})");
  EXPECT_EQ(failed, Parse(R"({"code":-7,"message":"m","data":[1]})"));
  EXPECT_EQ(At(end(R"({"status":"cancelled"})"), "/code"), -32603);
  EXPECT_EQ(At(end(R"({"status":"failed"})"), "/code"), -32603);
}

}  // namespace
}  // namespace switchyard::catalog
