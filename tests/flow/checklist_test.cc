// Points of docs/checklist.md that no other test is about.
#include <gtest/gtest.h>

#include "flow/matrix.h"
#include "support/legacy_session.h"
#include "support/standard_tools.h"

namespace switchyard::tests {
namespace {

class Checklist : public Matrix {
 protected:
  Exchange OpenChanges() const {
    return client->modern()
               ? static_cast<ModernClient&>(*client).Listen(R"("toolsListChanged":true)")
               : static_cast<LegacyClient&>(*client).OpenStream();
  }
};

INSTANTIATE_TEST_SUITE_P(All, Checklist, AllCombinations(), NameOf);

// 25
TEST_P(Checklist, AListIsTheSameOnEveryConnectionWhateverWasCalledBefore) {
  Begin();
  for (const char* method :
       {"tools/list", "prompts/list", "resources/list", "resources/templates/list"}) {
    const Ask list{.method = method, .id = "1"};
    const Answer first = client->Request(list);
    client->Call("a__echo", R"({"text":"x"})");
    client->Request({.method = "prompts/get", .members = R"("name":"a__none")"});
    EXPECT_EQ(client->Request(list).body, first.body);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(NewClient()->Request(list).body, first.body);
  }
}

// 29, 60
TEST_P(Checklist, ALogMessageComesOnTheStreamOfItsCallAndOnNoOther) {
  Begin();
  Exchange changes = OpenChanges();
  std::string meta = R"("io.modelcontextprotocol/logLevel":"debug")";
  if (!client->modern()) {
    meta = "";
    client->Request({.method = "logging/setLevel", .members = R"("level":"debug")"});
  }
  EXPECT_EQ(client->Call("a__log", R"({"level":"error"})", meta).events.size(), 1u);
  EXPECT_EQ(client->Call("a__grow").text(), "ok");
  const std::string told = changes.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(told), "/method"), "notifications/tools/list_changed") << told;
}

// 86, 95: the fakes complain of a token that is used twice at a time.
TEST_P(Checklist, TwoClientsMayUseOneProgressTokenAndOneId) {
  Begin();
  const std::unique_ptr<Client> other = NewClient();
  const Ask progress{.method = "tools/call",
                     .members = R"("name":"a__progress","arguments":{"steps":2})",
                     .meta = R"("progressToken":"same")",
                     .id = "1"};
  const auto hold = [](const std::string& label) {
    return Ask{.method = "tools/call",
               .members = R"("name":"a__hold","arguments":{"label":")" + label + "\"}",
               .meta = R"("progressToken":"same")",
               .id = "1"};
  };
  Exchange first = client->Begin(hold("one"));
  Exchange second = other->Begin(hold("two"));
  ASSERT_TRUE(Happens("started:one"));
  ASSERT_TRUE(Happens("started:two"));
  const Answer third = NewClient()->Request(progress);
  EXPECT_EQ(third.events.size(), 2u) << third;
  Release("one");
  Release("two");
  const Answer one = first.Finish(), two = second.Finish();
  EXPECT_EQ(one.text() + ", " + two.text(), "released one, released two");
  EXPECT_TRUE(one.events.empty() && two.events.empty()) << one << two;
}

// 88: a child reads a message a line.
TEST_P(Checklist, AMessageOverSeveralLinesIsOneToTheServer) {
  Begin();
  const Answer answer =
      client->Request({.method = "tools/call",
                       .members = "\"name\":\n\"a__echo\",\r\n\"arguments\":{\n\"text\":\"x\"\r}\n",
                       .id = "\n5\n"});
  EXPECT_EQ(answer.text(), "x") << answer;
}

class TwoSessions : public Matrix {};

INSTANTIATE_TEST_SUITE_P(Legacy, TwoSessions,
                         ::testing::Combine(::testing::Values(Era::kLegacy),
                                            ::testing::Values(Kind::kHttp, Kind::kChild),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         NameOf);

TEST_P(TwoSessions, HaveLogLevelsOfTheirOwn) {
  Begin();
  const std::unique_ptr<Client> other = NewClient();
  client->Request({.method = "logging/setLevel", .members = R"("level":"debug")"});
  for (int i = 0; i < 4; ++i) {  // whichever worker serves it
    EXPECT_TRUE(other->BeginCall("a__log", R"({"level":"error"})").Finish().events.empty());
  }
  EXPECT_EQ(client->Call("a__log", R"({"level":"error"})").events.size(), 1u);
}

TEST_P(TwoSessions, CancelNothingOfEachOther) {
  Begin();
  const std::unique_ptr<Client> other = NewClient();
  const auto hold = [](const std::string& label) {
    return Ask{.method = "tools/call",
               .members = R"("name":"a__hold","arguments":{"label":")" + label + "\"}",
               .id = "77"};
  };
  Exchange mine = client->Begin(hold("mine"));
  ASSERT_TRUE(Happens("started:mine"));
  static_cast<LegacyClient&>(*other).Notify("notifications/cancelled", R"({"requestId":77})");
  Exchange theirs = other->Begin(hold("theirs"));
  ASSERT_TRUE(Happens("started:theirs"));
  client->Cancel(mine);
  EXPECT_TRUE(Happens("cancelled:mine"));
  Release("theirs");
  EXPECT_EQ(theirs.Finish().text(), "released theirs");
}

