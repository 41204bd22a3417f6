// The modern face of the gateway (2026-07-28), as the specification's pages
// basic/transports/streamable-http, basic/index, basic/versioning and server/discover want it.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

constexpr int kHeaderMismatch = -32020;

class ModernFace : public ::testing::Test {
 protected:
  static Ask Echo() {
    return {.method = "tools/call", .members = R"("name":"a__echo","arguments":{"text":"x"})"};
  }
  static Ask Echo(const std::string& header, std::optional<std::string> value) {
    Ask ask = Echo();
    ask.headers[header] = std::move(value);
    return ask;
  }
  static void ExpectError(const Answer& answer, int status, int code) {
    EXPECT_EQ(answer.status, status) << answer;
    EXPECT_EQ(answer.code(), code) << answer;
    EXPECT_FALSE(answer.at("/error/message").is_null()) << answer;
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  ModernClient client{gateway.Serves("a", fake).Start().port()};
};

TEST_F(ModernFace, ARequestWithoutTheVersionHeaderIsRefused) {
  ExpectError(client.Request(Echo("mcp-protocol-version", std::nullopt)), 400, kHeaderMismatch);
}

TEST_F(ModernFace, AVersionHeaderThatIsNotTheBodysIsRefused) {
  for (const char* version : {"2025-11-25", "2027-01-01", "x", ""}) {
    ExpectError(client.Request(Echo("mcp-protocol-version", version)), 400, kHeaderMismatch);
  }
}

TEST_F(ModernFace, RequestsWithoutTheRequiredMetadataAreRefused) {
  for (
      const char* params :
      {R"("params":{})", R"("params":{"_meta":{}})",
       R"("params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}})",
       R"("params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}})",
       R"("params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}})"}) {
    const std::string body =
        R"({"jsonrpc":"2.0","id":5,"method":"tools/list",)" + std::string(params) + "}";
    const Answer answer = client.Post(body, {.method = "tools/list"});
    ExpectError(answer, 400, -32602);
    EXPECT_EQ(answer.at("/id"), 5);
  }
}

TEST_F(ModernFace, ClientInfoMayBeMissing) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})";
  EXPECT_EQ(client.Post(body, {.method = "tools/list"}).code(), 0);
}

TEST_F(ModernFace, AnUnknownVersionIsAnsweredWithThoseThatDiscoverNames) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2027-01-01","io.modelcontextprotocol/clientCapabilities":{}}}})";
  const Answer answer = client.Post(
      body, {.method = "tools/list", .headers = {{"mcp-protocol-version", "2027-01-01"}}});
  ExpectError(answer, 400, -32022);
  EXPECT_EQ(TextAt(answer.message(), "/error/data/requested"), "2027-01-01");
  const json::value known =
      client.Request({.method = "server/discover"}).at("/result/supportedVersions");
  const json::value supported = answer.at("/error/data/supported");
  ASSERT_TRUE(supported.is_array() && !supported.as_array().empty()) << answer;
  for (const json::value& version : supported.as_array()) {
    EXPECT_TRUE(Contains(known.as_array(), version)) << version;
  }
}

TEST_F(ModernFace, TheMethodHeaderMustBeThereAndEqualTheBodysMethod) {
  for (const auto& value :
       std::vector<std::optional<std::string>>{std::nullopt, "", "tools/list", "TOOLS/CALL"}) {
    ExpectError(client.Request(Echo("mcp-method", value)), 400, kHeaderMismatch);
  }
  EXPECT_EQ(client.Request(Echo("mcp-method", "  tools/call  ")).text(), "x");
}

