// The legacy face of the gateway (2025-11-25 and before), as the pages basic/lifecycle and
// basic/transports of those revisions want it.
#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

class LegacyFace : public ::testing::Test {
 protected:
  LegacyFace() { gateway.Serves("a", fake).Start(); }

  LegacyClient Speaks(const std::string& version) {
    return LegacyClient(gateway.port(), "/mcp", version);
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

TEST_F(LegacyFace, InitializeEchoesEveryVersionThatWeSpeak) {
  for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26"}) {
    LegacyClient client = Speaks(version);
    EXPECT_EQ(TextAt(client.initialized().message(), "/result/protocolVersion"), version)
        << client.initialized();
    EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
  }
}

TEST_F(LegacyFace, InitializeOffersOurNewestForAnyOtherVersionAndNeverAModernOne) {
  for (const char* version : {"2026-07-28", "2099-01-01", "1.0"}) {
    LegacyClient client = Speaks(version);
    EXPECT_EQ(TextAt(client.initialized().message(), "/result/protocolVersion"), "2025-11-25")
        << client.initialized();
  }
}

TEST_F(LegacyFace, InitializeSaysWhatThereIs) {
  const Answer answer = Speaks("2025-11-25").initialized();
  EXPECT_TRUE(answer.at("/result/capabilities/tools").is_object()) << answer;
  EXPECT_TRUE(answer.at("/result/capabilities/prompts").is_object());
  EXPECT_NE(TextAt(answer.message(), "/result/serverInfo/name"), "");
  EXPECT_NE(TextAt(answer.message(), "/result/instructions").find("use a"), std::string::npos);
}

TEST_F(LegacyFace, InitializeWithoutItsParamsIsInvalidParams) {
  LegacyClient client = Speaks("2025-11-25");
  const Answer answer = client.Request({.method = "initialize", .members = R"("capabilities":{})"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.code(), -32602);
}

TEST_F(LegacyFace, SessionIdsAreVisibleAsciiAndNeverTheSame) {
  const LegacyClient one = Speaks("2025-11-25");
  const LegacyClient two = Speaks("2025-11-25");
  EXPECT_GE(one.session().size(), 32u);
  EXPECT_TRUE(std::ranges::all_of(one.session(), [](char c) { return c > 0x20 && c < 0x7F; }));
  EXPECT_NE(one.session(), two.session());
}

TEST_F(LegacyFace, ARequestWithoutItsSessionIsABadRequest) {
  LegacyClient client = Speaks("2025-11-25");
  client.set_session("");
  const Answer answer =
      client.Request({.method = "tools/list", .headers = {{"mcp-session-id", std::nullopt}}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.code(), 0);
}

TEST_F(LegacyFace, AnUnknownSessionIsNotFound) {
  LegacyClient client = Speaks("2025-11-25");
  std::string forged = client.session();
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& session : {std::string("nonsense"), forged}) {
    client.set_session(session);
    EXPECT_EQ(client.Request({.method = "tools/list"}).status, 404);
    EXPECT_EQ(client.OpenStream().status(), 404);
    EXPECT_EQ(client.EndSession().status, 404);
  }
}

TEST_F(LegacyFace, ASessionThatWasEndedIsNotFoundFromAnyConnection) {
  LegacyClient client = Speaks("2025-11-25");
  const Answer ended = client.EndSession();
  EXPECT_GE(ended.status, 200);
  EXPECT_LT(ended.status, 300);
  for (int i = 0; i < 8; ++i) {  // new connections, so other workers as well
    EXPECT_EQ(client.Begin({.method = "tools/list"}).Finish().status, 404);
  }
}

TEST_F(LegacyFace, ASessionBelongsToItsEndpoint) {
  gateway.With("endpoints", "{part: {tools: {include: [a__echo]}}}");
  gateway.Reload();
  LegacyClient part = gateway.Legacy("/mcp/part");
  LegacyClient whole = gateway.Legacy();
  EXPECT_EQ(part.Tools().size(), 1u);
  whole.set_session(part.session());
  EXPECT_EQ(whole.Request({.method = "tools/list"}).status, 404);
}

TEST_F(LegacyFace, TheVersionHeaderMayBeMissingButNotWrong) {
  LegacyClient client = Speaks("2025-11-25");
  for (const char* version : {"1.0", "2024-01-01"}) {
    EXPECT_EQ(client
                  .Request({.method = "tools/list",
                            .headers = {{"mcp-protocol-version", std::string(version)}}})
                  .status,
              400);
  }
  EXPECT_EQ(
      client.Request({.method = "tools/list", .headers = {{"mcp-protocol-version", std::nullopt}}})
          .code(),
      0);
}

TEST_F(LegacyFace, NotificationsAndResponsesAreAccepted) {
  LegacyClient client = Speaks("2025-11-25");
  EXPECT_EQ(client.Notify("notifications/initialized").status, 202);
  EXPECT_EQ(client.Notify("notifications/roots/list_changed").status, 202);
  const Answer response =
      client.Post(R"({"jsonrpc":"2.0","id":1,"result":{}})", {.method = "response"});
  EXPECT_EQ(response.status, 202) << response;
  EXPECT_EQ(response.body, "");
}

TEST_F(LegacyFace, AClientThatDisconnectsHasNotCancelled) {
  // Shared: the server's thread may still be in Set() when the test is through.
  const auto finished = std::make_shared<Event>();
  fake.surface().AddTool("hold", [finished](Turn& turn) {
    turn.surface().Named("started:last").Set();
    if (turn.Wait(turn.surface().Named("release:last"))) finished->Set();
    turn.Text("done");
  });
  LegacyClient client = Speaks("2025-11-25");
  Exchange call = client.BeginCall("a__hold");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:last")));
  call.Abandon();
  for (int i = 0; i < 20; ++i) client.Begin({.method = "ping"}).Finish();  // long enough to notice
  fake.surface().Named("release:last").Set();
  EXPECT_TRUE(WaitFor(*finished));
}

TEST_F(LegacyFace, AChangeGoesToOneStreamOfASession) {
  LegacyClient client = Speaks("2025-11-25");
  Exchange first = client.OpenStream();
  Exchange second = client.OpenStream();
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(client.Call("a__grow").text(), "ok");
  EXPECT_EQ(TextAt(Parse(second.NextEvent().value_or("")), "/method"),
            "notifications/tools/list_changed");
  EXPECT_EQ(first.NextEvent(), std::nullopt);
}

TEST_F(LegacyFace, AStreamNeedsItsAcceptHeader) {
  LegacyClient client = Speaks("2025-11-25");
  const Answer answer = client.Raw("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n" +
                                   std::string("Mcp-Session-Id: ") + client.session() + "\r\n\r\n");
  EXPECT_EQ(answer.status, 406);
}

TEST_F(LegacyFace, CancellingWhatIsNotInFlightIsIgnored) {
  LegacyClient client = Speaks("2025-11-25");
  EXPECT_EQ(client.Notify("notifications/cancelled", R"({"requestId":77})").status, 202);
  EXPECT_EQ(client.Notify("notifications/cancelled", R"({})").status, 202);
  EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
}

TEST_F(LegacyFace, ABatchIsRefusedWhereTheRevisionHasNone) {
  for (const char* version : {"2025-11-25", "2025-06-18"}) {
    LegacyClient client = Speaks(version);
    const Answer answer =
        client.Post(R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", {.method = "batch"});
    EXPECT_EQ(answer.status, 400) << answer;
    EXPECT_EQ(answer.code(), -32600) << answer;
  }
}

TEST_F(LegacyFace, NothingModernReachesLegacyClients) {
  for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26"}) {
    LegacyClient client = Speaks(version);
    const std::vector<Ask> asks = {
        {.method = "tools/list"},
        {.method = "prompts/list"},
        {.method = "resources/list"},
        {.method = "resources/templates/list"},
        {.method = "prompts/get", .members = R"("name":"a__greet","arguments":{"who":"x"})"},
        {.method = "resources/read", .members = R"("uri":"fake://a/one")"},
        {.method = "tools/call", .members = R"("name":"a__echo","arguments":{"text":"x"})"}};
    for (const Ask& ask : asks) {
      const Answer answer = client.Request(ask);
      EXPECT_FALSE(answer.at("/result").is_null()) << answer;
      for (const char* word : {"resultType", "ttlMs", "cacheScope", "io.modelcontextprotocol/"}) {
        EXPECT_FALSE(answer.Contains(word)) << version << " " << ask.method << answer;
      }
    }
  }
}

TEST_F(LegacyFace, ModernMethodsAreUnknown) {
  LegacyClient client = Speaks("2025-11-25");
  for (const char* method : {"server/discover", "subscriptions/listen", "no/such"}) {
    const Answer answer = client.Request({.method = method});
    EXPECT_EQ(answer.status, 200) << answer;  // 404 would end the session
    EXPECT_EQ(answer.code(), -32601) << answer;
  }
}

TEST_F(LegacyFace, ABadLogLevelIsInvalidParams) {
  LegacyClient client = Speaks("2025-11-25");
  const Answer answer =
      client.Request({.method = "logging/setLevel", .members = R"("level":"loud")"});
  EXPECT_EQ(answer.code(), -32602) << answer;
}

TEST_F(LegacyFace, SessionsAreServedByEveryWorker) {
  LegacyClient client = Speaks("2025-11-25");
  for (int i = 0; i < 8; ++i) {
    const Answer answer = client.BeginCall("a__echo", R"({"text":"x"})").Finish();
    EXPECT_EQ(answer.text(), "x") << answer;
  }
}

TEST_F(LegacyFace, BothErasAreServedAtOneUrlOverOneConnection) {
  LegacyClient legacy = Speaks("2025-11-25");
  const ModernClient modern = gateway.Modern();
  const Ask list{.method = "tools/list", .id = "1"};
  EXPECT_FALSE(legacy.Raw(legacy.Text(list)).Contains("resultType"));
  EXPECT_TRUE(legacy.Raw(modern.Text(list)).Contains("resultType"));
  EXPECT_FALSE(legacy.Raw(legacy.Text(list)).Contains("resultType"));
}

}  // namespace
}  // namespace switchyard::tests
