// A child process lives at one worker, clients' connections at any.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

class ManyWorkers : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Client> Join() {
    if (GetParam()) return std::make_unique<ModernClient>(gateway.port());
    return std::make_unique<LegacyClient>(gateway.port());
  }

  Gateway gateway;
};

// Long enough for all whose worker is not the child's to move there.
TEST_P(ManyWorkers, AConnectionKeepsItsAnswersInOrderWhileItMoves) {
  gateway.ServesChild("a", {"--era", GetParam() ? "modern" : "legacy"}).Start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(Join());
  for (int round = 0; round < 50; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::string said = std::to_string(round) + " of " + std::to_string(i);
      const Answer answer = clients[i]->Call("a__echo", R"({"text":")" + said + R"("})");
      ASSERT_TRUE(answer.Contains(said)) << said << ": " << answer;
    }
  }
  for (const auto& client : clients) EXPECT_EQ(client->connections(), 1);
  EXPECT_EQ(Join()->Tools(), clients.front()->Tools());
}

// About half of the sessions are opened where the child is not, and used at its worker from then
// on; the permit and the subscription stay where they began.
TEST(ManyWorkersForLong, AWorkerKeepsItsPartOfASessionThatIsInUseAtAnother) {
  using std::chrono::seconds;
  constexpr std::size_t kSessions = 8;
  LeapingClock clock;
  Gateway gateway;
  gateway.GoesBy(clock).ServesChild("a", {"--era", "legacy"}).With("sessions", "{max: 8}").Start();
  std::vector<std::unique_ptr<LegacyClient>> clients;
  const auto call = [](Client& client) { return client.Call("a__echo", R"({"text":"x"})").text(); };
  for (std::size_t i = 0; i < kSessions; ++i) {
    clients.push_back(std::make_unique<LegacyClient>(gateway.port()));
    clients[i]->Request({.method = "logging/setLevel", .members = R"("level":"debug")"});
    clients[i]->Request({.method = "resources/subscribe", .members = R"("uri":"fake://a/one")"});
    for (int hop = 0; hop < 20; ++hop) ASSERT_EQ(call(*clients[i]), "x");
  }
  for (Duration passed{}; passed < std::chrono::hours(2); passed += seconds(50)) {
    // Those that do not come to an end are closed in the next second of their workers' time.
    std::vector<Wire> slow;
    for (int i = 0; i < 4; ++i) slow.push_back(clients[0]->Connect());
    for (Wire& wire : slow) {
      wire.Write(
          "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
          "Expect: 100-continue\r\n\r\n");
      ASSERT_EQ(wire.ReadLine(), "HTTP/1.1 100 Continue");
      ASSERT_EQ(wire.ReadLine(), "");
    }
    for (const auto& client : clients) ASSERT_EQ(call(*client), "x");
    clock.Advance(seconds(50));
    for (Wire& wire : slow) ASSERT_TRUE(wire.WaitForEnd());
  }
  for (const auto& client : clients) EXPECT_EQ(client->connections(), 1);
  EXPECT_EQ(LegacyClient(gateway.port()).initialized().status, 503) << "all permits are held";
  for (const auto& client : clients) {
    for (int i = 0; i < 4; ++i) {  // by new connections, to any worker
      const Answer logged = client->BeginCall("a__log", R"({"level":"info"})").Finish();
      EXPECT_EQ(logged.events.size(), 1U) << logged;
    }
  }
  EXPECT_EQ(clients[0]->Call("a__touch", R"({"uri":"fake://a/one"})").text(), "ok");
  for (const auto& client : clients) {
    Exchange stream = client->OpenStream();
    const std::string event = stream.NextEvent().value_or("none");
    EXPECT_TRUE(event.contains("fake://a/one")) << event;
  }
}

INSTANTIATE_TEST_SUITE_P(Eras, ManyWorkers, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Modern" : "Legacy"; });

}  // namespace
}  // namespace switchyard::tests