TEST_F(ModernFace, TheNameHeaderMustBeThereAndEqualTheBodysName) {
  for (const auto& value : std::vector<std::optional<std::string>>{
           std::nullopt, "", "a__hold", "a__ECHO", "=?base64?YV9f?=", "=?base64?@@@?=",
           "=?base64?YV9fZWNobw?=", "=?BASE64?YV9fZWNobw==?="}) {
    ExpectError(client.Request(Echo("mcp-name", value)), 400, kHeaderMismatch);
  }
  EXPECT_EQ(client.Request(Echo("mcp-name", "  a__echo\t")).text(), "x");
  EXPECT_EQ(client.Request(Echo("mcp-name", "=?base64?YV9fZWNobw==?=")).text(), "x");
}

TEST_F(ModernFace, TheNameHeaderOfPromptsAndResourcesIsCheckedToo) {
  ExpectError(client.Request({.method = "prompts/get",
                              .members = R"("name":"a__greet","arguments":{"who":"x"})",
                              .headers = {{"mcp-name", "a__thank"}}}),
              400, kHeaderMismatch);
  ExpectError(client.Request({.method = "resources/read",
                              .members = R"("uri":"fake://a/one")",
                              .headers = {{"mcp-name", std::nullopt}}}),
              400, kHeaderMismatch);
}

TEST_F(ModernFace, UnknownAndRemovedMethodsAreNotFound) {
  for (const char* method : {"no/such", "initialize", "ping", "logging/setLevel",
                             "resources/subscribe", "resources/unsubscribe", "tasks/list"}) {
    const Answer answer = client.Request({.method = method, .id = R"("m")"});
    ExpectError(answer, 404, -32601);
    EXPECT_EQ(answer.at("/id"), "m");
    EXPECT_FALSE(answer.headers.contains("mcp-session-id"));
  }
}

TEST_F(ModernFace, SessionsAndResumptionMeanNothing) {
  const Answer answer =
      client.Request({.method = "tools/list",
                      .headers = {{"mcp-session-id", "whatever"}, {"last-event-id", "7"}}});
  EXPECT_EQ(answer.code(), 0) << answer;
  EXPECT_FALSE(answer.headers.contains("mcp-session-id"));
}

TEST_F(ModernFace, GetAndDeleteDoNotExistWithoutASession) {
  for (const char* verb : {"GET", "DELETE", "PUT"}) {
    const Answer answer = ModernClient(gateway.port())
                              .Raw(std::string(verb) + " /mcp HTTP/1.1\r\nHost: localhost\r\n" +
                                   "Accept: text/event-stream\r\n\r\n");
    EXPECT_EQ(answer.status, 405) << verb;
    EXPECT_TRUE(answer.headers.contains("allow"));
  }
}

TEST_F(ModernFace, ANotificationIsAcceptedWithoutABody) {
  const Answer answer = client.Post(
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})",
      {.method = "notifications/cancelled"});
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "");
}

TEST_F(ModernFace, AResponseFromAClientIsRefused) {
  const Answer answer =
      client.Post(R"({"jsonrpc":"2.0","id":1,"result":{}})", {.method = "tools/list"});
  EXPECT_EQ(answer.status, 400) << answer;
}

TEST_F(ModernFace, ForeignOriginsAndHostsAreRefused) {
  EXPECT_EQ(client.Request(Echo("origin", "https://evil.example")).status, 403);
  EXPECT_EQ(client.Request(Echo("origin", "null")).status, 403);
  const int host = client.Request(Echo("host", "evil.example")).status;
  EXPECT_GE(host, 400);
  EXPECT_LT(host, 500);
  const std::string own = "127.0.0.1:" + std::to_string(gateway.port());
  EXPECT_EQ(client.Request(Echo("origin", "http://" + own)).text(), "x");
  EXPECT_EQ(client.Request(Echo("host", "localhost")).text(), "x");
}

