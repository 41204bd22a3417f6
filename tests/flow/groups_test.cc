// Groups of interchangeable servers in a whole gateway: what clients see, where calls go, and what
// must come back to the member that has it.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "flow/tasks.h"
#include "support/gateway_fixture.h"
#include "support/legacy_session.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

constexpr const char* kBoth = "{g: {servers: [{server: a}, {server: b}]}}";
constexpr const char* kByLoad = "{g: {choice: least_loaded, servers: [{server: a}, {server: b}]}}";
constexpr const char* kReadOnly = R"("annotations":{"readOnlyHint":true})";
constexpr std::string_view kElicits =
    R"("k":{"method":"elicitation/create","params":{"mode":"form","message":"which?",)"
    R"("requestedSchema":{"type":"object","properties":{"s":{"type":"string"}}}}})";

class Groups : public ::testing::TestWithParam<Era> {
 protected:
  Groups() {
    for (FakeServer* fake : {&a, &b}) {
      fake->ExpectComplaints();
      fake->surface().AddTool("who", [](Turn& turn) { turn.Text(turn.surface().name()); });
    }
  }
  void Start(const std::string& groups = kBoth, const std::string& policies = "{}",
             const std::string& of_each = "") {
    gateway.GoesBy(clock).Serves("a", a, of_each).Serves("b", b, of_each);
    gateway.With("groups", groups).With("policies", policies).Start();
    client = NewClient();
  }
  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path);
  }
  std::string Who() { return client->Call("g__who").text(); }

  std::atomic<int> written = 0;
  LeapingClock clock;
  FakeServer a = FakeServer::Modern("a");
  FakeServer b = FakeServer::Modern("b");
  Gateway gateway;
  std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Era, Groups, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Groups, AreOneSetOfToolsForClients) {
  Start();
  int echoes = 0;
  for (const std::string& tool : client->Tools()) {
    EXPECT_TRUE(tool.starts_with("g__")) << tool;
    echoes += tool == "g__echo" ? 1 : 0;
  }
  EXPECT_EQ(echoes, 1);
  EXPECT_EQ(client->Call("g__echo", R"({"text":"x"})").text(), "x");
}

TEST_P(Groups, TakeTheBestByPriorityAndTheNextWhenItIsDown) {
  Start("{g: {servers: [{server: a, priority: 2}, {server: b, priority: 1}]}}");
  EXPECT_EQ(Who(), "b");
  b.Down();
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="b"} 0)"));
  client = NewClient();
  EXPECT_EQ(Who(), "a");
  const Answer list = client->Request({.method = "tools/list"});
  EXPECT_FALSE(list.Contains("switchyard/missing")) << list;
}

TEST_P(Groups, StandInForAnotherWithEachMemberInTurn) {
  FakeServer c = FakeServer::Modern("c");
  c.ExpectComplaints();
  const auto fails = [](Turn& turn) { turn.Drop(); };
  c.surface().AddTool("who", fails, kReadOnly);
  a.surface().AddTool("who", fails, kReadOnly);
  b.surface().AddTool("who", [](Turn& turn) { turn.Text("b"); }, kReadOnly);
  gateway.Serves("c", c, "tool_policies: {who: {fallback: {alternatives: [{tool: g__who}]}}}");
  Start();
  EXPECT_EQ(client->Call("c__who").text(), "b");
  EXPECT_EQ(a.received("tools/call").size(), 1U) << "it came first";
}

TEST_P(Groups, AreMissingByTheirNameWhenAllAreDown) {
  Start();
  a.Down();
  b.Down();
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 0)"));
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="b"} 0)"));
  client = NewClient();
  const Answer list = client->Request({.method = "tools/list"});
  EXPECT_EQ(TextAt(list.message(), "/result/_meta/switchyard~1missing/0/server"), "g") << list;
}

