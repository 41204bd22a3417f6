// Waiting for what others do, in a whole gateway: subscriptions, tasks that clients follow, and who
// may do what; for clients of both eras.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "flow/tasks.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kQueue = "orchestration://queue";

class OrchestrationWaiting : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "{}") { gateway.With("orchestration", keys).Start(); }
  std::unique_ptr<Client> NewClient(const std::string& token = "") const {
    std::unique_ptr<Client> made = gateway.ClientOf(GetParam(), "/mcp", token);
    if (made->modern()) static_cast<ModernClient&>(*made).set_capabilities(kDeclares);
    return made;
  }
  static json::value Call(Client& client, const std::string& tool,
                          const std::string& arguments = "{}") {
    const Answer answer = client.Call("orchestration_" + tool, arguments);
    EXPECT_EQ(answer.status, 200) << answer;
    return answer.at("/result/structuredContent");
  }
  static std::string Of(const std::string& task, const std::string& more = "") {
    return R"({"task_id":")" + task + "\"" + more + "}";
  }
  static std::string UriOf(const std::string& task) { return "orchestration://tasks/" + task; }
  std::string Create(Client& client) {
    return TextAt(Call(client, "create_task", R"({"content":"x"})"), "/task_id");
  }
  // Whole, by an agent that need not be there before.
  void Complete(Client& client, const std::string& task, const std::string& result) {
    Call(client, "register_agent", R"({"agent_id":"a"})");
    Call(client, "assign_task", Of(task, R"(,"agent_id":"a")"));
    Call(client, "start_task", Of(task));
    Call(client, "complete_task", Of(task, R"(,"result":)" + result));
  }

  static Answer Ask(Client& by, const std::string& method, const std::string& uri) {
    return by.Request({.method = method, .members = R"("uri":)" + Quote(uri)});
  }
  // A stream of what `by` hears of these.
  Exchange Subscribe(Client& by, const std::vector<std::string>& uris) {
    if (by.modern()) {
      Exchange listen =
          by.Begin({.method = "subscriptions/listen",
                    .members = R"("notifications":{"resourceSubscriptions":)" +
                               json::serialize(json::array(uris.begin(), uris.end())) + "}",
                    .id = "\"L\""});
      acknowledged = listen.NextEvent().value_or("");
      return listen;
    }
    auto& legacy = dynamic_cast<LegacyClient&>(by);
    Exchange stream = legacy.OpenStream();
    for (const std::string& uri : uris) {
      const Answer answer = Ask(by, "resources/subscribe", uri);
      if (answer.code() == 0) acknowledged += uri + " ";
    }
    return stream;
  }
  static std::string NextUri(Exchange& stream) {
    for (;;) {
      const json::value event = Parse(stream.NextEvent().value_or("{}"));
      const std::string method = TextAt(event, "/method");
      if (method.ends_with("/list_changed")) continue;
      EXPECT_EQ(method, "notifications/resources/updated") << event;
      return TextAt(event, "/params/uri");
    }
  }
  // A call that is asked to be a task; its id.
  std::string Follow(Client& client, const std::string& tool, const std::string& arguments) {
    const Answer answer = client.Request(
        {.method = "tools/call",
         .members = R"("name":"orchestration_)" + tool + R"(","arguments":)" + arguments +
                    (client.modern() ? "" : R"(,"task":{"ttl":60000})")});
    const json::value task = answer.at(client.modern() ? "/result" : "/result/task");
    EXPECT_EQ(TextAt(task, "/status"), "working") << answer;
    return TextAt(task, "/taskId");
  }
  static Answer About(Client& client, const std::string& id, const std::string& method) {
    return client.Request({.method = "tasks/" + method, .members = R"("taskId":)" + Quote(id)});
  }
  static std::string Status(Client& client, const std::string& id) {
    return TextAt(About(client, id, "get").message(), "/result/status");
  }
  // What the task came to.
  static json::value Outcome(Client& client, const std::string& id) {
    if (client.modern()) return About(client, id, "get").at("/result/result");
    return About(client, id, "result").at("/result");
  }

  static std::string Key(const std::string& name, const auth::NewKey& key,
                         const std::string& more = "") {
    return "{name: " + name + ", hash: '" + auth::ToText(key.kept) + "'" + more + "}";
  }

  std::string acknowledged;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, OrchestrationWaiting, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(OrchestrationWaiting, ResourcesAreListedAndRead) {
  Start();
  const auto client = NewClient();
  EXPECT_THAT(client->List("resources/list", "resources", "uri"), Contains(kQueue));
  EXPECT_THAT(
      client->List("resources/templates/list", "resourceTemplates", "uriTemplate"),
      ::testing::UnorderedElementsAre("orchestration://tasks/{id}", "orchestration://agents/{id}"));
  const std::string id = Create(*client);
  const Answer read = Ask(*client, "resources/read", UriOf(id));
  EXPECT_EQ(TextAt(read.message(), "/result/contents/0/uri"), UriOf(id)) << read;
  EXPECT_EQ(TextAt(read.message(), "/result/contents/0/text"),
            R"({"task_id":")" + id + R"(","status":"pending"})");
  const Answer none = Ask(*client, "resources/read", UriOf("task_00000099"));
  EXPECT_EQ(none.code(), client->modern() ? -32602 : -32002) << none;
}

