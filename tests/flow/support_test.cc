// The fakes and clients against each other, without a gateway between: what they say of the gateway
// is only worth something if they agree.
#include <gtest/gtest.h>

#include "support/client.h"
#include "support/fake_server.h"
#include "support/standard_tools.h"

namespace switchyard::tests {
namespace {

TEST(TheFakes, AModernClientListsAndCallsAModernServer) {
  FakeServer fake = FakeServer::Modern("a");
  ModernClient client(fake.port());
  EXPECT_EQ(client.Call("echo", R"({"text":"x"})").text(), "x");
  const std::vector<std::string> tools = client.Tools();
  EXPECT_EQ(std::ranges::count(tools, "hold"), 1);
  EXPECT_GT(tools.size(), 20u);
  EXPECT_TRUE(client.Call("exact").Contains(kExactContent));
}

TEST(TheFakes, ALegacyClientListsAndCallsALegacyServer) {
  FakeServer fake = FakeServer::Legacy("a");
  LegacyClient client(fake.port());
  EXPECT_EQ(client.Call("echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(client.List("resources/list", "resources").size(), 3u);
  EXPECT_EQ(client.EndSession().status, 200);
  EXPECT_EQ(client.Call("echo").status, 404);
}

TEST(TheFakes, AServerSeesThatAModernClientLeft) {
  FakeServer fake = FakeServer::Modern("a");
  ModernClient client(fake.port());
  Exchange held = client.BeginCall("hold", R"({"label":"l"})");
  EXPECT_EQ(client.Call("await", R"({"event":"started:l"})").text(), "happened");
  client.Cancel(held);
  EXPECT_EQ(client.Call("await", R"({"event":"cancelled:l"})").text(), "happened");
}

TEST(TheFakes, AServerHearsThatALegacyClientCancelled) {
  FakeServer fake = FakeServer::Legacy("a");
  LegacyClient client(fake.port());
  Exchange held = client.BeginCall("hold", R"({"label":"l"})");
  EXPECT_EQ(client.Call("await", R"({"event":"started:l"})").text(), "happened");
  client.Cancel(held);
  EXPECT_EQ(client.Call("await", R"({"event":"cancelled:l"})").text(), "happened");
  EXPECT_EQ(held.Finish().body, "");
}

TEST(TheFakes, ProgressComesBeforeTheAnswer) {
  FakeServer fake = FakeServer::Modern("a");
  ModernClient client(fake.port());
  const Answer answer = client.Call("progress", R"({"steps":3})", R"("progressToken":"p")");
  EXPECT_EQ(answer.events.size(), 3u);
  EXPECT_EQ(TextAt(Parse(answer.events.at(0)), "/params/progressToken"), "p");
  EXPECT_EQ(answer.text(), "done");
}

TEST(TheFakes, ChangesAreToldToListenersOfBothEras) {
  for (const Era era : {Era::kModern, Era::kLegacy}) {
    FakeServer fake = era == Era::kModern ? FakeServer::Modern() : FakeServer::Legacy();
    ModernClient modern(fake.port());
    std::optional<LegacyClient> legacy;
    if (era == Era::kLegacy) legacy.emplace(fake.port());
    Exchange stream = legacy ? legacy->OpenStream() : modern.Listen(R"("toolsListChanged":true)");
    ASSERT_TRUE(WaitFor(fake.surface().Named("listening")));
    fake.surface().Changed("tools");
    EXPECT_EQ(TextAt(Parse(stream.NextEvent().value_or("")), "/method"),
              "notifications/tools/list_changed");
  }
}

TEST(TheFakes, AServerComplainsOfWhatAClientMustNotSend) {
  FakeServer fake = FakeServer::Modern("a");
  fake.ExpectComplaints();
  ModernClient client(fake.port());
  client.Request({.method = "tools/list", .headers = {{"mcp-method", "tools/call"}}});
  EXPECT_EQ(fake.surface().complaints().size(), 1u);
}

TEST(TheFakes, AServerThatIsDownRefusesAndComesBackAtItsPort) {
  FakeServer fake = FakeServer::Modern("a", FakeServer::Start::kDown);
  ModernClient client(fake.port());
  EXPECT_EQ(client.Call("echo").status, 0);
  fake.Up();
  EXPECT_EQ(client.Call("echo").status, 200);
  fake.Down();
  EXPECT_EQ(client.Call("echo").status, 0);
}

TEST(TheFakes, AServerCanDieAndForgetSessions) {
  FakeServer fake = FakeServer::Legacy("a");
  LegacyClient client(fake.port());
  EXPECT_EQ(client.Call("die").status, 0);
  EXPECT_EQ(client.Call("echo").status, 200);
  fake.ForgetSessions();
  EXPECT_EQ(client.Call("echo").status, 404);
}

}  // namespace
}  // namespace switchyard::tests