TEST_P(Groups, LeaveAMemberWithAnOpenBreakerAlone) {
  a.surface().AddTool("who", [](Turn& turn) {
    turn.Verbatim("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
  });
  Start(kBoth, "{breaker: {consecutive_failures: 1, open_for: 1h, max_open_for: 1h}}");
  EXPECT_EQ(Who(), "") << "it may have run";
  EXPECT_EQ(Who(), "b");
  EXPECT_EQ(Who(), "b");
  EXPECT_EQ(a.received("tools/call").size(), 1U);
}

TEST_P(Groups, GoOnToTheNextMemberWhenOneIsBusy) {
  Start(kBoth, "{concurrency: {max_in_flight: 1, queue: 0}}");
  Exchange held = client->BeginCall("g__hold", R"({"label":"l"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:l")));
  const Answer answer = client->Call("g__who");
  EXPECT_EQ(answer.text(), "b") << answer;
  EXPECT_EQ(TextAt(answer.message(), "/result/_meta/switchyard~1fallback/kind"), "member");
  EXPECT_EQ(TextAt(answer.message(), "/result/_meta/switchyard~1fallback/because"), "overload");
  a.surface().Named("release:l").Set();
  EXPECT_EQ(held.Finish().text(), "released l");
}

TEST_P(Groups, TakeTheMemberWithTheFewestCalls) {
  Start(kByLoad);
  Exchange first = client->BeginCall("g__hold", R"({"label":"1"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:1")));
  Exchange second = client->BeginCall("g__hold", R"({"label":"2"})");
  ASSERT_TRUE(WaitFor(b.surface().Named("started:2")));
  a.surface().Named("release:1").Set();
  EXPECT_EQ(first.Finish().text(), "released 1");
  EXPECT_EQ(Who(), "a");
  b.surface().Named("release:2").Set();
  EXPECT_EQ(second.Finish().text(), "released 2");
}

TEST_P(Groups, AStreamThatLastsIsNoCallThatAMemberHasToDo) {
  Start(kByLoad);
  ModernClient listener = gateway.Modern();
  Exchange stream = listener.Listen(R"("resourceSubscriptions":["fake://a/one"])");
  ASSERT_TRUE(WaitFor(a.surface().Named("subscribed:fake://a/one")));
  EXPECT_EQ(Who(), "a");
}

TEST_P(Groups, AMemberThatWorksIsAskedBeforeAnOldAnswerOfAnother) {
  std::atomic<bool> broken = false, all_broken = false;
  const auto looks = [](FakeServer& fake, std::atomic<bool>& fails) {
    fake.surface().AddTool(
        "look",
        [&fails](Turn& turn) {
          fails ? turn.Error(-32603, "out of order") : turn.Text(turn.surface().name());
        },
        kReadOnly);
  };
  looks(a, broken);
  looks(b, all_broken);
  Start(kBoth, "{cache: {ttl: 1s, stale_if_error: 1h}}");
  EXPECT_EQ(client->Call("g__look").text(), "a");
  broken = true;
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(client->Call("g__look").text(), "b");
  all_broken = true;
  clock.Advance(std::chrono::seconds(2));
  const Answer old = client->Call("g__look");
  EXPECT_EQ(old.text(), "a") << old;
  EXPECT_EQ(TextAt(old.message(), "/result/_meta/switchyard~1cache/status"), "stale") << old;
  EXPECT_EQ(TextAt(old.message(), "/result/_meta/switchyard~1fallback/kind"), "stale") << old;
}

TEST_P(Groups, WhatIsWrittenAtOneMemberIsReadAtTheOthers) {
  for (FakeServer* fake : {&a, &b}) {
    fake->surface().AddTool(
        "look", [this](Turn& turn) { turn.Text(std::to_string(written.load())); }, kReadOnly);
    fake->surface().AddTool("write_it", [this](Turn& turn) {
      ++written;
      turn.Text("written");
    });
  }
  gateway.With("endpoints", "{one: {servers: [b]}}");
  Start(kBoth, "{cache: {ttl: 1h}}", "tool_policies: {write_it: {cache: {invalidates: [look]}}}");
  const std::unique_ptr<Client> one = NewClient("/mcp/one");
  EXPECT_EQ(one->Call("b__look").text(), "0");
  EXPECT_EQ(client->Call("g__write_it").text(), "written");
  EXPECT_EQ(a.received("tools/call").size(), 1U);
  EXPECT_EQ(one->Call("b__look").text(), "1");
}

TEST_P(Groups, AnAlternativeThatNamesAGroupGoesToTheMemberThatHasTheLeastToDo) {
  FakeServer c = FakeServer::Modern("c");
  c.ExpectComplaints();
  c.surface().AddTool("ask", [](Turn& turn) { turn.Error(-32603, "out of order"); }, kReadOnly);
  gateway.Serves("c", c, "tool_policies: {ask: {fallback: {alternatives: [{tool: g__who}]}}}");
  Start(kByLoad);
  Exchange held = client->BeginCall("g__hold", R"({"label":"l"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:l")));
  EXPECT_EQ(client->Call("c__ask").text(), "b");
  a.surface().Named("release:l").Set();
  EXPECT_EQ(held.Finish().text(), "released l");
  EXPECT_EQ(client->Call("c__ask").text(), "a");
}

