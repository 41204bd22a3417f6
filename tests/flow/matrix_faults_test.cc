// Servers that fail in the middle of a call: the caller gets a JSON-RPC error, everybody else
// nothing of it, and the next call is served again.
#include "flow/matrix.h"

namespace switchyard::tests {
namespace {

// `policies`: a short total, so that what would wait for a deadline does not wait for long.
class FaultyServer : public Matrix {
 protected:
  void Begin() {
    gateway.With("policies", "{timeout: {total: 2s}}");
    Matrix::Begin();
    complaints_expected = true;  // a restarted child knows of none
    if (fake) fake->ExpectComplaints();
    changes_.emplace(gateway.Modern().Listen(R"("toolsListChanged":true)"));
  }

  // A server that went down is taken off the lists and put there again when it is back.
  bool Recovers() {
    for (int changes = 0; changes < 4; ++changes) {
      if (client->Call("a__echo", R"({"text":"back"})").text() == "back") return true;
      if (!changes_->NextEvent()) return false;
    }
    return false;
  }

  void ExpectTroubleOfTheServer(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.code(), -32603) << answer;
  }

 private:
  std::optional<Exchange> changes_;
};

INSTANTIATE_TEST_SUITE_P(All, FaultyServer, AllCombinations(), NameOf);

TEST_P(FaultyServer, DyingInACallIsAnErrorToItsCallerAndTheServerComesBack) {
  Begin();
  ExpectTroubleOfTheServer(client->Call("a__die"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, SayingRubbishIsAnError) {
  Begin();
  ExpectTroubleOfTheServer(client->Call("a__rubbish"));
  EXPECT_TRUE(Recovers());
}

TEST_P(FaultyServer, AnsweringNobodysRequestIsAnError) {
  Begin();
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
  Begin();
  const Answer answer = client->Call("a__flood", R"({"count":20000})");
  EXPECT_EQ(answer.text(), "dry again") << answer;
  EXPECT_TRUE(answer.events.empty());
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
  Begin();
  if (!over_http()) GTEST_SKIP() << "a child that dies takes its calls with it";
  Exchange other = NewClient()->BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(Happens("started:x"));
  ExpectTroubleOfTheServer(client->Call("a__die"));
  Release("x");
  EXPECT_EQ(other.Finish().text(), "released x");
}

}  // namespace
}  // namespace switchyard::tests
