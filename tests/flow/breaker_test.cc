// Circuit breakers in a whole gateway, before servers that fail, hang, are slow or die in the
// middle of an answer, by a clock that the test moves.
#include <atomic>
#include <memory>
#include <sstream>

#include <gtest/gtest.h>

#include "cli/tools.h"
#include "support/doc_examples.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kTwo =
    "{breaker: {consecutive_failures: 2, open_for: 1h, max_open_for: 10h, per: [tool]}}";
constexpr const char* kArguments = R"({"text":"x"})";

class CircuitBreaker : public ::testing::Test {
 protected:
  void Start(const std::string& policies, const std::string& more = "") {
    gateway.GoesBy(clock).Serves("a", fake, more).With("policies", policies).Start();
  }
  // A tool that does this while `failures` lasts, and then is well.
  void Fails(int times, Handler how) {
    failures = times;
    fake.surface().AddTool("flaky", [this, how = std::move(how)](Turn& turn) {
      if (failures-- > 0) {
        how(turn);
      } else {
        turn.Text("well");
      }
    });
  }
  std::string Flaky() { return TextOf(client().Call("a__flaky")); }
  static std::string TextOf(const Answer& answer) {
    return answer.code() != 0 ? TextAt(answer.message(), "/error/message") : answer.text();
  }
  static bool IsRefusal(const std::string& text) {
    return text.find("circuit breaker open for") != std::string::npos;
  }
  // How many of six calls came to the server.
  std::size_t Reached() {
    for (int i = 0; i < 6; ++i) Flaky();
    return fake.received("tools/call").size();
  }
  ModernClient& client() {
    if (client_ == nullptr) client_ = std::make_unique<ModernClient>(gateway.port(), "/mcp");
    return *client_;
  }

  LeapingClock clock;
  std::atomic<int> failures = 0;
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  std::unique_ptr<ModernClient> client_;
};

void Says(Turn& turn, const std::string& status) {
  turn.Verbatim("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(CircuitBreaker, OpensForAServerThatFailsAndClosesWhenAProbeSucceeds) {
  Fails(2, [](Turn& turn) { Says(turn, "500 Internal Server Error"); });
  Start(kTwo);
  EXPECT_NE(Flaky().find("500"), std::string::npos);
  EXPECT_NE(Flaky().find("500"), std::string::npos);
  const Answer refused = client().Call("a__flaky");
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  EXPECT_TRUE(refused.text().starts_with("tool flaky of server a: circuit breaker open for "))
      << refused;
  const json::value why = refused.at("/result/_meta/switchyard~1error");
  ASSERT_TRUE(why.is_object()) << refused;
  EXPECT_EQ(why.at("state"), json::value("open"));
  EXPECT_GT(why.at("retryAfterMs").as_int64(), 3'500'000);
  EXPECT_LE(why.at("retryAfterMs").as_int64(), 3'600'000);
  EXPECT_EQ(fake.received("tools/call").size(), 2U) << "the server was left alone";
  clock.Advance(milliseconds(why.at("retryAfterMs").as_int64()));
  client().HangUp();
  EXPECT_EQ(Flaky(), "well");
  EXPECT_EQ(Flaky(), "well");
}

TEST_F(CircuitBreaker, WhatItRefusesIsNotRepeated) {
  Fails(100, [](Turn& turn) { turn.Drop(); });
  Start(
      "{breaker: {consecutive_failures: 2, open_for: 1h, max_open_for: 1h}, "
      "retry: {attempts: 9, base: 1ms, cap: 2h, jitter: 0, idempotent: ['*']}}");
  EXPECT_TRUE(IsRefusal(Flaky()));
  EXPECT_EQ(fake.received("tools/call").size(), 2U);
}

TEST_F(CircuitBreaker, StaysOpenTwiceAsLongWhenTheProbeFails) {
  Fails(3, [](Turn& turn) { turn.Drop(); });
  Start(kTwo);
  Reached();
  clock.Advance(hours(1));
  client().HangUp();
  EXPECT_FALSE(IsRefusal(Flaky())) << "a probe";
  clock.Advance(hours(1));
  client().HangUp();
  EXPECT_TRUE(IsRefusal(Flaky()));
  clock.Advance(hours(1));
  client().HangUp();
  EXPECT_EQ(Flaky(), "well");
}

TEST_F(CircuitBreaker, AConnectionThatBreaksInTheMiddleOfAnAnswerCounts) {
  Fails(100, [](Turn& turn) {
    turn.Notify("notifications/message", R"("level":"info","data":"so far")");
    turn.Drop();
  });
  Start(kTwo);
  EXPECT_EQ(Reached(), 2U);
}

TEST_F(CircuitBreaker, AServerThatHangsCountsWhenItsTimeIsOver) {
  Fails(100, [](Turn& turn) { turn.NeverAnswer(); });
  Start(kTwo, "policies: {timeout: {total: 100ms}}");
  EXPECT_EQ(Reached(), 2U);
}

TEST_F(CircuitBreaker, WhatAServerAnswersIsNoFailure) {
  Fails(100, [](Turn& turn) { Says(turn, "429 Too Many Requests"); });
  Start(kTwo);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client().Call("a__refuse", R"({"code":-32603})").code(), -32603);
    EXPECT_EQ(client().Call("a__fail").at("/result/isError"), json::value(true));
  }
  EXPECT_EQ(Reached(), 16U);
}