TEST_P(Groups, ToolsThatOthersAnswerForStayWhenAllMembersAreDown) {
  Start(kBoth, "{}",
        "tool_policies: {who: {fallback: {alternatives: [{answer: {text: nobody}}]}}}");
  a.Down();
  b.Down();
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 0)"));
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="b"} 0)"));
  std::vector<std::string> tools;
  for (int i = 0; i < 100; ++i) {
    client = NewClient();
    tools = client->Tools();
    if (!Contains(tools, "g__echo")) break;
    clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_FALSE(Contains(tools, "g__echo")) << "has nobody in its stead";
  EXPECT_TRUE(Contains(tools, "g__who"));
  EXPECT_EQ(Who(), "nobody");
}

TEST_P(Groups, AnswersToAQuestionComeBackToTheMemberThatAsked) {
  for (FakeServer* fake : {&a, &b}) {
    fake->surface().AddTool("ask", [](Turn& turn) {
      if (turn.param("inputResponses").is_null()) {
        turn.Finish(R"({"jsonrpc":"2.0","id":)" + turn.id() +
                        R"(,"result":{"resultType":"input_required","inputRequests":{)" +
                        std::string(kElicits) + R"(},"requestState":)" +
                        Quote("of " + turn.surface().name()) + "}}",
                    0);
        return;
      }
      turn.Text(turn.surface().name() + " got " +
                std::string(turn.param("requestState").as_string()));
    });
  }
  Start(kByLoad);
  const std::string answer = R"({"action":"accept","content":{"s":"x"}})";
  const auto while_a_is_busy = [this](const std::function<std::string()>& answered) {
    Exchange held = client->BeginCall("g__hold", R"({"label":"l"})");
    EXPECT_TRUE(WaitFor(a.surface().Named("started:l")));
    EXPECT_EQ(Who(), "b") << "a has more to do";
    EXPECT_EQ(answered(), "a got of a");
    a.surface().Named("release:l").Set();
    held.Finish();
  };
  if (GetParam() == Era::kLegacy) {
    LegacyClient legacy = Declaring(gateway.port(), R"({"elicitation":{}})");
    Exchange call = legacy.BeginCall("g__ask");
    const std::string question = call.NextEvent().value_or("");
    while_a_is_busy([&] {
      legacy.Post(AnswerTo(question, answer), {});
      return call.Finish().text();
    });
    return;
  }
  ModernClient modern(gateway.port());
  modern.set_capabilities(R"({"elicitation":{"form":{}}})");
  const Answer asked = modern.Call("g__ask");
  ASSERT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  const std::string retry = R"("name":"g__ask","arguments":{},"requestState":)" +
                            Quote(TextAt(asked.message(), "/result/requestState")) +
                            R"(,"inputResponses":{"k":)" + answer + "}";
  while_a_is_busy(
      [&] { return modern.Request({.method = "tools/call", .members = retry}).text(); });
}

