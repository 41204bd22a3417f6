// Servers of 2024-11-05 over HTTP+SSE behind a real gateway, for clients of both eras: found at a
// URL that takes no POST, or configured.
#include <gtest/gtest.h>

#include "support/becomes.h"
#include "support/fake_sse_server.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

constexpr const char* kTools = R"("toolsListChanged":true)";

// The verbs and paths that came, in order, up to the first initialize.
std::vector<std::string> Beginning(const FakeSseServer& fake) {
  std::vector<std::string> beginning;
  for (const FakeSseServer::Received& one : fake.received()) {
    beginning.push_back(one.verb + " " + one.path + " " + one.method());
    if (one.path == "/messages") break;
  }
  return beginning;
}

class AnSseServer : public ::testing::Test {
 protected:
  void Begin(const std::string& keys = "") { gateway.ServesUrl("a", fake.url(), keys).Start(); }
  std::unique_ptr<Client> NewClient(Era era) const {
    if (era == Era::kModern) return std::make_unique<ModernClient>(gateway.port());
    return std::make_unique<LegacyClient>(gateway.port());
  }

  FakeSseServer fake{"a"};  // outlives the gateway
  Gateway gateway;
};

TEST_F(AnSseServer, IsFoundWhereEveryPostIsRefusedAndServesBothEras) {
  for (const char* refusal : {"405 Method Not Allowed", "404 Not Found", "400 Bad Request"}) {
    FakeSseServer other("b");
    other.RefusesPostsToItsUrlWith(refusal);
    Gateway between;
    between.ServesUrl("b", other.url()).Start();
    EXPECT_EQ(between.Modern().Call("b__echo", R"({"text":"x"})").text(), "x") << refusal;
    EXPECT_EQ(between.Legacy().Call("b__echo", R"({"text":"x"})").text(), "x") << refusal;
    EXPECT_EQ(Beginning(other),
              (std::vector<std::string>{"POST /sse server/discover", "POST /sse initialize",
                                        "GET /sse ", "POST /messages initialize"}))
        << refusal;
  }
}

TEST_F(AnSseServer, ThatIsConfiguredAsOneIsAskedNothingElse) {
  Begin("transport: sse");
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(Beginning(fake), (std::vector<std::string>{"GET /sse ", "POST /messages initialize"}));
}

TEST_F(AnSseServer, OfAConfiguredEraIsNotAskedForTheOther) {
  Begin("era: legacy");
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(Beginning(fake), (std::vector<std::string>{"POST /sse initialize", "GET /sse ",
                                                       "POST /messages initialize"}));
}

TEST_F(AnSseServer, IsNotLookedForWhereStreamableHttpIsConfigured) {
  Begin("transport: streamable-http");
  EXPECT_TRUE(gateway.Modern().Tools().empty());
  for (const FakeSseServer::Received& one : fake.received()) EXPECT_EQ(one.verb, "POST");
}

TEST_F(AnSseServer, IsOfferedTheNewestVersionAndSpokenToInItsOwn) {
  Begin();
  gateway.Modern().Call("a__echo");
  EXPECT_EQ(TextAt(fake.received("initialize").back().message, "/params/protocolVersion"),
            "2025-11-25");
  const FakeSseServer::Received call = fake.received("tools/call").at(0);
  EXPECT_FALSE(call.headers.contains("mcp-protocol-version")) << "2024-11-05 knows no such header";
  EXPECT_FALSE(call.headers.contains("mcp-session-id"));
}

TEST_F(AnSseServer, GetsTheConfiguredHeadersOnItsStreamAndWithEveryMessage) {
  Begin("headers: {Authorization: \"Bearer ours\"}");
  gateway.Modern().Call("a__echo");
  for (const FakeSseServer::Received& one : fake.received()) {
    EXPECT_EQ(one.headers.at("authorization"), "Bearer ours") << one.verb << one.path;
  }
}

TEST_F(AnSseServer, WhoseEndpointIsElsewhereIsNamedAndGetsNothing) {
  FakeSseServer trap("trap");
  fake.NamesEndpoint("http://127.0.0.1:" + std::to_string(trap.port()) + "/messages?session=1");
  Begin();
  const Answer list = gateway.Modern().Request({.method = "tools/list"});
  EXPECT_TRUE(list.Contains("its endpoint is of another origin")) << list;
  EXPECT_TRUE(trap.received().empty());
}

TEST_F(AnSseServer, IsReachedFromEveryWorkerOverOneStream) {
  Begin();
  for (int i = 0; i < 8; ++i) {
    const std::unique_ptr<Client> client = NewClient(i % 2 == 0 ? Era::kModern : Era::kLegacy);
    EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  }
  EXPECT_EQ(fake.streams(), 1u);
}

TEST_F(AnSseServer, ThatIsConfiguredAsOneIsReachedOverOneStreamToo) {
  Begin("transport: sse");
  for (int i = 0; i < 8; ++i) {
    const std::unique_ptr<Client> client = NewClient(i % 2 == 0 ? Era::kModern : Era::kLegacy);
    EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  }
  EXPECT_EQ(fake.streams(), 1u);
}

