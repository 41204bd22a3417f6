// A modern server that needs input, and clients of every era: protocol.md 6.5-C.
#include <future>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/legacy_session.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kElicits =
    R"("k":{"method":"elicitation/create","params":{"mode":"form","message":"which?",)"
    R"("requestedSchema":{"type":"object","properties":{"s":{"type":"string"}}}}})";

void Want(Turn& turn, std::string_view requests, std::string_view state) {
  turn.Finish(R"({"jsonrpc":"2.0","id":)" + turn.id() +
                  R"(,"result":{"resultType":"input_required","inputRequests":{)" +
                  std::string(requests) + R"(},"requestState":)" + Quote(state) + "}}",
              0);
}

// Asks once, then says what it was told.
void AddAsker(FakeServer& fake) {
  fake.surface().AddTool("ask", [](Turn& turn) {
    const json::value answers = turn.param("inputResponses");
    if (answers.is_null()) return Want(turn, kElicits, "state \"of\" a server/1");
    if (turn.param("requestState") != "state \"of\" a server/1") {
      turn.surface().Complain("the state came back changed");
    }
    turn.Text(json::serialize(answers));
  });
}

class LegacyAsks : public ::testing::Test {
 protected:
  LegacyAsks() {
    AddAsker(fake);
    gateway.Serves("a", fake).Start();
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

TEST_F(LegacyAsks, AModernServersQuestionReachesALegacyClientMidCall) {
  for (const char* version : {"2025-11-25", "2025-06-18"}) {
    LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})", version);
    Exchange call = client.BeginCall("a__ask");
    const std::string question = call.NextEvent().value_or("");
    EXPECT_EQ(TextAt(Parse(question), "/method"), "elicitation/create") << question;
    EXPECT_EQ(TextAt(Parse(question), "/params/message"), "[a] which?");
    EXPECT_EQ(TextAt(Parse(question), "/params/mode"),
              version == std::string_view("2025-11-25") ? "form" : "");
    const Answer accepted =
        client.Post(AnswerTo(question, R"({"action":"accept","content":{"s":"eng"}})"), {});
    EXPECT_EQ(accepted.status, 202) << accepted;
    EXPECT_EQ(call.Finish().text(), R"({"k":{"action":"accept","content":{"s":"eng"}}})");
  }
}

TEST_F(LegacyAsks, AnswersFindTheirCallFromEveryConnection) {
  LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})");
  for (int i = 0; i < 8; ++i) {
    Exchange call = client.BeginCall("a__ask");
    const std::string question = call.NextEvent().value_or("");
    LegacyClient elsewhere(gateway.port());  // a connection of its own, so any worker
    elsewhere.set_session(client.session());
    EXPECT_EQ(elsewhere.Post(AnswerTo(question, R"({"action":"decline"})"), {}).status, 202);
    EXPECT_EQ(call.Finish().text(), R"({"k":{"action":"decline"}})");
  }
}

TEST_F(LegacyAsks, TheServerLearnsWhatTheClientDeclaredInModernForm) {
  FakeServer late = FakeServer::Modern("b");
  late.surface().AddTool("declared", [](Turn& turn) {
    turn.Text(json::serialize(
        At(turn.message(), "/params/_meta/io.modelcontextprotocol~1clientCapabilities")));
  });
  gateway.Serves("b", late);
  gateway.Reload();
  ASSERT_TRUE(gateway.server().WaitUntilSettled(kPatience));
  LegacyClient client =
      Declaring(gateway.port(), R"({"elicitation":{},"sampling":{},"roots":{"listChanged":true}})");
  EXPECT_EQ(Parse(client.Call("b__declared").text()),
            Parse(R"({"elicitation":{"form":{}},"sampling":{},"roots":{}})"));
}

TEST_F(LegacyAsks, ACancelledCallWithdrawsItsQuestionAtTheClient) {
  LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})");
  Exchange call = client.BeginCall("a__ask");
  const std::string question = call.NextEvent().value_or("");
  client.Cancel(call);
  const std::string withdrawn = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(withdrawn), "/method"), "notifications/cancelled") << withdrawn;
  EXPECT_EQ(At(Parse(withdrawn), "/params/requestId"), At(Parse(question), "/id"));
  EXPECT_EQ(call.NextEvent(), std::nullopt);
  EXPECT_EQ(client.Post(AnswerTo(question, R"({"action":"accept"})"), {}).status, 202);
}

TEST_F(LegacyAsks, AClientThatDeclaredNothingGetsAFailedTool) {
  LegacyClient client = gateway.Legacy();
  const Answer answer = client.Call("a__ask");
  EXPECT_EQ(answer.at("/result/isError"), true) << answer;
  EXPECT_NE(answer.text().find("elicitation"), std::string::npos);
}

TEST_F(LegacyAsks, AModernClientGetsTheResultAndNeverARequest) {
  ModernClient client = gateway.Modern();
  client.set_capabilities(R"({"elicitation":{}})");
  const Answer answer = client.Call("a__ask");
  EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), "input_required") << answer;
  EXPECT_NE(TextAt(answer.message(), "/result/requestState"), "");
  EXPECT_TRUE(answer.events.empty());
}

TEST_F(LegacyAsks, OnStdioEachEraGetsItsOwnForm) {
  int pair[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  ::setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  Wire client(pair[0]);
  const std::future<void> over = gateway.server().ServeStdio(pair[1], ::dup(pair[1]));
  const auto say = [&](const std::string& line) { client.Write(line + "\n"); };
  const auto hear = [&] { return client.ReadLine().value_or(""); };

  say(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{"elicitation":{}},"clientInfo":{"name":"t","version":"1"}}})");
  hear();
  const std::string call = R"("method":"tools/call","params":{"name":"a__ask","arguments":{})";
  say(R"({"jsonrpc":"2.0","id":1,)" + call + "}}");
  const std::string question = hear();
  EXPECT_EQ(TextAt(Parse(question), "/method"), "elicitation/create") << question;
  say(R"({"jsonrpc":"2.0","id":2,)" + call +
      R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}})");
  const json::value modern = Parse(hear());
  EXPECT_EQ(At(modern, "/id"), 2);
  EXPECT_EQ(TextAt(modern, "/result/resultType"), "input_required");
  say(AnswerTo(question, R"({"action":"cancel"})"));
  const json::value legacy = Parse(hear());
  EXPECT_EQ(At(legacy, "/id"), 1);
  EXPECT_EQ(TextAt(legacy, "/result/content/0/text"), R"({"k":{"action":"cancel"}})");

  say(R"({"jsonrpc":"2.0","id":3,)" + call + "}}");
  const json::value second = Parse(hear());
  say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}})");
  const json::value withdrawn = Parse(hear());
  EXPECT_EQ(TextAt(withdrawn, "/method"), "notifications/cancelled");
  EXPECT_EQ(At(withdrawn, "/params/requestId"), At(second, "/id"));
  client.Close();
  over.wait();
}

}  // namespace
}  // namespace switchyard::tests