TEST_P(OrchestrationWaiting, UpdatesReachWhoeverSubscribedWhateverWorkerMadeThem) {
  Start();
  const auto client = NewClient();
  const std::string id = Create(*client), other = Create(*client);
  Exchange stream = Subscribe(*client, {UriOf(id), UriOf("task_00000099")});
  EXPECT_THAT(acknowledged, HasSubstr(UriOf(id)));
  EXPECT_THAT(acknowledged, Not(HasSubstr("task_00000099")));
  // There are two workers; connections of their own go to one or the other.
  for (int i = 0; i < 4; ++i) Call(*NewClient(), "update_task", Of(other, R"(,"priority":"high")"));
  for (const char* priority : {"high", "low", "medium", "high"}) {
    Call(*NewClient(), "update_task", Of(id, R"(,"priority":")" + std::string(priority) + "\""));
    EXPECT_EQ(NextUri(stream), UriOf(id));
  }
}

TEST_P(OrchestrationWaiting, ASlowSubscriberMissesOnlyWhatCameInBetween) {
  Start();
  const auto client = NewClient();
  Exchange stream = Subscribe(*client, {kQueue});
  std::string batch = R"({"tasks":[)";
  for (int i = 0; i < 100; ++i) batch += std::string(i == 0 ? "" : ",") + R"({"content":"x"})";
  for (int i = 0; i < 20; ++i) Call(*client, "create_tasks", batch + "]}");
  // It reads, looks, and reads on until it has seen the last state.
  for (int told = 0; told < 20; ++told) {
    EXPECT_EQ(NextUri(stream), kQueue);
    const Answer read = Ask(*client, "resources/read", kQueue);
    const json::value queue = Parse(TextAt(read.message(), "/result/contents/0/text"));
    if (At(queue, "/pending") == json::value(2000)) return;
  }
  FAIL() << "more updates than changes, or never the last state";
}

TEST_P(OrchestrationWaiting, AwaitTaskIsFollowedToItsEnd) {
  Start();
  const auto client = NewClient();
  const std::string task = Create(*client);
  const std::string id = Follow(*client, "await_task", Of(task));
  EXPECT_THAT(id, Not(HasSubstr(task))) << "ids are of one caller";
  EXPECT_EQ(Status(*client, id), "working");
  Complete(*client, task, R"({"n":123456789012345678901234567890})");
  EXPECT_EQ(Status(*client, id), "completed");
  const Answer outcome = About(*client, id, client->modern() ? "get" : "result");
  EXPECT_TRUE(outcome.Contains(R"("result":{"n":123456789012345678901234567890})")) << outcome;
  EXPECT_EQ(TextAt(Outcome(*client, id), "/content/0/text"), task + " completed");
}

