// The service on a worker: what it lists, what its answers cost, who is woken.
#include "orchestration/service.h"

#include <fstream>
#include <iterator>
#include <latch>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/token_count.h"
#include "support/paths.h"
#include "unit/orchestration/service_fixture.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using downstream::Loop;
using ::testing::HasSubstr;

using ServiceTest = ServiceFixture;

TEST_F(ServiceTest, EveryToolIsDefinedSoThatClientsAndModelsUnderstandIt) {
  const mcp::Message listed = Ask("tools/list", "{}");
  const json::value tools = json::parse(listed.Get(mcp::Key::kTools));
  EXPECT_EQ(tools.as_array().size(), Tools().size());
  for (const json::value& tool : tools.as_array()) {
    const std::string name(tool.at("name").as_string());
    EXPECT_NE(FindTool(name), nullptr) << name;
    EXPECT_FALSE(tool.at("title").as_string().empty()) << name;
    EXPECT_GT(tool.at("description").as_string().size(), 30U) << name;
    EXPECT_EQ(tool.at("inputSchema").at("type"), json::value("object")) << name;
    EXPECT_EQ(tool.at("outputSchema").at("type"), json::value("object")) << name;
    for (const char* hint :
         {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}) {
      EXPECT_TRUE(tool.at("annotations").at(hint).is_bool()) << name;
    }
    for (const char* schema : {"inputSchema", "outputSchema"}) {
      const json::object& object = tool.at(schema).as_object();
      if (!object.contains("required")) continue;
      for (const json::value& key : object.at("required").as_array()) {
        EXPECT_TRUE(object.at("properties").as_object().contains(key.as_string())) << name;
      }
    }
  }
}

// Its file may be large, and is checked before anything is asked of it.
TEST_F(ServiceTest, StartsWhenTheDatabaseAnswersAndIsDownWhereItDoesNot) {
  const auto held = std::make_shared<std::latch>(1);
  database->Submit(
      [held](Database::Transaction&) -> Result<void> {
        held->wait();
        return {};
      },
      [](const Result<void>&) {});
  std::optional<Result<ServerFacts>> facts;
  const auto connect = [&]() -> switchyard::Task<void> { facts = co_await service.Connect(); };
  const TaskHandle connecting(loop.deps().executor(), "connect", connect());
  loop.RunReady();
  EXPECT_FALSE(facts.has_value());
  held->count_down();
  ASSERT_TRUE(loop.RunUntil([&] { return facts.has_value(); }));
  ASSERT_TRUE(facts->has_value()) << facts->error().message;
  EXPECT_THAT((*facts)->capabilities, HasSubstr("tools"));
  database->Close();
  const Result<ServerFacts> none = loop.Run(service.Connect());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Code::kUnavailable);
  EXPECT_EQ(none.error().message, "its records cannot be used; the log of the gateway says why");
  EXPECT_THAT(none.error().detail, HasSubstr("the database is closed"));
}

// A cache that goes by hints keeps no answer that is out of date with the next lease.
TEST_F(ServiceTest, WhatTakesTasksBackIsNotCalledReadOnly) {
  for (const char* tool : {"await_task", "poll_tasks"}) {
    const json::value definition =
        json::parse(FindTool(std::string(kToolPrefix) + tool)->definition);
    EXPECT_EQ(definition.at("annotations").at("readOnlyHint"), json::value(false)) << tool;
  }
}

// What the lists say of arguments and what handlers know are the same names, also second ones: a
// policy that enforces schemas refuses none that a handler understands.
TEST_F(ServiceTest, HandlersKnowExactlyTheArgumentsThatAreListed) {
  const json::value tools = json::parse(ToolList());
  for (const json::value& tool : tools.as_array()) {
    const std::string name(tool.at("name").as_string());
    Arguments arguments(R"({"no such thing":1})");
    static_cast<void>(FindTool(name)->prepare(arguments));
    const std::set<std::string> known = arguments.names();
    std::vector<std::string> listed;
    for (const auto& property : tool.at("inputSchema").at("properties").as_object()) {
      listed.emplace_back(property.key());
    }
    EXPECT_THAT(known, ::testing::UnorderedElementsAreArray(listed)) << name;
  }
}

