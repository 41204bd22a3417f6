// Tasks, whatever dialect the client and the server speak (protocol.md 6.5-F, G; checklist 97-105).
#include "flow/tasks.h"

#include <set>
#include <string>

#include <gmock/gmock.h>

#include "support/web_site.h"

namespace switchyard::tests {
namespace {

class Tasks : public TaskMatrix {};
INSTANTIATE_TEST_SUITE_P(All, Tasks, AllCombinations(), NameOf);

TEST_P(Tasks, ATaskIsPolledUntilItGivesTheCallsResult) {
  const std::string id = Start("job", "x");
  const Answer working = Get(id);
  EXPECT_EQ(TextAt(working.message(), "/result/status"), "working") << working;
  EXPECT_EQ(TextAt(working.message(), "/result/taskId"), id);
  EXPECT_EQ(TextAt(working.message(), "/result/resultType"), client->modern() ? "complete" : "");
  Release("x");
  ASSERT_TRUE(Becomes(id, "completed"));
  const Answer done = client->modern() ? Get(id) : About(id, "tasks/result");
  const json::value result = done.at(client->modern() ? "/result/result" : "/result");
  EXPECT_EQ(TextAt(result, "/content/0/text"), "done x") << done;
  EXPECT_EQ(TextAt(result, "/resultType"), client->modern() ? "complete" : "");
  EXPECT_EQ(TextAt(done.message(), kRelated), client->modern() ? "" : id) << done;
  EXPECT_EQ(done.body.contains("related-task"), !client->modern());
}

TEST_P(Tasks, AToolMayHaveToBeATask) {
  const std::string id = Start("must", "x");
  Release("x");
  EXPECT_TRUE(Becomes(id, "completed"));
}

TEST_P(Tasks, IdsAreSealedAndWorthNothingElsewhere) {
  const std::string id = Start("job", "x");
  EXPECT_FALSE(id.contains("task-a"));  // what the server calls it
  std::string tampered = id;
  tampered[20] = tampered[20] == 'A' ? 'B' : 'A';
  for (const std::string& other : {tampered, std::string("task-a-1"), std::string()}) {
    for (const char* method : {"tasks/get", "tasks/cancel"}) {
      const Answer answer = About(other, method);
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.code(), -32602) << method << " " << answer;
      EXPECT_EQ(TextAt(answer.message(), "/error/message"), "unknown task");
    }
  }
  client = Taking("/mcp/part");
  EXPECT_EQ(Get(id).code(), -32602);
}

TEST_P(Tasks, EveryWorkerKnowsEveryTask) {
  const std::string id = Start("job", "x");
  for (int i = 0; i < 8; ++i) {  // connections are spread over the workers
    std::unique_ptr<Client> other;
    if (client->modern()) {
      other = Taking();
    } else {
      auto legacy = std::make_unique<LegacyClient>(gateway.port());
      legacy->set_session(static_cast<LegacyClient&>(*client).session());
      other = std::move(legacy);
    }
    const Answer answer =
        other->Request({.method = "tasks/get", .members = R"("taskId":)" + Quote(id)});
    EXPECT_EQ(TextAt(answer.message(), "/result/status"), "working") << answer;
  }
  Release("x");
}

TEST_P(Tasks, AToolsErrorIsNoFailureInTheModernDialect) {
  const std::string id = Start("flop", "x");
  EXPECT_EQ(Status(id), client->modern() ? "completed" : "failed");
  const Answer done = client->modern() ? Get(id) : About(id, "tasks/result");
  const json::value result = done.at(client->modern() ? "/result/result" : "/result");
  EXPECT_EQ(At(result, "/isError"), true) << done;
  EXPECT_EQ(TextAt(result, "/content/0/text"), "flopped");
}

TEST_P(Tasks, AnErrorOfTheProtocolIsTheFailureOfATask) {
  const std::string id = Start("crash", "x");
  EXPECT_EQ(Status(id), "failed");
  const Answer done = client->modern() ? Get(id) : About(id, "tasks/result");
  const json::value error = done.at(client->modern() ? "/result/error" : "/error");
  EXPECT_EQ(At(error, "/code"), 1234) << done;
  EXPECT_EQ(TextAt(error, "/message"), "crashed");
  EXPECT_EQ(TextAt(error, "/data/why"), "asked");
}

TEST_P(Tasks, CancellingReachesTheServer) {
  const std::string id = Start("job", "x");
  const Answer answer = About(id, "tasks/cancel");
  if (client->modern()) {
    EXPECT_EQ(answer.at("/result"), Parse(R"({"resultType":"complete"})")) << answer;
  } else {
    EXPECT_EQ(TextAt(answer.message(), "/result/status"), "cancelled") << answer;
    EXPECT_EQ(TextAt(answer.message(), "/result/taskId"), id);
  }
  EXPECT_TRUE(Happens("cancelled:x"));
  EXPECT_EQ(Status(id), "cancelled");
  const Answer again = About(id, "tasks/cancel");
  EXPECT_EQ(again.code(), client->modern() ? 0 : -32602) << again;
  if (!client->modern()) {
    EXPECT_NE(About(id, "tasks/result").code(), 0);
  }
}

TEST_P(Tasks, ATaskThatEndedCannotBeCancelledByLegacyClients) {
  const std::string id = Start("flop", "x");
  EXPECT_EQ(About(id, "tasks/cancel").code(), client->modern() ? 0 : -32602);
  EXPECT_EQ(Status(id), client->modern() ? "completed" : "failed");
}

TEST_P(Tasks, ACallWithoutTheWishIsAnsweredPlainly) {
  const std::unique_ptr<Client> plain = NewClient();
  EXPECT_EQ(plain->Call("a__job", R"({"label":"x"})").text(), "at once x");
  if (!client->modern() || server_era() == Era::kLegacy) {
    EXPECT_EQ(client->Call("a__job", R"({"label":"x"})").text(), "at once x");
  }
}

// protocol 6.5-F, G: who cannot take a task is not bothered with one.
TEST_P(Tasks, AToolThatInsistsIsWaitedForInTheStead) {
  const std::unique_ptr<Client> plain = NewClient();
  Exchange call = plain->BeginCall("a__must", R"({"label":"x"})");
  if (client->modern() && server_era() == Era::kModern) {
    const Answer answer = call.Finish();  // the server's own words
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), -32021) << answer;
    EXPECT_TRUE(answer.at("/error/data/requiredCapabilities/extensions").is_object());
    return;
  }
  ASSERT_TRUE(Happens("started:x"));
  Release("x");
  const Answer answer = call.Finish();
  EXPECT_EQ(answer.text(), "done x") << answer;
  EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), client->modern() ? "complete" : "");
}