TEST_P(OrchestrationWaiting, AFollowedTaskIsCancelled) {
  Start();
  const auto client = NewClient();
  const std::string task = Create(*client);
  const std::string id = Follow(*client, "await_task", Of(task));
  EXPECT_EQ(About(*client, id, "cancel").code(), 0);
  EXPECT_EQ(Status(*client, id), "cancelled");
  EXPECT_EQ(TextAt(Call(*client, "get_task_status", Of(task)), "/status"), "cancelled");
}

TEST_P(OrchestrationWaiting, CreateTaskIsFollowedByWhoAsksForThat) {
  Start();
  const auto client = NewClient();
  if (client->modern()) {
    EXPECT_FALSE(Create(*client).empty()) << "who merely takes tasks gets its answer";
    return;
  }
  const std::string id = Follow(*client, "create_task", R"({"content":"x"})");
  Complete(*client, "task_00000001", "7");
  EXPECT_EQ(Status(*client, id), "completed");
  EXPECT_EQ(At(Outcome(*client, id), "/structuredContent/result"), json::value(7));
}

TEST_P(OrchestrationWaiting, WhoTakesNoTasksWaitsInTheCall) {
  Start();
  const auto client = gateway.ClientOf(GetParam());
  const std::string task = Create(*client);
  Exchange waiting = client->BeginCall("orchestration_await_task", Of(task));
  Complete(*client, task, "7");
  EXPECT_EQ(At(waiting.Finish().message(), "/result/structuredContent/result"), json::value(7));
}

TEST_P(OrchestrationWaiting, AStopWaitsForNobodyWhoWaits) {
  Start();
  const auto client = gateway.ClientOf(GetParam());
  const std::string task = Create(*client);
  Exchange waiting = client->BeginCall("orchestration_await_task", Of(task));
  ASSERT_TRUE(Shows(gateway, R"(switchyard_calls_in_flight{server="orchestration"} 1)"));
  Exchange stream = Subscribe(*client, {UriOf(task)});
  gateway.server().Stop(std::chrono::minutes(1));
  EXPECT_THAT(waiting.Finish().text(), HasSubstr("pending"));
}

TEST_P(OrchestrationWaiting, AFollowedTaskOutlivesTheGateway) {
  const TempDir directory;
  gateway.With("state", "{dir: " + directory.path() + "}");
  Start();
  auto client = NewClient();
  const std::string task = Create(*client);
  const std::string id = Follow(*client, "await_task", Of(task));
  gateway.Stop();
  gateway.Start();
  client = NewClient();
  EXPECT_EQ(Status(*client, id), "working");
  Complete(*client, task, "7");
  EXPECT_EQ(Status(*client, id), "completed");
  EXPECT_EQ(At(Outcome(*client, id), "/structuredContent/result"), json::value(7));
  gateway.Stop();
}