TEST_F(AnSseServer, SendsProgressAndLogMessagesToTheirCall) {
  Begin();
  for (const Era era : {Era::kModern, Era::kLegacy}) {
    const std::unique_ptr<Client> client = NewClient(era);
    const Answer answer = client->Call("a__progress", R"({"steps":3})", R"("progressToken":"p")");
    ASSERT_EQ(answer.events.size(), 3u) << answer;
    EXPECT_EQ(TextAt(Parse(answer.events[0]), "/params/progressToken"), "p");
  }
  ModernClient client = gateway.Modern();
  const Answer logged =
      client.Call("a__log", R"({"level":"error"})", R"("io.modelcontextprotocol/logLevel":"info")");
  EXPECT_EQ(logged.events.size(), 1u) << logged;
}

TEST_F(AnSseServer, IsToldOfACancellationByANotification) {
  Begin();
  for (const Era era : {Era::kModern, Era::kLegacy}) {
    const std::unique_ptr<Client> client = NewClient(era);
    const std::string label = era == Era::kModern ? "m" : "l";
    Exchange held = client->BeginCall("a__hold", R"({"label":")" + label + "\"}");
    ASSERT_TRUE(WaitFor(fake.surface().Named("started:" + label)));
    client->Cancel(held);
    EXPECT_TRUE(WaitFor(fake.surface().Named("cancelled:" + label)));
  }
  EXPECT_EQ(fake.received("notifications/cancelled").size(), 2u);
}

TEST_F(AnSseServer, IsAnsweredWhenItPings) {
  Begin();
  fake.Ask(R"({"jsonrpc":"2.0","id":"ping-1","method":"ping"})");
  EXPECT_EQ(Parse(fake.Answered()), Parse(R"({"jsonrpc":"2.0","id":"ping-1","result":{}})"));
}

TEST_F(AnSseServer, AnnouncesItsChanges) {
  Begin();
  ModernClient client = gateway.Modern();
  Exchange listen = client.Listen(kTools);
  EXPECT_EQ(client.Call("a__grow").text(), "ok");
  EXPECT_TRUE(listen.NextEvent().has_value());
  EXPECT_EQ(client.Call("a__grown").text(), "grown");
}

TEST_F(AnSseServer, WhoseStreamBreaksIsConnectedAnewAndItsCallsFail) {
  Begin();
  ModernClient client = gateway.Modern();
  Exchange held = client.BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:x")));
  fake.CutAll();
  const Answer failed = held.Finish();
  EXPECT_EQ(failed.code(), -32603) << failed;
  EXPECT_FALSE(failed.Contains(R"("retryable":true)")) << failed;
  EXPECT_TRUE(Becomes([&] { return client.Call("a__echo", R"({"text":"x"})").text() == "x"; }));
  EXPECT_EQ(fake.streams(), 2u);
  EXPECT_EQ(fake.received("server/discover").size(), 1u) << "its transport is known by now";
}

TEST_F(AnSseServer, ThatForgotItsSessionGetsANewOne) {
  Begin();
  ModernClient client = gateway.Modern();
  fake.ForgetsSessions();
  EXPECT_EQ(client.Call("a__echo").code(), -32603);
  EXPECT_TRUE(Becomes([&] { return client.Call("a__echo", R"({"text":"x"})").text() == "x"; }));
}

TEST_F(AnSseServer, MayTakeAPostOnlyWhenItHasAnsweredIt) {
  fake.TakesPostsOnlyWhenServed();
  Begin();
  ModernClient client = gateway.Modern();
  Exchange held = client.BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:x")));
  EXPECT_EQ(client.Call("a__release", R"({"label":"x"})").text(), "ok");
  EXPECT_EQ(held.Finish().text(), "released x");
}

TEST_F(AnSseServer, OfALaterRevisionIsSpokenToInThat) {
  fake.Speaks("2025-06-18");
  Begin();
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(fake.received("tools/call").at(0).headers.at("mcp-protocol-version"), "2025-06-18");
}

TEST_F(AnSseServer, IsLeftWhenTheGatewayStops) {
  Begin();
  gateway.Modern().Call("a__echo");
  gateway.Stop();
  EXPECT_TRUE(fake.IsDeserted());
}

TEST_F(AnSseServer, AnswersTwoClientsOfOneIdEachItsOwn) {
  Begin();
  ModernClient one = gateway.Modern(), two = gateway.Modern();
  Exchange first = one.Begin({.method = "tools/call",
                              .members = R"("name":"a__hold","arguments":{"label":"one"})",
                              .id = "1"});
  Exchange second = two.Begin({.method = "tools/call",
                               .members = R"("name":"a__hold","arguments":{"label":"two"})",
                               .id = "1"});
  ModernClient third = gateway.Modern();
  EXPECT_EQ(third.Call("a__release", R"({"label":"two"})").text(), "ok");
  EXPECT_EQ(second.Finish().text(), "released two");
  EXPECT_EQ(third.Call("a__release", R"({"label":"one"})").text(), "ok");
  EXPECT_EQ(first.Finish().text(), "released one");
}

}  // namespace
}  // namespace switchyard::tests
