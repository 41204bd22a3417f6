// Reload: servers come and go under a running gateway.
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

pid_t PidOf(Client& client, const std::string& server) {
  const std::string text = client.Call(server + "__pid").text();
  return text.empty() ? 0 : std::stoi(text);
}

TEST(Reload, AServerThatIsAddedIsServedAndAnnounced) {
  FakeServer a = FakeServer::Modern("a");
  FakeServer b = FakeServer::Legacy("b");
  Gateway gateway;
  gateway.Serves("a", a).Start();
  ModernClient client = gateway.Modern();
  LegacyClient legacy = gateway.Legacy();
  Exchange listen = client.Listen(R"("toolsListChanged":true)");
  Exchange stream = legacy.OpenStream();
  gateway.Serves("b", b).Reload();
  EXPECT_TRUE(listen.NextEvent().has_value());
  EXPECT_TRUE(stream.NextEvent().has_value());
  EXPECT_EQ(client.Call("b__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
}

// The fake fails the test when it sees an id twice in a session.
TEST(Reload, ALegacySessionLivesOnAndSeesNoIdTwice) {
  FakeServer fake = FakeServer::Legacy("a");
  Gateway gateway;
  gateway.Serves("a", fake).With("policies", "{timeout: {total: 60s}}").Start();
  const auto call_at_both_workers = [&] {
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(LegacyClient(gateway.port()).Call("a__echo", R"({"text":"x"})").text(), "x");
    }
  };
  call_at_both_workers();
  gateway.With("policies", "{timeout: {total: 61s}}").Reload();
  call_at_both_workers();
  EXPECT_EQ(fake.received("initialize").size(), 1U);
}

TEST(Reload, ACallInFlightFinishesAlthoughItsServerIsRemoved) {
  FakeServer a = FakeServer::Modern("a");
  FakeServer b = FakeServer::Modern("b");
  Gateway gateway;
  gateway.Serves("a", a).Serves("b", b).Start();
  ModernClient client = gateway.Modern();
  LegacyClient legacy = gateway.Legacy();
  Exchange modern_call = client.BeginCall("b__hold", R"({"label":"x"})");
  Exchange legacy_call = legacy.BeginCall("b__hold", R"({"label":"y"})");
  ASSERT_TRUE(WaitFor(b.surface().Named("started:x")));
  ASSERT_TRUE(WaitFor(b.surface().Named("started:y")));
  gateway.ServesNoMore("b").Reload();
  EXPECT_EQ(client.Call("b__echo").code(), -32602);
  b.surface().Named("release:x").Set();
  b.surface().Named("release:y").Set();
  EXPECT_EQ(modern_call.Finish().text(), "released x");
  EXPECT_EQ(legacy_call.Finish().text(), "released y");
}

TEST(Reload, AChildThatIsRemovedEndsOnceItsCallsHaveFinished) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a).ServesChild("b").Start();
  ModernClient client = gateway.Modern();
  const pid_t pid = PidOf(client, "b");
  ASSERT_GT(pid, 0);
  Exchange call = client.BeginCall("b__hold", R"({"label":"x"})");
  ASSERT_EQ(client.Call("b__await", R"({"event":"started:x"})").text(), "happened");
  Exchange other = client.BeginCall("b__await", R"({"event":"never"})");
  gateway.ServesNoMore("b").Reload();
  EXPECT_EQ(client.Call("b__echo").code(), -32602);
  EXPECT_EQ(::kill(pid, 0), 0);
  client.Cancel(call);
  other.Abandon();
  EXPECT_TRUE(IsGone(pid));
}

TEST(Reload, WhatDidNotChangeIsNotRestarted) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a).ServesChild("b").Start();
  ModernClient client = gateway.Modern();
  const pid_t pid = PidOf(client, "b");
  ASSERT_GT(pid, 0);
  const std::size_t discovers = a.received("server/discover").size();
  Exchange listen = client.Listen(R"("toolsListChanged":true)");
  gateway.ServesChild("b", {}, "tools: {exclude: [die]}").ServesChild("c").Reload();
  EXPECT_EQ(PidOf(client, "b"), pid);
  EXPECT_EQ(a.received("server/discover").size(), discovers);
  EXPECT_TRUE(listen.NextEvent().has_value());
  EXPECT_EQ(client.Call("b__die").code(), -32602);
}

TEST(Reload, AChildWhoseCommandChangedIsReplaced) {
  Gateway gateway;
  gateway.ServesChild("b").Start();
  ModernClient client = gateway.Modern();
  const pid_t before = PidOf(client, "b");
  ASSERT_GT(before, 0);
  gateway.ServesChild("b", {"--noise"}).Reload();
  EXPECT_TRUE(gateway.server().WaitUntilSettled(kPatience));
  EXPECT_TRUE(IsGone(before));
  Exchange listen = client.Listen(R"("toolsListChanged":true)");
  pid_t after = PidOf(client, "b");
  if (after == 0 && listen.NextEvent()) after = PidOf(client, "b");
  EXPECT_NE(after, 0);
  EXPECT_NE(after, before);
}

TEST(Reload, EndpointsComeAndGo) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a).Start();
  EXPECT_EQ(gateway.Modern("/mcp/part").Request({.method = "tools/list"}).status, 404);
  gateway.With("endpoints", "{part: {tools: {include: [a__echo]}}}").Reload();
  EXPECT_EQ(gateway.Modern("/mcp/part").Tools().size(), 1u);
  gateway.With("endpoints", "{}").Reload();
  EXPECT_EQ(gateway.Modern("/mcp/part").Request({.method = "tools/list"}).status, 404);
}

TEST(Reload, SessionsLiveOn) {
  FakeServer a = FakeServer::Modern("a");
  FakeServer b = FakeServer::Modern("b");
  Gateway gateway;
  gateway.Serves("a", a).Start();
  LegacyClient client = gateway.Legacy();
  gateway.Serves("b", b).Reload();
  EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
}

TEST(Reload, PoliciesAreThoseOfTheNewConfiguration) {
  FakeServer a = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", a).Start();
  ModernClient client = gateway.Modern();
  gateway.With("policies", "{timeout: {total: 200ms}}").Reload();
  EXPECT_EQ(client.Call("a__hold", R"({"label":"x"})").code(), -32603);
}

}  // namespace
}  // namespace switchyard::tests