TEST_F(CircuitBreaker, SlowCallsOpenIt) {
  Start(
      "{breaker: {slow_rate: 1, slow_call: 10s, min_calls: 2, window: 10m, open_for: 1h, "
      "max_open_for: 1h}, timeout: {total: 10m}}");
  for (const std::string label : {"1", "2"}) {
    Exchange held = client().BeginCall("a__hold", R"({"label":")" + label + "\"}");
    ASSERT_TRUE(WaitFor(fake.surface().Named("started:" + label)));
    clock.Advance(seconds(10));
    fake.surface().Named("release:" + label).Set();
    EXPECT_EQ(held.Finish().text(), "released " + label);
  }
  const std::string refused = client().Call("a__echo", kArguments).text();
  EXPECT_TRUE(IsRefusal(refused)) << refused;
  EXPECT_NE(refused.find("at least 100% of the calls within 600s took 10s or more"),
            std::string::npos)
      << refused;
}

TEST_F(CircuitBreaker, IsOneForAllWorkersConnectionsAndReloadsAndTakesNoOtherServerAlong) {
  FakeServer other = FakeServer::Modern("b");
  Fails(100, [](Turn& turn) { turn.Drop(); });
  gateway.Serves("b", other);
  Start("{breaker: {consecutive_failures: 2, open_for: 1h, max_open_for: 1h}}");
  for (int i = 0; i < 10; ++i) gateway.Modern().Call("a__flaky");
  gateway.With("log", "{level: warn}").Reload();
  for (int i = 0; i < 10; ++i) gateway.Modern().Call("a__flaky");
  EXPECT_EQ(fake.received("tools/call").size(), 2U);
  EXPECT_TRUE(IsRefusal(client().Call("a__echo", kArguments).text())) << "it is the server's";
  EXPECT_EQ(client().Call("b__echo", kArguments).text(), "x");
}

TEST_F(CircuitBreaker, HidesWhatItWouldRefuseAndTellsWhoListens) {
  Fails(2, [](Turn& turn) { turn.Drop(); });
  Start(
      "{breaker: {consecutive_failures: 2, open_for: 1h, max_open_for: 1h, per: [tool], "
      "hide: true}}");
  Exchange listen = client().Listen(R"("toolsListChanged":true)");
  EXPECT_TRUE(tests::Contains(client().Tools(), "a__flaky"));
  Flaky();
  Flaky();
  EXPECT_TRUE(listen.NextEvent().has_value());
  const std::vector<std::string> without = client().Tools();
  EXPECT_FALSE(tests::Contains(without, "a__flaky"));
  EXPECT_TRUE(tests::Contains(without, "a__echo"));
  EXPECT_TRUE(IsRefusal(Flaky())) << "who calls it all the same is told why";
  clock.Advance(hours(1));
  client().HangUp();
  EXPECT_TRUE(listen.NextEvent().has_value());
  EXPECT_TRUE(tests::Contains(client().Tools(), "a__flaky"));
  EXPECT_EQ(Flaky(), "well");
}

TEST_F(CircuitBreaker, IsNamedByTheToolsCommand) {
  Fails(2, [](Turn& turn) { turn.Drop(); });
  Start("{breaker: {consecutive_failures: 2, open_for: 1h, max_open_for: 1h}}");
  Exchange listen = client().Listen(R"("toolsListChanged":true)");
  Flaky();
  Flaky();
  fake.surface().RemoveTool("flaky");
  fake.surface().Changed("tools");
  EXPECT_TRUE(listen.NextEvent().has_value()) << "the list was built anew since";
  std::ostringstream out, err;
  const std::string url = "http://127.0.0.1:" + std::to_string(gateway.port()) + "/mcp";
  EXPECT_EQ(cli::RunTools({.where = {.config = "", .url = url}}, out, err), 0) << err.str();
  EXPECT_NE(out.str().find("refused: server a: circuit breaker open since 20"), std::string::npos)
      << out.str();
}

TEST_F(CircuitBreaker, TheExampleOfItsPageDoesWhatItSays) {
  Fails(100, [](Turn& turn) { turn.Drop(); });
  Start(FromPolicyPage("breaker", 0, "policies"));
  EXPECT_EQ(Reached(), 5U);
  clock.Advance(minutes(10));
  client().HangUp();
  EXPECT_FALSE(IsRefusal(Flaky()));
  EXPECT_TRUE(IsRefusal(Flaky()));
}

}  // namespace
}  // namespace switchyard::tests
