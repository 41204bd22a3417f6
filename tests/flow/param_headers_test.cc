// A transparent endpoint shows a tool's `x-mcp-header` marks, so it holds the headers of its
// clients against the body: checklist point 9.
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "support/fake_server.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using Sent = std::map<std::string, std::optional<std::string>>;

class MirroredParams : public ::testing::Test {
 protected:
  MirroredParams() {
    fake.surface().AddTool(
        "regional", [](Turn& turn) { turn.Text("ok"); },
        R"("inputSchema":{"type":"object","properties":{)"
        R"("region":{"type":"string","x-mcp-header":"Region"},)"
        R"("at":{"type":"object","properties":{"floor":{"type":"integer","x-mcp-header":"Floor"}}}}})");
    gateway.Serves("a", fake).With("endpoints", "{plain: {servers: [a], transparent: true}}");
    gateway.Start();
  }

  Answer Call(const std::string& path, const std::string& arguments, const Sent& headers) {
    ModernClient client = gateway.Modern(path);
    const std::string name = path == "/mcp" ? "a__regional" : "regional";
    return client.Request({.method = "tools/call",
                           .members = R"("name":")" + name + R"(","arguments":)" + arguments,
                           .headers = headers});
  }
  Answer Plain(const std::string& arguments, const Sent& headers) {
    return Call("/mcp/plain", arguments, headers);
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

TEST_F(MirroredParams, ThatDifferFromTheBodyAreRefusedBeforeTheServerSeesThem) {
  for (const Sent& headers :
       {Sent{}, Sent{{"mcp-param-region", "eu"}}, Sent{{"mcp-param-region", ""}},
        Sent{{"mcp-param-region", "US"}}, Sent{{"mcp-param-region", "=?base64?dXM?="}},
        Sent{{"mcp-param-region", "=?base64?@@@?="}}}) {
    const Answer answer = Plain(R"({"region":"us"})", headers);
    EXPECT_EQ(answer.status, 400) << answer;
    EXPECT_EQ(answer.code(), -32020) << answer;
  }
  EXPECT_EQ(Plain(R"({"at":{"floor":42}})", {{"mcp-param-floor", "43"}}).code(), -32020);
  EXPECT_TRUE(fake.received("tools/call").empty());
}

TEST_F(MirroredParams, ThatEqualTheBodyPass) {
  EXPECT_EQ(Plain(R"({"region":"us"})", {{"mcp-param-region", " us "}}).text(), "ok");
  EXPECT_EQ(Plain(R"({"region":"us"})", {{"mcp-param-region", "=?base64?dXM=?="}}).text(), "ok");
  EXPECT_EQ(Plain(R"({"at":{"floor":42.0}})", {{"mcp-param-floor", "42"}}).text(), "ok");
}

TEST_F(MirroredParams, AreNotExpectedOfArgumentsThatAreAbsentOrNull) {
  EXPECT_EQ(Plain("{}", {}).text(), "ok");
  EXPECT_EQ(Plain(R"({"region":null})", {}).text(), "ok");
}

TEST_F(MirroredParams, AreNotExpectedWhereTheListDoesNotShowTheMarks) {
  EXPECT_EQ(Call("/mcp", R"({"region":"us"})", {}).text(), "ok");
  LegacyClient legacy = gateway.Legacy("/mcp/plain");
  EXPECT_EQ(legacy.Call("regional", R"({"region":"us"})").text(), "ok");
}

}  // namespace
}  // namespace switchyard::tests
