// timeout in a whole gateway, by a clock that the test moves.
#include <future>
#include <memory>

#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "unit/base/log_capture.h"

namespace switchyard::tests {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The answer of a call whose server is silent. Its time begins when the gateway listens again,
// which nobody sees from outside: it may be on its way there when the clock leaps, then it leaps
// once more when it must have come there. Not sooner: each leap takes from `total`, and from
// others.
Answer AfterSilence(LeapingClock& clock, Duration time, std::future<Answer> answer) {
  do clock.Advance(time);
  while (answer.wait_for(seconds(5)) != std::future_status::ready);
  return answer.get();
}

class Timeouts : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys) {
    // Tells of each step when a test lets it: `step:1`, `step:2`, ...
    fake.surface().AddTool("steps", [](Turn& turn) {
      for (int i = 1;; ++i) {
        turn.surface().Named("waiting:" + std::to_string(i)).Set();
        if (!turn.Wait(turn.surface().Named("step:" + std::to_string(i)))) return;
        if (i == 4) return turn.Text("done");
        turn.Progress(i, 4);
      }
    });
    fake.surface().AddTool("hangs", [](Turn& turn) {
      turn.surface().Named("hanging").Set();
      turn.NeverAnswer();
      turn.surface().Named("cancelled").Set();
    });
    fake.ExpectComplaints();
    gateway.GoesBy(clock).Serves("a", fake, keys).Start();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  Answer AfterSilence(Duration time, Exchange& call) {
    return tests::AfterSilence(clock, time,
                               std::async(std::launch::async, [&call] { return call.Finish(); }));
  }
  void Step(int i, Duration after) {
    ASSERT_TRUE(WaitFor(fake.surface().Named("waiting:" + std::to_string(i))));
    clock.Advance(after);
    fake.surface().Named("step:" + std::to_string(i)).Set();
  }

  LeapingClock clock;
  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Timeouts, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Timeouts, ProgressExtendsIdle) {
  Start("policies: {timeout: {total: 10m, idle: 1m}}");
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__steps", "{}", R"("progressToken":"p")");
  for (int i = 1; i <= 3; ++i) {
    Step(i, seconds(40));
    EXPECT_TRUE(call.NextEvent()) << i;
  }
  Step(4, seconds(40));
  EXPECT_EQ(call.Finish().text(), "done");
}

TEST_P(Timeouts, SilenceEndsACall) {
  Start("policies: {timeout: {total: 0s, idle: 1m}}");
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__steps", "{}", R"("progressToken":"p")");
  Step(1, seconds(40));
  EXPECT_TRUE(call.NextEvent());
  ASSERT_TRUE(WaitFor(fake.surface().Named("waiting:2")));
  const Answer answer = AfterSilence(seconds(61), call);
  EXPECT_TRUE(answer.Contains("server a: no further message for 60s")) << answer;
}

TEST_P(Timeouts, ProgressNeverExtendsTotal) {
  Start("policies: {timeout: {total: 100s, idle: 60s}}");
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__steps", "{}", R"("progressToken":"p")");
  for (int i = 1; i <= 2; ++i) {
    Step(i, seconds(40));
    EXPECT_TRUE(call.NextEvent()) << i;
  }
  ASSERT_TRUE(WaitFor(fake.surface().Named("waiting:3")));
  clock.Advance(seconds(21));
  const Answer answer = call.Finish();
  EXPECT_TRUE(answer.Contains("server a: no answer within 100s")) << answer;
}

TEST_P(Timeouts, AServerThatSaysNothingAtAllIsGivenUpAndTold) {
  Start("policies: {timeout: {idle: 20s}}");
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__hangs");
  ASSERT_TRUE(WaitFor(fake.surface().Named("hanging")));
  clock.Advance(seconds(21));
  const Answer answer = call.Finish();
  EXPECT_TRUE(answer.Contains("server a: no message for 20s")) << answer;
  EXPECT_TRUE(WaitFor(fake.surface().Named("cancelled")));
}