TEST_P(Tasks, ACallThatIsWaitedForAndCancelledCancelsItsTask) {
  if (client->modern() && server_era() == Era::kModern) return;  // none is waited for
  const std::unique_ptr<Client> plain = NewClient();
  Exchange call = plain->BeginCall("a__must", R"({"label":"x"})");
  ASSERT_TRUE(Happens("polled:x"));  // so the gateway knows of it
  plain->Cancel(call);
  EXPECT_TRUE(Happens("cancelled:x"));
}

TEST_P(Tasks, AreAdvertisedInTheClientsDialect) {
  const Answer answer = client->modern() ? client->Request({.method = "server/discover"})
                                         : static_cast<LegacyClient&>(*client).initialized();
  const json::value capabilities = answer.at("/result/capabilities");
  EXPECT_EQ(At(capabilities, "/extensions/io.modelcontextprotocol~1tasks").is_object(),
            client->modern())
      << answer;
  EXPECT_EQ(At(capabilities, "/tasks/requests/tools/call").is_object(), !client->modern());
  const Answer list = client->Request({.method = "tools/list"});
  EXPECT_EQ(list.body.contains(R"("execution":{"taskSupport":")"), !client->modern()) << list;
}

TEST_P(Tasks, TheOtherDialectsMethodsAreUnknown) {
  const std::string id = Start("job", "x");
  const std::vector<std::string> unknown =
      client->modern() ? std::vector<std::string>{"tasks/result", "tasks/list"}
                       : std::vector<std::string>{"tasks/update"};
  for (const std::string& method : unknown) {
    const Answer answer = About(id, method, R"(,"inputResponses":{})");
    EXPECT_EQ(answer.status, client->modern() ? 404 : 200);
    EXPECT_EQ(answer.code(), -32601) << method << answer;
  }
}

TEST_P(Tasks, InputIsAskedForAndGiven) {
  if (!client->modern()) return;  // asked within tasks/result
  const std::string id = Start("inquire", "x");
  ASSERT_TRUE(Becomes(id, "input_required"));
  const json::value requests = At(Get(id).message(), "/result/inputRequests");
  ASSERT_TRUE(requests.is_object() && requests.as_object().size() == 1) << requests;
  const std::string key = requests.as_object().begin()->key();
  const json::value request = requests.as_object().begin()->value();
  EXPECT_EQ(TextAt(request, "/method"), "elicitation/create");
  EXPECT_EQ(TextAt(request, "/params/message"), "[a] who?");
  EXPECT_FALSE(json::serialize(request).contains("related-task")) << request;
  const Answer told = About(id, "tasks/update",
                            R"(,"inputResponses":{"nobody asked":{},)" + Quote(key) +
                                R"(:{"action":"accept","content":{"name":"Ada"}}})");
  EXPECT_EQ(told.at("/result"), Parse(R"({"resultType":"complete"})")) << told;
  ASSERT_TRUE(Becomes(id, "completed"));
  EXPECT_EQ(Parse(TextAt(Get(id).message(), "/result/result/content/0/text")),
            Parse(R"({"action":"accept","content":{"name":"Ada"}})"));
}

TEST_P(Tasks, ATransparentEndpointChangesNoWordOfWhatATaskAsks) {
  if (!client->modern()) return;
  client = Taking("/mcp/bare");
  const std::string id = Start("inquire", "x", "");
  ASSERT_TRUE(Becomes(id, "input_required"));
  const json::value requests = At(Get(id).message(), "/result/inputRequests");
  ASSERT_TRUE(requests.is_object() && requests.as_object().size() == 1) << requests;
  EXPECT_EQ(TextAt(requests.as_object().begin()->value(), "/params/message"), "who?");
}

TEST_P(Tasks, InputResponsesMustBeAnObject) {
  if (!client->modern() || server_era() == Era::kModern) return;
  const std::string id = Start("job", "x");
  EXPECT_EQ(About(id, "tasks/update", R"(,"inputResponses":7)").code(), -32602);
  EXPECT_EQ(About(id, "tasks/update", R"(,"inputResponses":{"k":{}})").code(), 0);
}

// ---- modern clients only

TEST_P(Tasks, AreForModernClientsThatDeclareTheExtension) {
  if (!client->modern()) return;
  const std::string id = Start("job", "x");
  // The legacy dialect's capability declares nothing (TASKX).
  for (const char* capabilities : {"{}", R"({"tasks":{"list":{}}})", R"({"extensions":{}})"}) {
    static_cast<ModernClient&>(*client).set_capabilities(capabilities);
    for (const char* method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
      const Answer answer = About(id, method, R"(,"inputResponses":{})");
      EXPECT_EQ(answer.status, 400);
      EXPECT_EQ(answer.code(), -32021) << method << answer;
      EXPECT_TRUE(
          answer.at("/error/data/requiredCapabilities/extensions/io.modelcontextprotocol~1tasks")
              .is_object());
    }
    const Answer plain = client->Request(
        {.method = "tools/call",
         .members = R"("name":"a__job","arguments":{"label":"strange"},"task":{"ttl":1})"});
    EXPECT_EQ(plain.text(), "at once strange") << plain;
  }
}

TEST_P(Tasks, AreListenedToByThoseWhoDeclareTheExtension) {
  if (!client->modern()) return;
  const std::string id = Start("job", "x");
  auto& modern = static_cast<ModernClient&>(*client);
  Exchange stream =
      client->Begin({.method = "subscriptions/listen",
                     .members = R"("notifications":{"toolsListChanged":true,"taskIds":[)" +
                                Quote(id) + R"(,"nobody's"]})",
                     .id = "\"listen\""});
  const json::value told = Parse(stream.NextEvent().value_or(""));
  EXPECT_EQ(At(told, "/params/notifications/toolsListChanged"), true) << told;
  if (server_era() == Era::kModern) {
    EXPECT_EQ(At(told, "/params/notifications/taskIds"), Parse("[" + Quote(id) + "]")) << told;
    Release("x");
    EXPECT_EQ(client->Call("a__tell").text(), "ok");
    const json::value news = Parse(stream.NextEvent().value_or(""));
    EXPECT_EQ(TextAt(news, "/method"), "notifications/tasks") << news;
    EXPECT_EQ(TextAt(news, "/params/taskId"), id);
    EXPECT_EQ(TextAt(news, "/params/status"), "completed");
    EXPECT_EQ(TextAt(news, "/params/result/content/0/text"), "done x");
    EXPECT_EQ(TextAt(news, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), "listen");
  } else {  // says of its tasks what it likes, and so promises nothing
    EXPECT_TRUE(At(told, "/params/notifications/taskIds").is_null()) << told;
  }
  EXPECT_EQ(client->Call("a__grow").text(), "ok");
  EXPECT_EQ(TextAt(Parse(stream.NextEvent().value_or("")), "/method"),
            "notifications/tools/list_changed");
  modern.set_capabilities("{}");
  const Answer refused = client->Request(
      {.method = "subscriptions/listen", .members = R"("notifications":{"taskIds":["x"]})"});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), -32021) << refused;
}

