// Policies at their four levels, on real calls, and across a reload.
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

constexpr const char* kShort = "{timeout: {total: 200ms}}";
constexpr const char* kOne = "{concurrency: {max_in_flight: 1, queue: 0}}";

std::string MessageOf(const Answer& answer) { return TextAt(answer.message(), "/error/message"); }

TEST(PolicyLevels, ATimeoutOfSomeToolsIsTheirsAlone) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a, "tool_policies: {hol*: " + std::string(kShort) + "}").Start();
  ModernClient client = gateway.Modern();
  Exchange other = client.BeginCall("a__await", R"({"event":"go"})");
  // It was asked first and is still there when this one is cut.
  EXPECT_EQ(MessageOf(client.Call("a__hold", R"({"label":"x"})")),
            "server a: no answer within 200ms");
  a.surface().Named("go").Set();
  EXPECT_EQ(other.Finish().text(), "happened");
}

TEST(PolicyLevels, ATimeoutOfAnEndpointReachesTheAttemptsOfItsCallsAlone) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a).With("endpoints", "{e: {policies: " + std::string(kShort) + "}}").Start();
  ModernClient client = gateway.Modern();
  Exchange other = client.BeginCall("a__await", R"({"event":"go"})");
  EXPECT_EQ(gateway.Modern("/mcp/e").Call("a__hold", R"({"label":"x"})").code(), -32603);
  a.surface().Named("go").Set();
  EXPECT_EQ(other.Finish().text(), "happened");
}

TEST(PolicyLevels, ACapOfSomeToolsCountsThemAndOneOfTheServerTheOthers) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway
      .Serves(
          "a", a,
          "policies: " + std::string(kOne) + ", tool_policies: {hold: " + std::string(kOne) + "}")
      .Start();
  ModernClient client = gateway.Modern();
  Exchange held = client.BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:x")));
  EXPECT_EQ(client.Call("a__echo", R"({"text":"t"})").text(), "t");
  EXPECT_EQ(MessageOf(client.Call("a__hold", R"({"label":"y"})")),
            "tools hold of server a: busy with 1 calls and 0 waiting, try again in 5s");
  a.surface().Named("release:x").Set();
  EXPECT_EQ(held.Finish().text(), "released x");
}

TEST(PolicyLevels, ACapOutlivesAReload) {
  FakeServer a = FakeServer::Modern("a");
  FakeServer b = FakeServer::Modern("b");
  Gateway gateway;
  gateway.Serves("a", a, "policies: " + std::string(kOne)).Start();
  ModernClient client = gateway.Modern();
  Exchange held = client.BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(WaitFor(a.surface().Named("started:x")));
  gateway.Serves("b", b).With("log", "{level: warn}").Reload();
  EXPECT_EQ(MessageOf(client.Call("a__echo")),
            "server a: busy with 1 calls and 0 waiting, try again in 5s");
  a.surface().Named("release:x").Set();
  EXPECT_EQ(held.Finish().text(), "released x");
  EXPECT_EQ(client.Call("a__echo", R"({"text":"t"})").text(), "t");
}

TEST(PolicyLevels, CallsThatTheGatewayMakesItselfGoByTheServer) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a, "policies: " + std::string(kShort)).Start();
  // A listen is passed on as one of the gateway's own, and is meant to last.
  Exchange listen = gateway.Modern().Listen(R"("resourceSubscriptions":["mem:a"])");
  EXPECT_EQ(gateway.Modern().Call("a__hold", R"({"label":"x"})").code(), -32603);
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"t"})").text(), "t");
}

}  // namespace
}  // namespace switchyard::tests