TEST_P(Timeouts, ToolsHaveTheirOwn) {
  Start(
      "tool_policies: {steps: {timeout: {idle: 0s, total: 30m}}}, "
      "policies: {timeout: {idle: 20s}}");
  const auto client = NewClient();
  Exchange steps = client->BeginCall("a__steps");
  Exchange hangs = client->BeginCall("a__hangs");
  ASSERT_TRUE(WaitFor(fake.surface().Named("hanging")));
  ASSERT_TRUE(WaitFor(fake.surface().Named("waiting:1")));
  clock.Advance(seconds(21));
  EXPECT_TRUE(hangs.Finish().Contains("no message for 20s"));
  for (int i = 1; i <= 4; ++i) Step(i, minutes(2));
  EXPECT_EQ(steps.Finish().text(), "done");
}

TEST(TimeoutsOfAChild, SilenceEndsACallAndTheChildServesOn) {
  for (const char* era : {"modern", "legacy"}) {
    LeapingClock clock;
    Gateway gateway;
    gateway.GoesBy(clock)
        .ServesChild("a", {"--era", era}, "policies: {timeout: {idle: 20s}}")
        .Start();
    ModernClient client = gateway.Modern();
    std::future<Answer> held = std::async(
        std::launch::async, [&] { return gateway.Modern().Call("a__hold", R"({"label":"1"})"); });
    ASSERT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope=""} 1)"));
    const Answer answer = AfterSilence(clock, seconds(21), std::move(held));
    EXPECT_TRUE(answer.Contains("server a: no message for 20s")) << era << ": " << answer;
    const Answer after = client.Call("a__echo", R"({"text":"x"})");
    EXPECT_EQ(after.text(), "x") << era << ": " << after;
  }
}

TEST_P(Timeouts, TheExampleOfItsPageDoesWhatItSays) {
  fake.surface().AddTool("build_all", [](Turn& turn) {
    for (int i = 1; i <= 4; ++i) {
      turn.surface().Named("waiting:" + std::to_string(i)).Set();
      if (!turn.Wait(turn.surface().Named("step:" + std::to_string(i)))) return;
      turn.Progress(i, 4);
    }
    turn.surface().Named("silent").Set();
    turn.NeverAnswer();
  });
  fake.surface().AddTool("hangs", [](Turn& turn) {
    turn.surface().Named("hanging").Set();
    turn.NeverAnswer();
  });
  fake.ExpectComplaints();
  gateway.GoesBy(clock)
      .ServesAs("builds", fake, ServerFromPolicyPage("timeout", 0, "builds"))
      .With("policies", FromPolicyPage("timeout", 0, "policies"))
      .Start();
  const auto message = [](const Answer& answer) {
    return TextAt(answer.message(), "/error/message");
  };
  const auto client = NewClient();
  Exchange building = client->BeginCall("builds__build_all", "{}", R"("progressToken":"p")");
  for (int i = 1; i <= 4; ++i) {  // longer than the server's 30 s
    Step(i, seconds(15));
    EXPECT_TRUE(building.NextEvent()) << i;
  }
  ASSERT_TRUE(WaitFor(fake.surface().Named("silent")));
  EXPECT_EQ(message(AfterSilence(seconds(21), building)),
            "server builds: no further message for 20s");
  Exchange hanging = client->BeginCall("builds__hangs");
  ASSERT_TRUE(WaitFor(fake.surface().Named("hanging")));
  clock.Advance(seconds(31));
  EXPECT_EQ(message(hanging.Finish()), "server builds: no answer within 30s");
}

TEST(AStoppingGateway, IsNotHeldUpByTheTimersOfItsPolicies) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake, "policies: {timeout: {total: 2h, idle: 1h}}").Start();
  ModernClient client = gateway.Modern();
  EXPECT_EQ(client.Call("a__echo", R"({"text":"hello"})").text(), "hello");
  client.HangUp();
  const testing::LogCapture log;
  gateway.Stop();
  EXPECT_EQ(log.count("did not end in time"), 0) << log.text();
}

}  // namespace
}  // namespace switchyard::tests
