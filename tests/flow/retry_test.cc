// retry in a whole gateway: servers that fail some times and then answer, refuse, hang and die, by
// a clock that the test moves.
#include <atomic>
#include <future>
#include <memory>

#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr const char* kReads = R"("annotations":{"readOnlyHint":true})";

class Retry : public ::testing::TestWithParam<Era> {
 protected:
  Retry() { fake.ExpectComplaints(); }

  void Start(const std::string& policies) {
    gateway.GoesBy(clock).Serves("a", fake).With("policies", policies).Start();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  // Fails in this way so often; then answers "well".
  void AddTool(const std::string& name, int fails, Handler how, const char* hints = kReads) {
    fake.surface().AddTool(
        name,
        [this, fails, how = std::move(how)](Turn& turn) {
          if (++tries <= fails) return how(turn);
          turn.Text("well");
        },
        hints);
  }
  static void Status(Turn& turn, const std::string& line, const std::string& headers = "") {
    turn.Verbatim("HTTP/1.1 " + line + "\r\n" + headers + "Content-Length: 0\r\n\r\n");
  }
  // While the clock runs as fast as it takes.
  Answer Call(const std::string& tool, const std::string& meta = {}) {
    const auto client = NewClient();
    std::future<Answer> answer =
        std::async(std::launch::async, [&] { return client->Call("a__" + tool, "{}", meta); });
    for (int i = 0; i < 400; ++i) {
      if (answer.wait_for(std::chrono::milliseconds(10)) == std::future_status::ready) break;
      clock.Advance(step);
    }
    return answer.get();
  }

  LeapingClock clock;
  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;
  std::atomic<int> tries{0};
  Duration step = seconds(1);
};

INSTANTIATE_TEST_SUITE_P(Era, Retry, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Retry, AServerThatFailsTwiceAndThenAnswersIsNotSeenToFail) {
  AddTool("get", 2, [](Turn& turn) { Status(turn, "500 Internal Server Error"); });
  Start("{retry: {attempts: 3}}");
  const Answer answer = Call("get");
  EXPECT_EQ(answer.text(), "well") << answer;
  EXPECT_EQ(answer.at("/result/_meta/switchyard~1attempts"), json::value(3)) << answer;
  EXPECT_EQ(tries, 3);
}

TEST_P(Retry, AServerThatDiesBeforeItsAnswerIsAskedAgain) {
  AddTool("get", 1, [](Turn& turn) { turn.Drop(); });
  Start("{retry: {}}");
  EXPECT_EQ(Call("get").text(), "well");
}

TEST_P(Retry, AToolThatMustNotRunTwiceIsNotRepeatedOnceItWasSent) {
  AddTool("pay", 1, [](Turn& turn) { turn.Drop(); }, "");
  Start("{retry: {}}");
  const Answer answer = Call("pay");
  EXPECT_TRUE(answer.Contains("whether it ran is unknown, so it was not repeated")) << answer;
  EXPECT_EQ(answer.at("/error/data/outcome"), json::value("unknown")) << answer;
  EXPECT_EQ(answer.at("/error/data/retryable"), json::value(false)) << answer;
  EXPECT_EQ(tries, 1);
}

TEST_P(Retry, AKeyOfTheClientMakesItRepeatableAndReachesTheServerEachTime) {
  AddTool("pay", 1, [](Turn& turn) { turn.Drop(); }, "");
  Start("{retry: {}}");
  EXPECT_EQ(Call("pay", R"("idempotencyKey":"order-7")").text(), "well");
  const auto calls = fake.received("tools/call");
  ASSERT_EQ(calls.size(), 2U);
  for (const auto& call : calls) {
    EXPECT_EQ(TextAt(call.message, "/params/_meta/idempotencyKey"), "order-7");
  }
}

TEST_P(Retry, AServerThatIsBusyIsLeftAloneForAsLongAsItAsks) {
  AddTool(
      "pay", 1, [](Turn& turn) { Status(turn, "429 Too Many Requests", "Retry-After: 8\r\n"); },
      "");
  Start("{retry: {base: 1ms}}");
  step = seconds(1);
  const TimePoint begin = clock.Now();
  EXPECT_EQ(Call("pay").text(), "well") << "429 says that it did not run";
  EXPECT_GE(clock.Now() - begin, seconds(8));
}

TEST_P(Retry, AServerThatAsksForMoreTimeThanTheCapIsNotAskedAgain) {
  AddTool("get", 9,
          [](Turn& turn) { Status(turn, "503 Service Unavailable", "Retry-After: 60\r\n"); });
  Start("{retry: {cap: 5s}}");
  const Answer answer = Call("get");
  EXPECT_TRUE(answer.Contains("it is to be left alone for 60s, retry.cap is 5s")) << answer;
  EXPECT_EQ(answer.at("/error/data/retryAfterMs"), json::value(60000)) << answer;
  EXPECT_EQ(answer.at("/error/data/status"), json::value(503)) << answer;
  EXPECT_EQ(tries, 1);
}

TEST_P(Retry, AServerThatHangsIsAskedAgainWhenTheAttemptHadItsTime) {
  AddTool("get", 1, [](Turn& turn) { turn.NeverAnswer(); });
  Start("{retry: {}, timeout: {total: 30s}}");
  const Answer answer = Call("get");
  EXPECT_EQ(answer.text(), "well") << answer;
  EXPECT_EQ(tries, 2);
}

TEST_P(Retry, AnAnswerThatBeganIsNotRepeated) {
  AddTool("get", 9, [](Turn& turn) {
    turn.Progress(1, 2);
    turn.Drop();
  });
  Start("{retry: {}}");
  const Answer answer = Call("get", R"("progressToken":"p")");
  EXPECT_EQ(answer.events.size(), 1U) << answer;
  EXPECT_TRUE(answer.Contains("a part of its answer had come")) << answer;
  EXPECT_EQ(tries, 1);
}

TEST_P(Retry, AnErrorObjectOfTheServerIsAnAnswer) {
  AddTool("get", 9, [](Turn& turn) { turn.Error(-32000, "no", R"({"x":1})"); });
  Start("{retry: {}}");
  EXPECT_EQ(Call("get").code(), -32000);
  EXPECT_EQ(tries, 1);
}

TEST_P(Retry, ABudgetStopsAStormAlsoAcrossAReload) {
  AddTool("get", 1'000'000, [](Turn& turn) { Status(turn, "500 Internal Server Error"); });
  Start("{retry: {attempts: 10, backoff: immediate, budget: 0, budget_min: 4}}");
  step = Duration::zero();
  Call("get");
  EXPECT_EQ(tries, 1 + 4);
  gateway.Reload();
  const Answer answer = Call("get");
  EXPECT_TRUE(answer.Contains("the retry budget of the server is used up")) << answer;
  EXPECT_EQ(tries, 1 + 4 + 1);
}

TEST_P(Retry, TheExampleOfItsPageDoesWhatItSays) {
  AddTool("get_report", 3, [](Turn& turn) { turn.Drop(); }, "");
  AddTool("send_mail", 3, [](Turn& turn) { turn.Drop(); }, kReads);
  Start(FromPolicyPage("retry", 0, "policies"));
  EXPECT_EQ(Call("get_report").text(), "well");
  EXPECT_EQ(tries, 4);
  tries = 0;
  EXPECT_TRUE(Call("send_mail").Contains("retry.never has it"));
  EXPECT_EQ(tries, 1);
}

TEST(RetryOfAChild, ACallThatFindsItDownIsAnsweredWhenItIsBackAndADeathIsNotRepeated) {
  LeapingClock clock;
  Gateway gateway;
  gateway.GoesBy(clock)
      .ServesChild("a")
      .With("policies", "{retry: {attempts: 50, base: 1s, cap: 2s, budget_min: 100}}")
      .Start();
  ModernClient client = gateway.Modern();
  const Answer dead = client.Call("a__die");
  EXPECT_TRUE(dead.Contains("whether it ran is unknown, so it was not repeated")) << dead;
  std::future<Answer> answer = std::async(
      std::launch::async, [&] { return gateway.Modern().Call("a__echo", R"({"text":"x"})"); });
  while (answer.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    clock.Advance(std::chrono::milliseconds(500));
  }
  const Answer back = answer.get();
  EXPECT_EQ(back.text(), "x") << back;
}

}  // namespace
}  // namespace switchyard::tests
