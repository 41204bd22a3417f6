// Servers that fail in the middle of a call: the caller gets a JSON-RPC error, everybody else
// nothing of it, and the next call is served again.
#include "flow/matrix.h"
#include "support/becomes.h"
#include "support/halting_clock.h"
#include "unit/base/log_capture.h"

namespace switchyard::tests {
namespace {

// `total`: of a call; short where a child is only caught by its deadline, for a stray line on a
// shared channel is nobody's answer.
class FaultyServer : public Matrix {
 protected:
  void Begin(const std::string& total = "10s") {
    gateway.With("policies", "{timeout: {total: " + total + "}}");
    Matrix::Begin();
    complaints_expected = true;  // a restarted child knows of none
    if (fake) fake->ExpectComplaints();
  }

  // A server that went down stays on the lists for a while, in which it is back.
  ::testing::AssertionResult Recovers() {
    Answer answer;
    const bool back = Becomes([&] {
      answer = client->Call("a__echo", R"({"text":"back"})");
      return answer.text() == "back";
    });
    if (back) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "still " << answer;
  }

  void ExpectTroubleOfTheServer(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.code(), -32603) << answer;
  }
};

INSTANTIATE_TEST_SUITE_P(All, FaultyServer, AllCombinations(), NameOf);

TEST_P(FaultyServer, DyingInACallIsAnErrorToItsCallerAndTheServerComesBack) {
  Begin();
  ExpectTroubleOfTheServer(client->Call("a__die"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, SayingRubbishIsAnError) {
  Begin("500ms");
  ExpectTroubleOfTheServer(client->Call("a__rubbish"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, AnsweringWithWhatIsNoAnswerIsAnErrorAtOnce) {
  Begin();
  for (const char* rest : {R"("result":null)", R"("error":{"message":"no code"})",
                           R"("result":{},"result":{"content":[]})"}) {
    const Answer answer =
        client->Call("a__invalid", R"({"rest":)" + std::string(Quote(rest)) + "}");
    ExpectTroubleOfTheServer(answer);
    EXPECT_TRUE(answer.Contains("answer is not JSON-RPC: ")) << answer;
  }
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, AnsweringNobodysRequestIsAnError) {
  Begin("500ms");
  ExpectTroubleOfTheServer(client->Call("a__wrong_id"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, ClosingItsSideIsAnError) {
  Begin();
  ExpectTroubleOfTheServer(client->Call("a__half_close"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, AHundredMegabytesWithoutAMessageAreAnErrorAndDoNotFillTheMemory) {
  Begin();
  ExpectTroubleOfTheServer(client->Call("a__endless", R"({"bytes":104857600})"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, AFloodOfNotificationsDoesNotHurt) {
  Begin("60s");  // what so many take under a sanitizer
  const Answer answer = client->Call("a__flood", R"({"count":20000})");
  EXPECT_EQ(answer.text(), "dry again") << answer;
  EXPECT_TRUE(answer.events.empty());
}

TEST_P(FaultyServer, AFloodIsNamedInTheLog) {
  HaltingClock clock;
  const testing::LogCapture log;
  gateway.GoesBy(clock).IsHeard();
  Begin();
  clock.Halt();  // however slow the machine is, they come at once
  EXPECT_EQ(client->Call("a__flood", R"({"count":6000})").text(), "dry again");
  gateway.Stop();
  EXPECT_EQ(log.count("server a floods: "), 1) << log.text();
}

// Of HTTP the line of the call says it.
TEST_P(FaultyServer, AnAnswerToNobodyOnASharedChannelIsNamedInTheLog) {
  if (over_http()) GTEST_SKIP() << "each answer has a channel of its own";
  const testing::LogCapture log;
  gateway.IsHeard();
  Begin("500ms");
  ExpectTroubleOfTheServer(client->Call("a__wrong_id"));
  gateway.Stop();
  EXPECT_EQ(log.count("server a: useless line (1 so far): answer to an unknown id"), 1)
      << log.text();
}

TEST_P(FaultyServer, NeverAnsweringEndsAtTheDeadlineAndIsCancelled) {
  gateway.With("policies", "{timeout: {total: 300ms}}");
  Matrix::Begin();
  complaints_expected = true;
  const Answer answer = client->Call("a__hold", R"({"label":"x"})");
  ExpectTroubleOfTheServer(answer);
  EXPECT_TRUE(Happens("cancelled:x"));
}

TEST_P(FaultyServer, OtherCallsOutliveAFaultyOne) {
  Begin("10s");
  const auto another = NewClient();
  Exchange other = another->BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(Happens("started:x"));
  // a child that dies takes its calls with it; a refusal does not
  const Answer faulty = client->Call(over_http() ? "a__die" : "a__refuse", R"({"code":-32603})");
  ExpectTroubleOfTheServer(faulty);
  Release("x");
  EXPECT_EQ(other.Finish().text(), "released x");
}

}  // namespace
}  // namespace switchyard::tests
