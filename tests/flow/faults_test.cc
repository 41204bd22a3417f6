// Servers that are down, hang, lie, come and go, and a gateway that stops: what belongs to no
// single combination of the matrix.
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "support/becomes.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

constexpr const char* kTools = R"("toolsListChanged":true)";

// Why the list lacks a server; "" = it does not.
std::string Missing(const Answer& list, const std::string& server) {
  const json::value missing = list.at("/result/_meta/switchyard~1missing");
  if (!missing.is_array()) return {};
  for (const json::value& entry : missing.as_array()) {
    if (TextAt(entry, "/server") == server) return TextAt(entry, "/reason");
  }
  return {};
}

Answer ToolsList(Client& client) { return client.Request({.method = "tools/list"}); }

pid_t PidOf(Client& client, const std::string& server, const std::string& tool = "pid") {
  const std::string text = client.Call(server + "__" + tool).text();
  return text.empty() ? 0 : std::stoi(text);
}

// ---- servers that are not there

TEST(AServerThatIsDown, IsNamedInTheListsAndHoldsNobodyUp) {
  FakeServer good = FakeServer::Modern("good");
  FakeServer dead = FakeServer::Modern("dead", FakeServer::Start::kDown);
  Gateway gateway;
  gateway.Serves("good", good).Serves("dead", dead).Start();
  for (const bool modern : {true, false}) {
    std::unique_ptr<Client> client;
    if (modern) {
      client = std::make_unique<ModernClient>(gateway.port());
    } else {
      client = std::make_unique<LegacyClient>(gateway.port());
    }
    const Answer list = ToolsList(*client);
    EXPECT_GT(list.at("/result/tools").as_array().size(), 20u);
    EXPECT_NE(Missing(list, "dead"), "") << list;
    EXPECT_EQ(Missing(list, "good"), "");
    EXPECT_EQ(client->Call("good__echo", R"({"text":"x"})").text(), "x");
    const Answer refused = client->Call("dead__echo");
    EXPECT_EQ(refused.status, 200);
    EXPECT_NE(refused.code(), 0);
  }
}