TEST_P(Tasks, TheNameHeaderOfAModernClientIsTheTaskId) {
  if (!client->modern()) return;
  const std::string id = Start("job", "x");
  const auto with = [&](std::optional<std::string> name) {
    return client->Request({.method = "tasks/get",
                            .members = R"("taskId":)" + Quote(id),
                            .headers = {{"mcp-name", std::move(name)}}});
  };
  EXPECT_EQ(with("other").code(), -32020);
  EXPECT_EQ(with(std::nullopt).code(), -32020);
  EXPECT_EQ(with(id).code(), 0);
}

// ---- a tool that has policies of its own

// Made up, and apart, lest scanners of this repository take it for a real one.
const std::string kKey = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";

class TasksOfAGuardedTool : public TaskMatrix {
 protected:
  TasksOfAGuardedTool() { keys = "tool_policies: {job: " + kGuards + ", must: " + kGuards + "}"; }
  const std::string kGuards = "{guardrail: {results: {secrets: redact}}}";
};
INSTANTIATE_TEST_SUITE_P(All, TasksOfAGuardedTool, AllCombinations(), NameOf);

TEST_P(TasksOfAGuardedTool, EndAsItsCallsDo) {
  const std::string id = Start("job", kKey);
  Release(kKey);
  ASSERT_TRUE(Becomes(id, "completed"));
  const Answer done = client->modern() ? Get(id) : About(id, "tasks/result");
  const json::value result = done.at(client->modern() ? "/result/result" : "/result");
  EXPECT_EQ(TextAt(result, "/content/0/text"), "done [redacted:aws_key]") << done;
}