// Rules of approval go by it.
TEST_F(ServiceTest, WhatTakesFromOthersSaysThatItIsDestructive) {
  std::set<std::string> destructive;
  for (const Tool& tool : Tools()) {
    const auto hints = boost::json::parse(tool.definition).at("annotations").as_object();
    if (hints.at("destructiveHint").as_bool()) destructive.emplace(tool.name);
    EXPECT_FALSE(hints.at("destructiveHint").as_bool() && hints.at("readOnlyHint").as_bool());
  }
  EXPECT_EQ(destructive, (std::set<std::string>{"cancel_task", "close_collaboration_session",
                                                "deregister_agent", "release_file_lock"}));
  EXPECT_THAT(std::string(FindTool("orchestration_release_file_lock")->definition),
              HasSubstr(R"("idempotentHint":false)"));
}

TEST_F(ServiceTest, OrdinaryAnswersCostTwentyToEightyTokens) {
  CallTool("register_agent", R"({"agent_id":"worker-1","capabilities":["python"]})");
  const std::string id = R"({"task_id":"task_00000001"})";
  const std::pair<std::string, std::string> calls[] = {
      {"create_task", R"({"content":"Analyze the dataset","requirements":["python"]})"},
      {"poll_tasks", R"({"claim":true,"agent_id":"worker-1","limit":1})"},
      {"start_task", id},
      {"complete_task", R"({"task_id":"task_00000001","result":"Analyzed 1000 records"})"},
      {"get_task_status", id}};
  for (const auto& [tool, arguments] : calls) {
    const mcp::Message answer = CallTool(tool, arguments);
    ASSERT_FALSE(answer.Has(mcp::Key::kIsError)) << answer.result();
    const std::size_t whole = EstimatedTokens()->Count(answer.Get(mcp::Key::kStructuredContent)) +
                              EstimatedTokens()->Count(answer.Get(mcp::Key::kContent));
    EXPECT_GE(whole, 20U) << tool << ": " << answer.result();
    EXPECT_LE(whole, 80U) << tool << ": " << answer.result();
  }
}

// What agents are told to ask for instead of looking at everything. tests/tokens counts these
// replies as models do: a line of the file is a tool's name and a part of its reply.
TEST_F(ServiceTest, AggregatesAreThoseWhoseTokensAreCounted) {
  CallTool("register_agent",
           R"({"agent_id":"python_expert","role":"analyst","capabilities":["python","analysis"]})");
  for (const char* priority : {"low", "medium", "high"}) {
    for (int i = 0; i < 40; ++i) {
      CallTool("create_task", R"({"content":"x","priority":")" + std::string(priority) + "\"}");
    }
  }
  CallTool("poll_tasks", R"({"claim":true,"agent_id":"python_expert","limit":2})");
  CallTool("start_task", R"({"task_id":"task_00000081"})");
  CallTool("complete_task", R"({"task_id":"task_00000081","result":"r"})");
  CallTool("start_task", R"({"task_id":"task_00000082"})");
  std::string replies;
  const std::pair<std::string, std::string> calls[] = {
      {"get_queue_metrics", "{}"},
      {"get_agent_health", R"({"agent_id":"python_expert"})"},
      {"get_health", "{}"},
      {"get_agent_statistics", "{}"},
      {"get_routing_stats", "{}"}};
  for (const auto& [tool, arguments] : calls) {
    const mcp::Message answer = CallTool(tool, arguments);
    ASSERT_FALSE(answer.Has(mcp::Key::kIsError)) << answer.result();
    for (const mcp::Key part : {mcp::Key::kStructuredContent, mcp::Key::kContent}) {
      replies.append(tool).append(" ").append(answer.Get(part)).append("\n");
    }
  }
  std::ifstream in(::switchyard::paths::SourceDir() + "/tests/golden/orchestration/aggregates.txt");
  const std::string golden{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(replies, golden);
}