TEST(AServerThatIsDown, IsServedAndAnnouncedWhenItComes) {
  FakeServer late = FakeServer::Modern("late", FakeServer::Start::kDown);
  Gateway gateway;
  gateway.Serves("late", late).Start();
  ModernClient client = gateway.Modern();
  LegacyClient legacy = gateway.Legacy();
  Exchange listen = client.Listen(kTools);
  Exchange stream = legacy.OpenStream();
  EXPECT_TRUE(client.Tools().empty());
  late.Up();
  EXPECT_TRUE(listen.NextEvent().has_value());
  EXPECT_TRUE(stream.NextEvent().has_value());
  EXPECT_EQ(client.Call("late__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(Missing(ToolsList(client), "late"), "");
}

TEST(AServerThatHangs, AtItsStartHoldsNobodyUpAndIsNamed) {
  FakeServer hanging = FakeServer::Modern("hanging");
  hanging.ExpectComplaints();
  hanging.surface().OnMethod("server/discover", [](Turn& turn) { turn.NeverAnswer(); });
  FakeServer good = FakeServer::Modern("good");
  Gateway gateway;
  gateway.Serves("hanging", hanging, "start_timeout: 500ms").Serves("good", good);
  gateway.Start();
  ModernClient client = gateway.Modern();
  const Answer list = ToolsList(client);
  EXPECT_NE(Missing(list, "hanging"), "") << list;
  EXPECT_EQ(client.Call("good__echo", R"({"text":"x"})").text(), "x");
}

TEST(AServerThatHangs, WhileItListsIsCutOffAndNamed) {
  FakeServer hanging = FakeServer::Modern("hanging");
  hanging.ExpectComplaints();
  hanging.surface().OnMethod("prompts/list", [](Turn& turn) { turn.NeverAnswer(); });
  Gateway gateway;
  gateway.Serves("hanging", hanging, "list_timeout: 300ms").Start();
  ModernClient client = gateway.Modern();
  EXPECT_NE(Missing(ToolsList(client), "hanging"), "");
}

TEST(AServerThatPagesForever, IsCutOffAndNamed) {
  FakeServer repeats = FakeServer::Modern("repeats");
  repeats.surface().SetCursor([](const std::string&) { return "again"; });
  FakeServer counts = FakeServer::Modern("counts");
  counts.surface().SetCursor([](const std::string& cursor) { return cursor + "x"; });
  FakeServer good = FakeServer::Modern("good");
  Gateway gateway;
  gateway.Serves("repeats", repeats)
      .Serves("counts", counts, "list_timeout: 500ms")
      .Serves("good", good)
      .Start();
  ModernClient client = gateway.Modern();
  const Answer list = ToolsList(client);
  EXPECT_NE(Missing(list, "repeats"), "");
  EXPECT_NE(Missing(list, "counts"), "");
  EXPECT_EQ(client.Call("good__echo", R"({"text":"x"})").text(), "x");
}

TEST(AServerOfBrokenLists, DoesNotBreakThoseOfOthers) {
  FakeServer broken = FakeServer::Modern("broken");
  broken.surface().OnMethod("tools/list", [](Turn& turn) {
    turn.Result(R"("tools":[{"name":"ok","inputSchema":{"type":"object"}},{"no":"name"},7])");
  });
  FakeServer good = FakeServer::Modern("good");
  Gateway gateway;
  gateway.Serves("broken", broken).Serves("good", good).Start();
  ModernClient client = gateway.Modern();
  EXPECT_EQ(client.Call("good__echo", R"({"text":"x"})").text(), "x");
  const std::vector<std::string> tools = client.Tools();
  EXPECT_FALSE(Contains(tools, ""));
}

// ---- HTTP servers that misbehave

struct Lie {
  const char* name;
  const char* bytes;
};

class AnHttpServerThatLies : public ::testing::TestWithParam<Lie> {};

INSTANTIATE_TEST_SUITE_P(
    All, AnHttpServerThatLies,
    ::testing::Values(
        Lie{"SaysLessThanItsLength",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{}"},
        Lie{"HasNoNumberForALength",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}"},
        Lie{"AnnouncesExabytes",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Content-Length: 9999999999999999999999\r\n\r\n{}"},
        Lie{"HasBrokenChunks",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n"},
        Lie{"EndsAStreamWithoutAnAnswer",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: bye\n\n"},
        Lie{"SendsAnotherType",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
            "Connection: close\r\nContent-Length: 2\r\n\r\nhi"},
        Lie{"SpeaksNoHttp", "220 ftp ready\r\n"},
        Lie{"FailsInside", "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"},
        Lie{"WantsAPassword",
            "HTTP/1.1 401 No\r\nConnection: close\r\nWWW-Authenticate: Bearer "
            "resource_metadata=\"https://evil.example/\"\r\n"
            "Content-Length: 0\r\n\r\n"},
        Lie{"RedirectsAway",
            "HTTP/1.1 307 Go\r\nConnection: close\r\nLocation: http://127.0.0.1:1/mcp\r\n"
            "Content-Length: 0\r\n\r\n"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(AnHttpServerThatLies, IsAnErrorToTheCallerOnly) {
  FakeServer fake = FakeServer::Modern("a");
  fake.surface().AddTool("lie", [](Turn& turn) {
    turn.Verbatim(GetParam().bytes);
    turn.Drop();
  });
  Gateway gateway;
  gateway.Serves("a", fake).With("policies", "{timeout: {total: 2s}}").Start();
  ModernClient client = gateway.Modern();
  const Answer answer = client.Call("a__lie");
  EXPECT_EQ(answer.status, 200) << answer;
  EXPECT_EQ(answer.code(), -32603) << answer;
  EXPECT_FALSE(answer.headers.contains("www-authenticate"));
  EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
}

TEST(AnHttpServer, ThatForgotItsSessionsIsAskedForANewOneAndTheCallSucceeds) {
  FakeServer fake = FakeServer::Legacy("a");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  ModernClient modern = gateway.Modern();
  LegacyClient legacy = gateway.Legacy();
  for (int round = 0; round < 4; ++round) {
    fake.ForgetSessions();
    // on new connections, so by both workers
    for (int call = 0; call < 4; ++call) {
      Client& client = call % 2 == 0 ? static_cast<Client&>(modern) : legacy;
      const Answer answer = client.BeginCall("a__echo", R"({"text":"x"})").Finish();
      EXPECT_EQ(answer.text(), "x") << "round " << round << ": " << answer;
    }
  }
  EXPECT_GT(fake.received("initialize").size(), 1u);
}

TEST(AnHttpServer, ThatChangesItsEraIsFoundAgain) {
  FakeServer fake = FakeServer::Modern("a");
  fake.ExpectComplaints();
  Gateway gateway;
  gateway.Serves("a", fake).With("policies", "{timeout: {total: 2s}}").Start();
  ModernClient client = gateway.Modern();
  for (const Era era : {Era::kLegacy, Era::kModern}) {
    fake.Down();
    fake.Become(era);
    EXPECT_TRUE(Becomes([&] { return Missing(ToolsList(client), "a") != ""; }));
    fake.Up();
    EXPECT_TRUE(Becomes([&] { return Missing(ToolsList(client), "a") == ""; }));
    const Answer answer = client.Call("a__echo", R"({"text":"x"})");
    EXPECT_EQ(answer.text(), "x") << answer;
  }
}

TEST(AnHttpServer, SeesItsParametersInHeadersAsItsSchemaWants) {
  FakeServer fake = FakeServer::Modern("a");
  fake.surface().AddTool(
      "regional", [](Turn& turn) { turn.Text("ok"); },
      R"("inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},)"
      R"("count":{"type":"integer","x-mcp-header":"Count"},"none":{"type":"string","x-mcp-header":"None"}}})");
  fake.surface().AddTool(
      "broken", [](Turn& turn) { turn.Text("ok"); },
      R"("inputSchema":{"type":"object","properties":{"n":{"type":"number","x-mcp-header":"N"}}})");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  ModernClient client = gateway.Modern();
  const Answer answer = client.Call("a__regional", R"({"region":"é","count":42,"none":null})");
  EXPECT_EQ(answer.text(), "ok") << answer;
  const Headers headers = fake.received("tools/call").at(0).headers;
  EXPECT_EQ(headers.at("mcp-param-region"), "=?base64?w6k=?=");
  EXPECT_EQ(headers.at("mcp-param-count"), "42");
  EXPECT_FALSE(headers.contains("mcp-param-none"));
  EXPECT_FALSE(Contains(client.Tools(), "a__broken"));
}

TEST(AnHttpServer, GetsTheConfiguredHeadersAndNoneOfTheClients) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake, "headers: {Authorization: \"Bearer ours\"}").Start();
  ModernClient client = gateway.Modern();
  client.Request({.method = "tools/call",
                  .members = R"("name":"a__echo","arguments":{"text":"x"})",
                  .headers = {{"authorization", "Bearer theirs"}, {"cookie", "c=1"}}});
  const Headers headers = fake.received("tools/call").at(0).headers;
  EXPECT_EQ(headers.at("authorization"), "Bearer ours");
  EXPECT_FALSE(headers.contains("cookie"));
}

// ---- children

TEST(AChild, ThatDiesOfAnythingBeforeInitializeIsServed) {
  Gateway gateway;
  gateway.ServesChild("a", {"--era", "legacy", "--touchy"}).Start();
  ModernClient client = gateway.Modern();
  EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
}

TEST(AChild, MaySayWhatItLikesOnStderr) {
  Gateway gateway;
  gateway.ServesChild("a", {"--noise"}).Start();
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
}

TEST(AChild, ThatDoesNotExistIsNamed) {
  FakeServer good = FakeServer::Modern("good");
  Gateway gateway;
  gateway.Serves("good", good).ServesChild("a", {}, "cwd: /no/such/directory").Start();
  ModernClient client = gateway.Modern();
  EXPECT_NE(Missing(ToolsList(client), "a"), "");
  EXPECT_EQ(client.Call("good__echo", R"({"text":"x"})").text(), "x");
}

TEST(AChild, ThatEndsIsStartedAgain) {
  Gateway gateway;
  gateway.ServesChild("a").Start();
  ModernClient client = gateway.Modern();
  const pid_t before = PidOf(client, "a");
  client.Call("a__end");
  EXPECT_TRUE(IsGone(before));
  pid_t after = 0;
  EXPECT_TRUE(Becomes([&] { return (after = PidOf(client, "a")) != 0; }));
  EXPECT_NE(after, before);
}

TEST(AStoppingGateway, LeavesNoChildNorWhatItStarted) {
  Gateway gateway;
  gateway.ServesChild("a", {"--offspring"}).ServesChild("b", {"--era", "legacy"}).Start();
  ModernClient client = gateway.Modern();
  const pid_t a = PidOf(client, "a"), offspring = PidOf(client, "a", "offspring");
  const pid_t b = PidOf(client, "b");
  ASSERT_GT(std::min({a, b, offspring}), 0);
  gateway.Stop();
  EXPECT_TRUE(IsGone(a));
  EXPECT_TRUE(IsGone(offspring));
  EXPECT_TRUE(IsGone(b));
}

TEST(AStoppingGateway, KillsAChildThatWillNotGo) {
  Gateway gateway;
  gateway.ServesChild("a", {"--deaf", "--offspring"}).Start();
  ModernClient client = gateway.Modern();
  const pid_t a = PidOf(client, "a"), offspring = PidOf(client, "a", "offspring");
  ASSERT_GT(a, 0);
  ASSERT_GT(offspring, 0);
  gateway.Stop();
  EXPECT_TRUE(IsGone(a));
  EXPECT_TRUE(IsGone(offspring));
}

TEST(AStoppingGateway, LetsCallsInFlightFinish) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  Exchange call = gateway.Modern().BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:x")));
  const std::uint16_t port = gateway.port();
  std::thread stopping([&gateway] { gateway.Stop(); });
  while (Wire::Connect(port).open()) std::this_thread::yield();
  fake.surface().Named("release:x").Set();
  EXPECT_EQ(call.Finish().text(), "released x");
  stopping.join();
}

// ---- clients that vanish

TEST(AClientThatVanishes, ByResetCancelsItsCall) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  Exchange call = gateway.Modern().BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:x")));
  call.wire().Reset();
  EXPECT_TRUE(WaitFor(fake.surface().Named("cancelled:x")));
}

TEST(AClientThatVanishes, FromItsStreamIsForgotten) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  for (int i = 0; i < 20; ++i) {
    Exchange stream = gateway.Modern().Listen(kTools);
    stream.wire().Reset();
  }
  ModernClient client = gateway.Modern();
  Exchange listen = client.Listen(kTools);
  EXPECT_EQ(client.Call("a__grow").text(), "ok");
  EXPECT_TRUE(listen.NextEvent().has_value());
}

}  // namespace
}  // namespace switchyard::tests