// `listen` as config/production.yaml has it, at a free port.
TEST(BehindAProxyOfItsMachine, TheGatewayIsCalledByItsOwnAddressToo) {
  const FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake).With(
      "listen",
      "{address: '127.0.0.1:0', allowed_origins: ['https://agents.example.com'],"
      "allowed_hosts: [mcp.example.com], max_body: 1MiB, public_url: 'https://mcp.example.com'}");
  gateway.Start();
  const auto health = [&gateway](const std::string& host) {
    return gateway.Modern().Raw("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status;
  };
  const std::string port = ":" + std::to_string(gateway.port());
  EXPECT_EQ(health("127.0.0.1" + port), 200);
  EXPECT_EQ(health("localhost" + port), 200);
  EXPECT_EQ(health("mcp.example.com"), 200);
  EXPECT_EQ(health("evil.example" + port), 403);
}

TEST_F(ModernFace, EveryResultSaysItsType) {
  const std::vector<Ask> asks = {
      {.method = "server/discover"},
      {.method = "tools/list"},
      {.method = "prompts/list"},
      {.method = "resources/list"},
      {.method = "resources/templates/list"},
      {.method = "prompts/get", .members = R"("name":"a__greet","arguments":{"who":"x"})"},
      {.method = "resources/read", .members = R"("uri":"fake://a/one")"},
      {.method = "completion/complete",
       .members =
           R"("ref":{"type":"ref/prompt","name":"a__greet"},"argument":{"name":"who","value":""})"},
      Echo()};
  for (const Ask& ask : asks) {
    const Answer answer = client.Request(ask);
    EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), "complete") << ask.method << answer;
    const bool cacheable = ask.method == "server/discover" || ask.method == "resources/read" ||
                           ask.method.ends_with("/list");
    EXPECT_EQ(answer.at("/result/ttlMs").is_int64(), cacheable) << ask.method;
    const std::string scope = TextAt(answer.message(), "/result/cacheScope");
    EXPECT_EQ(scope == "public" || scope == "private", cacheable) << ask.method;
  }
}

TEST_F(ModernFace, DiscoverNamesWhatWorks) {
  const Answer answer = client.Request({.method = "server/discover"});
  const json::value offered = answer.at("/result/capabilities");
  for (const char* capability : {"tools", "prompts", "resources", "completions"}) {
    EXPECT_TRUE(At(offered, "/" + std::string(capability)).is_object()) << answer;
  }
  EXPECT_EQ(At(offered, "/tools/listChanged"), true);
  EXPECT_TRUE(
      Contains(answer.at("/result/supportedVersions").as_array(), json::value("2026-07-28")));
}

TEST_F(ModernFace, WhatIsNotAdvertisedIsNotThere) {
  Gateway empty;
  empty.Start();
  ModernClient nobody = empty.Modern();
  const json::value offered =
      nobody.Request({.method = "server/discover"}).at("/result/capabilities");
  ASSERT_TRUE(offered.is_object());
  for (const char* capability : {"tools", "prompts", "resources"}) {
    const bool advertised = offered.as_object().contains(capability);
    const Answer list = nobody.Request({.method = std::string(capability) + "/list"});
    EXPECT_EQ(list.code(), advertised ? 0 : -32601) << list;
    EXPECT_EQ(list.status, advertised ? 200 : 404) << list;
  }
}

TEST_F(ModernFace, AStreamHasNoEventIdsAndIsNotHeldBackByProxies) {
  Exchange call = client.BeginCall("a__progress", R"({"steps":2})", R"("progressToken":1)");
  ASSERT_EQ(call.status(), 200);
  EXPECT_TRUE(call.headers().at("content-type").starts_with("text/event-stream"));
  EXPECT_EQ(call.headers().at("x-accel-buffering"), "no");
  std::vector<std::string> events;
  while (std::optional<std::string> event = call.NextEvent()) events.push_back(std::move(*event));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_FALSE(call.saw_event_ids());
  EXPECT_TRUE(call.ended());
  EXPECT_FALSE(At(Parse(events.back()), "/result").is_null());
}