TEST_P(OrchestrationWaiting, RolesSayWhoMayDoWhat) {
  const auth::NewKey worker = auth::MakeApiKey(), lead = auth::MakeApiKey(),
                     operates = auth::MakeApiKey();
  gateway.With("auth", "{api_keys: [" + Key("worker", worker, ", roles: [agent]") + ", " +
                           Key("lead", lead, ", roles: [coordinator]") + ", " +
                           Key("ops", operates, ", roles: [operator]") + "]}");
  Start(
      "{roles: {register: [agent], assign: [coordinator], cancel: [coordinator, operator], "
      "force: [operator]}}");
  const auto agent = NewClient(worker.text), boss = NewClient(lead.text),
             ops = NewClient(operates.text);
  Call(*agent, "register_agent", R"({"agent_id":"a"})");
  EXPECT_THAT(boss->Call("orchestration_register_agent", R"({"agent_id":"b"})").text(),
              HasSubstr("needs the right to register"));
  const std::string task = Create(*agent);
  EXPECT_THAT(
      agent->Call("orchestration_assign_task", Of(task, R"(,"agent_id":"a")")).text(),
      HasSubstr("assign_task needs the right to assign; callers with role coordinator have it"));
  EXPECT_EQ(TextAt(Call(*boss, "assign_task", Of(task, R"(,"agent_id":"a")")), "/status"),
            "assigned");
  EXPECT_THAT(boss->Call("orchestration_start_task", Of(task)).text(),
              HasSubstr("registered by another caller"));
  EXPECT_THAT(boss->Call("orchestration_cancel_task", Of(task)).text(),
              HasSubstr("created by another caller"));
  EXPECT_EQ(TextAt(Call(*ops, "cancel_task", Of(task)), "/status"), "cancelled");
}

TEST_P(OrchestrationWaiting, AnotherCallersTaskIsUnknown) {
  const auth::NewKey one = auth::MakeApiKey(), two = auth::MakeApiKey();
  gateway.With("auth", "{api_keys: [" + Key("one", one) + ", " + Key("two", two) + "]}");
  Start();
  const auto client = NewClient(one.text), other = NewClient(two.text);
  const std::string task = Create(*client);
  const std::string id = Follow(*client, "await_task", Of(task));
  EXPECT_EQ(About(*other, id, "get").code(), -32602);
  EXPECT_EQ(About(*other, id, "cancel").code(), -32602);
  EXPECT_EQ(Status(*client, id), "working");
}

TEST_P(OrchestrationWaiting, SecondNamesPassWhereSchemasAreEnforced) {
  Start("{policies: {validate: {arguments: enforce}}}");
  const auto client = NewClient();
  const json::value made =
      Call(*client, "create_task", R"({"description":"x","required_capabilities":["x"]})");
  EXPECT_EQ(TextAt(made, "/status"), "pending");
  EXPECT_EQ(TextAt(Call(*client, "register_agent", R"({"id":"a","skills":["x"]})"), "/agent_id"),
            "a");
  EXPECT_THAT(client->Call("orchestration_create_task").text(), HasSubstr("content is missing"));
  EXPECT_FALSE(
      client->Call("orchestration_create_task", R"({"nonsense":1})").Contains("structuredContent"));
}

TEST_P(OrchestrationWaiting, WhatACallerMayNotSeeItDoesNotHearOfEither) {
  gateway.With("policies",
               "{authorize: {rules: [{effect: allow}, {effect: deny, what: {resource: "
               "['orchestration://agents/*']}}]}}");
  Start();
  const auto client = NewClient();
  Call(*client, "register_agent", R"({"agent_id":"a"})");
  EXPECT_NE(Ask(*client, "resources/read", "orchestration://agents/a").code(), 0);
  Exchange stream = Subscribe(*client, {"orchestration://agents/a", kQueue});
  EXPECT_THAT(acknowledged, HasSubstr(kQueue));
  EXPECT_THAT(acknowledged, Not(HasSubstr("agents/a")));
  Call(*client, "heartbeat", R"({"agent_id":"a","status":"idle"})");
  Create(*client);
  EXPECT_EQ(NextUri(stream), kQueue);
}

TEST_P(OrchestrationWaiting, HealthGoesByItsLimits) {
  Start("{health: {most_active: 1}}");
  const auto client = NewClient();
  Call(*client, "register_agent", R"({"agent_id":"a"})");
  Create(*client);
  EXPECT_EQ(TextAt(Call(*client, "get_health"), "/status"), "healthy");
  Create(*client);
  EXPECT_EQ(TextAt(Call(*client, "get_health"), "/reasons/0"),
            "2 tasks are not finished, expected at most 1");
}

}  // namespace
}  // namespace switchyard::tests