// 65
TEST(OlderRevisions, ReadContentInTheirOwnWords) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  const auto link = [&](const char* version) {
    LegacyClient client(gateway.port(), "/mcp", version);
    return client.Call("a__link", R"({"uri":"fake://a/one"})");
  };
  EXPECT_EQ(TextAt(link("2025-06-18").message(), "/result/content/0/type"), "resource_link");
  EXPECT_EQ(link("2025-03-26").text(), "fake://a/one");
  const auto exact = [&](const char* version) {
    return LegacyClient(gateway.port(), "/mcp", version).Call("a__exact");
  };
  EXPECT_TRUE(exact("2025-11-25").Contains(kExactContent));
  EXPECT_TRUE(exact("2025-03-26").at("/result/structuredContent").is_null());
}

// 89
TEST(ASchemaOfAServer, IsNeverFetchedFromElsewhere) {
  FakeServer trap = FakeServer::Modern("trap");
  FakeServer fake = FakeServer::Modern("a");
  fake.surface().AddTool(
      "far", [](Turn& turn) { turn.Text("ran"); },
      R"("inputSchema":{"type":"object","properties":{"x":{"$ref":")" + trap.url() +
          R"("}}},"outputSchema":{"$ref":")" + trap.url() + "\"}");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  EXPECT_TRUE(tests::Contains(gateway.Modern().Tools(), "a__far"));
  EXPECT_EQ(gateway.Modern().Call("a__far", R"({"x":1})").text(), "ran");
  EXPECT_EQ(gateway.Legacy().Call("a__far", R"({"x":1})").text(), "ran");
  EXPECT_TRUE(trap.received().empty());
}

// 111
TEST(AServerThatWantsToKnowWhoCalls, IsAnErrorAndItsChallengeGoesNoFurther) {
  for (const Era era : {Era::kModern, Era::kLegacy}) {
    FakeServer fake = era == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
    Gateway gateway;
    gateway.Serves("a", fake).Start();
    ModernClient modern = gateway.Modern();
    LegacyClient legacy = gateway.Legacy();
    for (const char* status : {"401 Unauthorized", "403 Forbidden"}) {
      fake.surface().OnMethod("tools/call", [status](Turn& turn) {
        turn.Verbatim("HTTP/1.1 " + std::string(status) +
                      "\r\nWWW-Authenticate: Bearer resource_metadata=\"http://elsewhere/x\"\r\n"
                      "Content-Length: 0\r\n\r\n");
      });
      for (Client* client : std::initializer_list<Client*>{&modern, &legacy}) {
        const Answer answer = client->Call("a__echo", R"({"text":"x"})");
        EXPECT_EQ(answer.status, 200) << status << answer;
        EXPECT_EQ(answer.code(), -32603) << answer;
        EXPECT_FALSE(answer.headers.contains("www-authenticate"));
        EXPECT_FALSE(answer.Contains("elsewhere")) << answer;
      }
    }
  }
}

// ---- modern servers that ask

void WantInput(Turn& turn, std::string_view members) {
  turn.Finish(R"({"jsonrpc":"2.0","id":)" + turn.id() +
                  R"(,"result":{"resultType":"input_required")" + std::string(members) + "}}",
              0);
}
constexpr std::string_view kForm =
    R"(,"inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"form","message":"?",)"
    R"("requestedSchema":{"type":"object","properties":{}}}}},"requestState":"s")";
constexpr std::string_view kUrl =
    R"(,"inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"url","message":"?",)"
    R"("url":"https://x.y/"}}})";