TEST_P(Groups, TasksAreAskedOfTheMemberThatHasThem) {
  for (FakeServer* fake : {&a, &b}) AddTasks(fake->surface(), Era::kModern);
  Start();
  if (GetParam() == Era::kLegacy) return;  // its tasks are asked after by the same ids
  ModernClient modern(gateway.port());
  modern.set_capabilities(kDeclares);
  const Answer begun = modern.Call("g__job", R"({"label":"x"})");
  const std::string id = TextAt(begun.message(), "/result/taskId");
  ASSERT_NE(id, "") << begun;
  const Answer task =
      modern.Request({.method = "tasks/get", .members = R"("taskId":)" + Quote(id)});
  EXPECT_EQ(TextAt(task.message(), "/result/status"), "working") << task;
  EXPECT_EQ(a.received("tasks/get").size(), 1U);
  EXPECT_EQ(b.received("tasks/get").size(), 0U);
  a.surface().Named("release:x").Set();
}

TEST_P(Groups, HaveOneSetOfPromptsToo) {
  Start();
  const std::vector<std::string> prompts = client->List("prompts/list", "prompts");
  EXPECT_EQ(std::ranges::count(prompts, "g__greet"), 1);
  EXPECT_EQ(client->Request({.method = "prompts/get", .members = R"("name":"g__greet")"}).code(),
            0);
  a.Down();
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 0)"));
  client = NewClient();
  EXPECT_EQ(client->Request({.method = "prompts/get", .members = R"("name":"g__greet")"}).code(),
            0);
}

TEST_P(Groups, AToolThatDiffersIsServedByThoseThatAgreeWithTheBest) {
  b.surface().AddTool(
      "who", [](Turn& turn) { turn.Text("b"); },
      R"("inputSchema":{"type":"object","required":["x"]})");
  Start(kByLoad);
  Exchange held = client->BeginCall("g__hold", R"({"label":"l"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:l")));
  EXPECT_EQ(Who(), "a") << "b means another tool by that name";
  const Answer list = client->Request({.method = "tools/list"});
  EXPECT_TRUE(list.Contains("serves no calls of group g")) << list;
  a.surface().Named("release:l").Set();
  held.Finish();
}

TEST_P(Groups, StandInTheListOfAnEndpointLikeAServer) {
  gateway.With("endpoints", "{both: {servers: [g]}, one: {servers: [b]}}");
  Start();
  EXPECT_EQ(NewClient("/mcp/both")->Call("g__who").text(), "a");
  EXPECT_EQ(NewClient("/mcp/one")->Call("b__who").text(), "b");
}

TEST_P(Groups, ResourcesAreReadWhereTheyAre) {
  Start();
  for (const std::string name : {"a", "b"}) {
    const Answer read = client->Request(
        {.method = "resources/read", .members = R"("uri":"fake://)" + name + R"(/one")"});
    EXPECT_EQ(read.code(), 0) << read;
  }
}

TEST_P(Groups, ToolsOfAGroupCanHaveAlternatives) {
  Start(kBoth,
        "{fallback: {alternatives: [{answer: {text: nobody}}]}, "
        "concurrency: {max_in_flight: 1, queue: 0}}");
  Exchange one = client->BeginCall("g__hold", R"({"label":"1"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:1")));
  Exchange two = client->BeginCall("g__hold", R"({"label":"2"})");
  ASSERT_TRUE(WaitFor(b.surface().Named("started:2")));
  EXPECT_EQ(Who(), "nobody");
  a.surface().Named("release:1").Set();
  b.surface().Named("release:2").Set();
  one.Finish();
  two.Finish();
}

}  // namespace
}  // namespace switchyard::tests
