// What leads somewhere: URIs in results and errors, traces across the gateway, headers that mirror
// parameters.
#include "flow/matrix.h"

namespace switchyard::tests {
namespace {

class Links : public Matrix {};

INSTANTIATE_TEST_SUITE_P(All, Links, AllCombinations(), NameOf);

TEST_P(Links, AResourceThatIsNotFoundIsNamedInTheCodeOfItsEra) {
  Begin();
  const Answer answer =
      client->Request({.method = "resources/read", .members = R"("uri":"fake://a/none")"});
  EXPECT_EQ(answer.code(), client->modern() ? -32602 : -32002) << answer;
  EXPECT_EQ(TextAt(answer.message(), "/error/data/uri"), "fake://a/none");
}

TEST_P(Links, OfResultsReadAsListsDoAndLeadBack) {
  FakeServer twin = FakeServer::Modern("a");  // lists the same resources
  gateway.Serves("twin", twin);
  Begin();
  const std::string link = "switchyard://a/fake://a/one";
  EXPECT_TRUE(Contains(client->List("resources/list", "resources", "uri"), link));
  const Answer linked = client->Call("a__link", R"({"uri":"fake://a/one"})");
  EXPECT_EQ(TextAt(linked.message(), "/result/content/0/uri"), link) << linked;
  EXPECT_EQ(TextAt(linked.message(), "/result/content/1/resource/uri"), link);
  for (const std::string& uri : {link, std::string("switchyard://twin/fake://a/item/9")}) {
    const Answer read =
        client->Request({.method = "resources/read", .members = R"("uri":)" + Quote(uri)});
    EXPECT_EQ(TextAt(read.message(), "/result/contents/0/uri"), uri) << read;
  }
  const Answer missing = client->Request(
      {.method = "resources/read", .members = R"("uri":"switchyard://twin/fake://a/none")"});
  EXPECT_EQ(TextAt(missing.message(), "/error/data/uri"), "switchyard://twin/fake://a/none");
}

TEST_P(Links, TheTraceGoesOnWithASpanOfTheGateways) {
  Begin();
  const Answer answer = client->Request(
      {.method = "tools/call",
       .members = R"("name":"a__mirror")",
       .meta =
           R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"k=v")"});
  const json::value arrived = Parse(answer.text());
  const std::string trace = TextAt(arrived, "/params/_meta/traceparent");
  EXPECT_TRUE(trace.starts_with("00-0af7651916cd43dd8448eb211c80319c-")) << answer;
  EXPECT_EQ(trace.find("b7ad6b7169203331"), std::string::npos) << trace;
  EXPECT_EQ(TextAt(arrived, "/params/_meta/tracestate"), "k=v");
}

TEST_P(Links, LogMessagesComeToWhoAskedForThemAndWantsThem) {
  Begin();
  if (!client->modern()) {
    const Answer refused =
        client->Request({.method = "logging/setLevel", .members = R"("level":"loud")"});
    EXPECT_EQ(refused.code(), -32602) << refused;
  }
  EXPECT_TRUE(client->Call("a__log", R"({"level":"error"})").events.empty());
  std::string meta;
  if (client->modern()) {
    meta = R"("io.modelcontextprotocol/logLevel":"warning")";
  } else {
    EXPECT_EQ(
        client->Request({.method = "logging/setLevel", .members = R"("level":"warning")"}).code(),
        0);
  }
  EXPECT_TRUE(client->Call("a__log", R"({"level":"info"})", meta).events.empty());
  const Answer logged = client->Call("a__log", R"({"level":"error"})", meta);
  ASSERT_EQ(logged.events.size(), 1u) << logged;
  EXPECT_EQ(TextAt(Parse(logged.events[0]), "/params/level"), "error");
}

// On one channel nothing says whose a message is: with two calls under way it is nobody's.
TEST_P(Links, ALogMessageThatCannotBeAttributedGoesToNobody) {
  Begin();
  if (over_http()) return;  // there it comes on its call's stream
  std::string meta = R"("io.modelcontextprotocol/logLevel":"debug")";
  if (!client->modern()) {
    meta = "";
    client->Request({.method = "logging/setLevel", .members = R"("level":"debug")"});
  }
  Exchange held = client->BeginCall("a__hold", R"({"label":"other"})", meta);
  EXPECT_TRUE(Happens("started:other"));
  EXPECT_TRUE(client->Call("a__log", R"({"level":"error"})", meta).events.empty());
  Release("other");
  EXPECT_TRUE(held.Finish().events.empty());
}

TEST(TransparentEndpoint, ChecksParametersThatAreMirroredInHeaders) {
  FakeServer fake = FakeServer::Modern("a");
  fake.surface().AddTool(
      "marked", [](Turn& turn) { turn.Text("ran"); },
      R"("inputSchema":{"type":"object","properties":{"lang":{"type":"string","x-mcp-header":"Lang"}}})");
  Gateway gateway;
  gateway.Serves("a", fake).With("endpoints", "{plain: {servers: [a], transparent: true}}").Start();
  ModernClient client = gateway.Modern("/mcp/plain");
  const auto call = [&client](std::map<std::string, std::optional<std::string>> headers) {
    return client.Request({.method = "tools/call",
                           .members = R"("name":"marked","arguments":{"lang":"en"})",
                           .headers = std::move(headers)});
  };
  EXPECT_EQ(call({{"Mcp-Param-Lang", "en"}}).text(), "ran");
  for (const Answer& refused : {call({}), call({{"Mcp-Param-Lang", "de"}})}) {
    EXPECT_EQ(refused.status, 400) << refused;
    EXPECT_EQ(refused.code(), -32020);
  }
  EXPECT_EQ(call({{"Mcp-Param-Lang", "en"}, {"Mcp-Param-Tenant", "t 1"}}).text(), "ran");
  const FakeServer::Received last = fake.received("tools/call").back();
  EXPECT_EQ(last.headers.at("mcp-param-lang"), "en");
  EXPECT_EQ(last.headers.at("mcp-param-tenant"), "t 1") << "not ours: passed on untouched";
}

}  // namespace
}  // namespace switchyard::tests