// 42, 43
TEST(AModernServer, AsksOnlyWhereItMayAndSaysWhat) {
  FakeServer fake = FakeServer::Modern("a");
  for (const char* method : {"completion/complete", "prompts/get", "resources/read"}) {
    fake.surface().OnMethod(method, [](Turn& turn) { WantInput(turn, kForm); });
  }
  fake.surface().AddTool("vague", [](Turn& turn) { WantInput(turn, ""); });
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  ModernClient client = gateway.Modern();
  client.set_capabilities(R"({"elicitation":{}})");
  const Answer completion = client.Request(
      {.method = "completion/complete",
       .members =
           R"("ref":{"type":"ref/prompt","name":"a__greet"},"argument":{"name":"who","value":"A"})"});
  EXPECT_EQ(completion.code(), -32603) << completion;
  EXPECT_EQ(client.Call("a__vague").code(), -32603);
  for (const Ask& ask : {Ask{.method = "prompts/get", .members = R"("name":"a__greet")"},
                         Ask{.method = "resources/read", .members = R"("uri":"fake://a/one")"}}) {
    const Answer asked = client.Request(ask);
    EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
    EXPECT_TRUE(asked.at("/result/ttlMs").is_null() && asked.at("/result/cacheScope").is_null())
        << "22: " << asked;
  }
}

// 96
TEST(WhatAServerGave, IsNotTakenToAnotherServer) {
  FakeServer one = FakeServer::Modern("a"), two = FakeServer::Modern("b");
  for (FakeServer* fake : {&one, &two}) {
    fake->surface().AddTool("want", [](Turn& turn) { WantInput(turn, kForm); });
  }
  Gateway gateway;
  gateway.Serves("a", one).Serves("b", two).With("page_size", "2").Start();
  ModernClient client = gateway.Modern();
  client.set_capabilities(R"({"elicitation":{}})");
  const Answer asked = client.Call("a__want");
  const std::string state = TextAt(asked.message(), "/result/requestState");
  ASSERT_NE(state, "") << asked;
  const auto retry = [&](const std::string& tool) {
    return client.Request(
        {.method = "tools/call",
         .members = R"("name":")" + tool +
                    R"(","arguments":{},"inputResponses":{"k":{"action":"cancel"}},)"
                    R"("requestState":)" +
                    Quote(state)});
  };
  EXPECT_EQ(retry("b__want").code(), -32602);
  EXPECT_TRUE(two.received("tools/call").empty());
  EXPECT_EQ(retry("a__want").code(), 0);
  // Cursors are the gateway's own: a server only ever sees the ones that it gave.
  EXPECT_GT(client.Tools().size(), 40u);
}

// 66
TEST(ALegacyClient, IsSentToAPageOnlyWhereItSaidThatItCan) {
  FakeServer fake = FakeServer::Modern("a");
  fake.surface().AddTool("visit", [](Turn& turn) {
    if (turn.param("inputResponses").is_null()) return WantInput(turn, kUrl);
    turn.Text("visited");
  });
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  const std::vector<std::pair<const char*, const char*>> cannot = {
      {R"({"elicitation":{}})", "2025-11-25"},
      {R"({"elicitation":{"form":{}}})", "2025-11-25"},
      {R"({"elicitation":{"form":{},"url":{}}})", "2025-06-18"}};
  for (const auto& [capabilities, version] : cannot) {
    LegacyClient client = Declaring(gateway.port(), capabilities, version);
    const Answer answer = client.Call("a__visit");
    EXPECT_EQ(answer.at("/result/isError"), true) << capabilities << version << answer;
    EXPECT_TRUE(answer.events.empty()) << answer;
  }
  LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{"url":{}}})");
  Exchange call = client.BeginCall("a__visit");
  const std::string question = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(question), "/params/mode"), "url") << question;
  EXPECT_NE(TextAt(Parse(question), "/params/elicitationId"), "");
  EXPECT_EQ(client.Post(AnswerTo(question, R"({"action":"accept"})"), {}).status, 202);
  EXPECT_EQ(call.Finish().text(), "visited");
}

// 67
TEST(QuestionsOfASession, NeverShareAnId) {
  FakeServer fake = FakeServer::Modern("a");
  fake.surface().AddTool("want", [](Turn& turn) {
    if (turn.param("inputResponses").is_null()) return WantInput(turn, kForm);
    turn.Text("had");
  });
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})");
  std::set<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    Exchange call = client.BeginCall("a__want");  // whichever worker serves it
    Exchange same = client.BeginCall("a__want");
    for (Exchange* one : {&call, &same}) {
      const std::string question = one->NextEvent().value_or("");
      ids.insert(json::serialize(At(Parse(question), "/id")));
      client.Post(AnswerTo(question, R"({"action":"decline"})"), {});
      EXPECT_EQ(one->Finish().text(), "had");
    }
  }
  EXPECT_EQ(ids.size(), 16u);
}

}  // namespace
}  // namespace switchyard::tests