TEST_P(TasksOfAGuardedTool, AreToldOfAsTheyAreAnswered) {
  if (!client->modern() || server_era() != Era::kModern) return;
  const std::string id = Start("job", kKey);
  Exchange stream =
      client->Begin({.method = "subscriptions/listen",
                     .members = R"("notifications":{"taskIds":[)" + Quote(id) + "]}"});
  stream.NextEvent();
  Release(kKey);
  EXPECT_EQ(client->Call("a__tell").text(), "ok");
  const json::value news = Parse(stream.NextEvent().value_or(""));
  EXPECT_EQ(TextAt(news, "/params/status"), "completed") << news;
  EXPECT_EQ(TextAt(news, "/params/result/content/0/text"), "done [redacted:aws_key]") << news;
}

// Nobody but the tool has a hook.
class TasksOfAHookedTool : public TaskMatrix {
 protected:
  TasksOfAHookedTool() {
    const std::string hooked =
        "{guardrail: {hook: {url: '" + site.Url("/hook") + "', phases: [result]}}}";
    keys = "tool_policies: {job: " + hooked + ", must: " + hooked + "}";
    gateway.With("fetch", "{allow: [127.0.0.1]}");
    site.Answers([](const WebSite::Request& request) {
      const bool bad = request.body.contains("done secret");
      return WebSite::Page{.body = bad ? R"({"action":"deny"})" : R"({"action":"allow"})"};
    });
  }
  WebSite site;
};
INSTANTIATE_TEST_SUITE_P(All, TasksOfAHookedTool, AllCombinations(), NameOf);