// A client that is told to try again must not have made a task: it would make another one.
TEST_F(ServiceTest, ATaskThatIsFollowedIsMadeAndToldOfInOneTransaction) {
  const std::string tool = "orchestration_create_task";
  const std::string params = R"({"name":")" + tool + R"(","arguments":{"content":"x"}})";
  busy.Refuse(1);
  tasks = Tasks::kWanted;
  const mcp::Message made = Ask("tools/call", params, tool);
  ASSERT_TRUE(made.error().empty()) << made.error();
  EXPECT_THAT(made.result(), HasSubstr(R"("taskId":"task_00000001")"));
  EXPECT_THAT(made.result(), HasSubstr(R"("resultType":"task")"));
  busy.Refuse(1);
  const std::string get = R"({"taskId":"task_00000001"})";
  EXPECT_THAT(Ask("tasks/get", get, "task_00000001").result(),
              HasSubstr(R"("resultType":"complete")"));
}

TEST_F(ServiceTest, HasNoPrompts) {
  EXPECT_EQ(Ask("prompts/list", "{}").error_code(), -32601);
  EXPECT_THAT(Ask("tools/call", R"({"name":"x"})", "x").error(), HasSubstr("unknown tool: x"));
}

TEST_F(ServiceTest, WhatIsWrongWithTheRecordsIsNotForClients) {
  database->Close();
  EXPECT_THAT(CallTool("get_health", "{}").error(),
              HasSubstr("server orchestration: its records cannot be used at present; nothing was "
                        "changed"));
}

// ---- Waiting ----------------------------------------------------------------------------------

class WaitersTest : public ::testing::Test {
 protected:
  switchyard::Task<void> Wait(Waiters::Ticket& ticket, std::string name, TimePoint until) {
    const bool was = co_await ticket.Wait(until);
    woken.push_back(name + (was ? "" : " gave up"));
  }
  void Spawn(Waiters::Ticket& ticket, const std::string& name,
             Duration patience = std::chrono::hours(1)) {
    switchyard::Spawn(loop.deps().executor(), "wait",
                      Wait(ticket, name, loop.deps().clock.Now() + patience));
    loop.RunReady();
  }
  std::unique_ptr<Waiters::Ticket> Enter() {
    return std::make_unique<Waiters::Ticket>(waiters, loop.deps().timers, loop.deps().executor());
  }

  Loop loop;
  Waiters waiters;
  std::vector<std::string> woken;
};

TEST_F(WaitersTest, OneATaskTheLongestWaitingFirst) {
  const auto a = Enter(), b = Enter(), c = Enter();
  Spawn(*c, "c");
  Spawn(*a, "a");
  Spawn(*b, "b");
  waiters.Wake(2);
  loop.RunReady();
  EXPECT_EQ(woken, (std::vector<std::string>{"a", "b"}));
  b->PassOn();
  loop.RunReady();
  EXPECT_EQ(woken.back(), "c");
}

TEST_F(WaitersTest, AWakeThatComesBeforeTheWaitIsNotLost) {
  const auto a = Enter();
  waiters.Wake(1);
  Spawn(*a, "a");
  EXPECT_EQ(woken, (std::vector<std::string>{"a"}));
}

TEST_F(WaitersTest, WhoGoesAwayWokenLeavesTheWakeToTheNext) {
  auto a = Enter();
  const auto b = Enter();
  Spawn(*b, "b");
  waiters.Wake(1);
  a.reset();
  loop.RunReady();
  EXPECT_EQ(woken, (std::vector<std::string>{"b"}));
  EXPECT_EQ(waiters.size(), 1U);
}

}  // namespace
}  // namespace switchyard::orchestration