TEST_F(ModernFace, AClientThatTakesNoStreamGetsItsAnswerAsJson) {
  const Answer answer =
      client.Request({.method = "tools/call",
                      .members = R"("name":"a__progress","arguments":{"steps":2})",
                      .meta = R"("progressToken":1)",
                      .headers = {{"accept", "application/json"}}});
  EXPECT_FALSE(answer.streamed);
  EXPECT_EQ(answer.text(), "done");
}

TEST_F(ModernFace, AnInvalidCursorIsInvalidParamsAndAnEmptyOneIsTheFirstPage) {
  for (const char* cursor : {"nonsense", "AAAA", "2"}) {
    const Answer answer =
        client.Request({.method = "tools/list", .members = R"("cursor":)" + Quote(cursor)});
    ExpectError(answer, 200, -32602);
  }
  const Answer first = client.Request({.method = "tools/list", .members = R"("cursor":"")"});
  EXPECT_TRUE(first.at("/result/tools").is_array()) << first;
}

TEST_F(ModernFace, ACursorOfOneListIsNoCursorOfAnother) {
  gateway.With("page_size", "2");
  gateway.Reload();
  const Answer tools = client.Request({.method = "tools/list"});
  const std::string cursor = TextAt(tools.message(), "/result/nextCursor");
  ASSERT_NE(cursor, "") << tools;
  ExpectError(client.Request({.method = "prompts/list", .members = R"("cursor":)" + Quote(cursor)}),
              200, -32602);
}

TEST_F(ModernFace, AnUnknownLogLevelIsInvalidParams) {
  EXPECT_EQ(client.Call("a__echo", "{}", R"("io.modelcontextprotocol/logLevel":"loud")").code(),
            -32602);
}

// ---- subscriptions/listen

TEST_F(ModernFace, AListenIsAcknowledgedFirstUnderItsOwnIdWithWhatIsHonoured) {
  for (const char* id : {"9", R"("nine")"}) {
    Exchange stream = client.Begin({.method = "subscriptions/listen",
                                    .members = R"("notifications":{"toolsListChanged":true})",
                                    .id = id});
    const json::value first = Parse(stream.NextEvent().value_or(""));
    EXPECT_EQ(TextAt(first, "/method"), "notifications/subscriptions/acknowledged") << first;
    EXPECT_EQ(At(first, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), Parse(id));
    EXPECT_EQ(At(first, "/params/notifications/toolsListChanged"), true);
    EXPECT_TRUE(At(first, "/params/notifications/promptsListChanged").is_null());
  }
}

TEST_F(ModernFace, AListenTellsOnlyWhatItsFilterNames) {
  Exchange prompts = client.Listen(R"("promptsListChanged":true)", "1");
  Exchange tools = client.Listen(R"("toolsListChanged":true)", "2");
  EXPECT_EQ(client.Call("a__grow").text(), "ok");
  const json::value told = Parse(tools.NextEvent().value_or(""));
  EXPECT_EQ(TextAt(told, "/method"), "notifications/tools/list_changed");
  EXPECT_EQ(At(told, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), 2);
  gateway.Stop();  // ends the streams, so that silence can be seen
  const json::value last = Parse(prompts.NextEvent().value_or(""));
  EXPECT_NE(TextAt(last, "/method"), "notifications/tools/list_changed");
}

TEST_F(ModernFace, AStoppingGatewayEndsEachListenWithItsResult) {
  Exchange stream = client.Listen(R"("toolsListChanged":true)", "9");
  gateway.Stop();
  const Answer answer = stream.Finish();
  EXPECT_EQ(answer.at("/id"), 9) << answer;
  EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), "complete");
  EXPECT_EQ(answer.at("/result/_meta/io.modelcontextprotocol~1subscriptionId"), 9);
}

TEST_F(ModernFace, AListenWithoutAFilterIsInvalidParams) {
  ExpectError(client.Request({.method = "subscriptions/listen"}), 200, -32602);
}

}  // namespace
}  // namespace switchyard::tests