TEST_P(TasksOfAHookedTool, AreToldOfAsTheHookSays) {
  if (!client->modern() || server_era() != Era::kModern) return;
  const std::string secret = Start("job", "secret"), fine = Start("job", "fine");
  Exchange stream = client->Begin(
      {.method = "subscriptions/listen",
       .members = R"("notifications":{"taskIds":[)" + Quote(secret) + "," + Quote(fine) + "]}"});
  stream.NextEvent();
  Release("secret");
  Release("fine");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client->Call("a__tell").text(), "ok");
    const json::value news = Parse(stream.NextEvent().value_or(""));
    EXPECT_EQ(TextAt(news, "/params/taskId"), fine) << news;
    EXPECT_EQ(TextAt(news, "/params/result/content/0/text"), "done fine") << news;
  }
  std::set<std::string> shown;
  for (const WebSite::Request& request : site.requests()) {
    const json::value asked = json::parse(request.body);
    if (At(asked, "/task").is_null()) continue;
    EXPECT_EQ(TextAt(asked, "/server"), "a") << asked;
    shown.insert(TextAt(asked, "/task/result/content/0/text"));
  }
  EXPECT_EQ(shown, (std::set<std::string>{"done fine", "done secret"}));
}

class TasksOfACappedTool : public TaskMatrix {
 protected:
  TasksOfACappedTool() { keys = "tool_policies: {job: " + kCap + ", must: " + kCap + "}"; }
  const std::string kCap = "{result_cap: {max_bytes: 1KiB}}";
};
INSTANTIATE_TEST_SUITE_P(All, TasksOfACappedTool, AllCombinations(), NameOf);

TEST_P(TasksOfACappedTool, EndInPages) {
  const std::string label(3000, 'x');
  const std::string id = Start("job", label);
  Release(label);
  ASSERT_TRUE(Becomes(id, "completed"));
  const Answer done = client->modern() ? Get(id) : About(id, "tasks/result");
  const json::value result = done.at(client->modern() ? "/result/result" : "/result");
  EXPECT_LE(TextAt(result, "/content/0/text").size(), 1024U) << done;
  const std::string handle = TextAt(result, "/_meta/switchyard~1cut/handle");
  EXPECT_FALSE(handle.empty()) << done;
  const Answer rest = client->Call("switchyard_read_result", R"({"handle":)" + Quote(handle) + "}");
  EXPECT_THAT(rest.body, ::testing::HasSubstr("xxxxxxxx")) << rest;
}

// ---- no server has tasks

class NoTasks : public Matrix {};
INSTANTIATE_TEST_SUITE_P(All, NoTasks, AllCombinations(), NameOf);

TEST_P(NoTasks, AreThereWhereNoServerHasThem) {
  Begin();
  if (client->modern()) static_cast<ModernClient&>(*client).set_capabilities(kDeclares);
  EXPECT_EQ(client->Request({.method = "tasks/get", .members = R"("taskId":"x")"}).code(), -32601);
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
}

}  // namespace
}  // namespace switchyard::tests
