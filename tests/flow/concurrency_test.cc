// concurrency in a whole gateway, in front of a server that hangs, by a clock that the test moves.
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

TEST(Concurrency, WhoWaitsAndWhoIsInFlightIsSeenInMetrics) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway
      .Serves("a", fake,
              "policies: {concurrency: {max_in_flight: 1, queue: 2}}, "
              "tool_policies: {\"aw*\": {concurrency: {max_in_flight: 3}}}")
      .Start();
  ModernClient client = gateway.Modern();
  Exchange first = client.BeginCall("a__hold", R"({"label":"1"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:1")));
  Exchange second = client.BeginCall("a__hold", R"({"label":"2"})");
  Exchange other = client.BeginCall("a__await", R"({"event":"e"})");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope=""} 1)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_queued{server="a",scope=""} 1)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope="aw*"} 1)"));
  fake.surface().Named("release:1").Set();
  fake.surface().Named("release:2").Set();
  fake.surface().Named("e").Set();
  EXPECT_EQ(first.Finish().text(), "released 1");
  EXPECT_EQ(second.Finish().text(), "released 2");
  EXPECT_EQ(other.Finish().text(), "happened");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope=""} 0)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_queued{server="a",scope=""} 0)"));
}

// One slot at a server whose tool `hangs` takes it for ever.
class Busy : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& concurrency) {
    fake.surface().AddTool("hangs", [](Turn& turn) {
      turn.surface().Named("hanging").Set();
      turn.NeverAnswer();
    });
    gateway.GoesBy(clock)
        .Serves("a", fake)
        .With("policies", "{concurrency: " + concurrency + ", timeout: {total: 1m}}")
        .Start();
    client = NewClient();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  Exchange Hang() {
    Exchange call = client->BeginCall("a__hangs");
    EXPECT_TRUE(WaitFor(fake.surface().Named("hanging")));
    return call;
  }
  bool Waits(int calls) const {
    return Shows(gateway,
                 R"(switchyard_concurrency_queued{server="a",scope=""} )" + std::to_string(calls));
  }
  bool Refused(const std::string& reason) const {
    return Shows(gateway, R"(switchyard_concurrency_refused_total{server="a",scope="",reason=")" +
                              reason + R"("} 1)");
  }
  // Its answer after so long. Once: a second leap would end what begins with the first one, and
  // until when it waits is known of a call that is seen to wait, at the server or for a slot.
  Answer After(Duration time, Exchange& call) {
    clock.Advance(time);
    return call.Finish();
  }
  static std::string Message(const Answer& answer) {
    return TextAt(answer.message(), "/error/message");
  }

  LeapingClock clock;
  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;
  std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Era, Busy, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Busy, WhoFindsNoPlaceInTheQueueIsToldAtOnceWhichServerIsBusy) {
  Start("{max_in_flight: 1, queue: 1, queue_timeout: 40s}");
  Exchange hanging = Hang();
  Exchange waiting = client->BeginCall("a__echo", R"({"text":"waited"})");
  ASSERT_TRUE(Waits(1));
  const Answer refused = client->Call("a__echo", R"({"text":"x"})");
  EXPECT_EQ(refused.status, 200) << refused;
  EXPECT_EQ(refused.code(), -32603) << refused;
  EXPECT_EQ(Message(refused), "server a: busy with 1 calls and 1 waiting, try again in 40s");
  EXPECT_EQ(refused.at("/error/data/retryAfterMs"), json::value(40'000)) << refused;
  EXPECT_TRUE(Refused("queue_full"));
  EXPECT_EQ(fake.received("tools/call").size(), 1U);
  client->Cancel(hanging);
  EXPECT_EQ(waiting.Finish().text(), "waited") << "the slot of who is gone is free";
}

TEST_P(Busy, WhoWaitsTooLongIsToldWhenToComeBack) {
  Start("{max_in_flight: 1, queue: 5, queue_timeout: 10s}");
  Exchange hanging = Hang();
  Exchange waiting = client->BeginCall("a__echo");
  ASSERT_TRUE(Waits(1));
  const Answer late = After(std::chrono::seconds(10), waiting);
  EXPECT_EQ(Message(late), "server a: busy with 1 calls, no slot within 10s, try again in 10s");
  EXPECT_EQ(late.at("/error/data/retryAfterMs"), json::value(10'000)) << late;
  EXPECT_TRUE(Refused("timed_out"));
  EXPECT_EQ(fake.received("tools/call").size(), 1U);
}

TEST_P(Busy, WhenTheServerIsGivenUpWhoWaitsIsServed) {
  Start("{max_in_flight: 1, queue: 5, queue_timeout: 1h}");
  Exchange hanging = Hang();
  Exchange waiting = client->BeginCall("a__echo", R"({"text":"served"})");
  ASSERT_TRUE(Waits(1));
  EXPECT_EQ(Message(After(std::chrono::seconds(61), hanging)), "server a: no answer within 60s");
  EXPECT_EQ(waiting.Finish().text(), "served") << "and its own minute began with the slot";
}

TEST(Concurrency, TheExampleOfItsPageDoesWhatItSays) {
  FakeServer fake = FakeServer::Modern("reports");
  for (const char* name : {"export_all", "look"}) {
    fake.surface().AddTool(name, [](Turn& turn) {
      turn.surface().Named("began:" + turn.label()).Set();
      if (turn.Wait(turn.surface().Named("end"))) turn.Text("ended");
    });
  }
  fake.surface().AddTool("status", [](Turn& turn) { turn.Text("fine"); });
  Gateway gateway;
  gateway.ServesAs("reports", fake, ServerFromPolicyPage("concurrency", 0, "reports"))
      .With("policies", FromPolicyPage("concurrency", 0, "policies"))
      .Start();
  ModernClient client = gateway.Modern();
  const auto labelled = [](int i) { return R"({"label":")" + std::to_string(i) + R"("})"; };
  std::vector<Exchange> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(client.BeginCall("reports__export_all", labelled(i)));
  EXPECT_TRUE(
      Shows(gateway, R"(switchyard_concurrency_queued{server="reports",scope="export_*"} 2)"));
  const Answer refused = client.Call("reports__export_all");
  EXPECT_TRUE(refused.Contains("busy with 1 calls and 2 waiting")) << refused;
  EXPECT_EQ(refused.at("/error/data/retryAfterMs"), json::value(120'000)) << refused;
  for (int i = 10; i < 18; ++i) {
    calls.push_back(client.BeginCall("reports__look", labelled(i)));
    ASSERT_TRUE(WaitFor(fake.surface().Named("began:" + std::to_string(i)))) << i;
  }
  calls.push_back(client.BeginCall("reports__look", labelled(18)));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_queued{server="reports",scope=""} 1)"));
  EXPECT_EQ(client.Call("reports__status").text(), "fine") << "never waits";
  fake.surface().Named("end").Set();
  for (Exchange& call : calls) EXPECT_EQ(call.Finish().text(), "ended");
}

}  // namespace
}  // namespace switchyard::tests
