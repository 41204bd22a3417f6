// fallback in a whole gateway: servers that fail, hang, are refused or are down, and who answers in
// their stead, by a clock that the test moves.
#include <atomic>
#include <memory>

#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using std::chrono::minutes;

constexpr const char* kReads = R"("annotations":{"readOnlyHint":true})";
constexpr const char* kToB = "[{server: b}]";

void Status(Turn& turn, const std::string& line) {
  turn.Verbatim("HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n\r\n");
}
void Break(Turn& turn) { Status(turn, "500 Internal Server Error"); }

// Server a has `find`, which does what the test says; b has one that works, and `search`.
class Fallback : public ::testing::TestWithParam<Era> {
 protected:
  Fallback() {
    a.ExpectComplaints();
    b.surface().AddTool("find", [](Turn& turn) { turn.Text("b's"); }, kReads);
    b.surface().AddTool(
        "search",
        [](Turn& turn) { turn.Text(json::serialize(At(turn.message(), "/params/arguments"))); },
        kReads);
  }
  void Finds(Handler how, const char* hints = kReads) {
    a.surface().AddTool("find", std::move(how), hints);
  }
  // With these alternatives for a's find.
  void Start(const std::string& alternatives, const std::string& more = "",
             const std::string& policies = "{}") {
    gateway.GoesBy(clock).Serves("b", b).With("policies", policies);
    gateway.Serves(
        "a", a, "tool_policies: {find: {fallback: {alternatives: " + alternatives + more + "}}}");
    gateway.Start();
    client = NewClient();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  Answer Find(std::string_view arguments = "{}") { return client->Call("a__find", arguments); }
  std::size_t Calls(const FakeServer& fake) const { return fake.received("tools/call").size(); }
  static std::string Note(const Answer& answer, const std::string& member) {
    return TextAt(answer.message(), "/result/_meta/switchyard~1fallback/" + member);
  }
  bool Counted(const std::string& kind, const std::string& reason) const {
    return Shows(gateway, R"(switchyard_fallback_total{server="a",kind=")" + kind +
                              R"(",reason=")" + reason + R"("} 1)");
  }

  LeapingClock clock;
  FakeServer a = FakeServer::Modern("a");
  FakeServer b = FakeServer::Legacy("b");
  Gateway gateway;
  std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Era, Fallback, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Fallback, AnotherServerAnswersAndTheResultNamesIt) {
  Finds(Break);
  Start(kToB);
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "b's") << answer;
  EXPECT_EQ(Note(answer, "kind"), "server");
  EXPECT_EQ(Note(answer, "from"), "b__find");
  EXPECT_EQ(Note(answer, "because"), "unavailable");
  EXPECT_TRUE(Counted("server", "unavailable"));
}

TEST_P(Fallback, WhatWorksIsNotTouched) {
  Finds([](Turn& turn) { turn.Text("a's"); });
  Start(kToB);
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "a's");
  EXPECT_FALSE(answer.Contains("switchyard/fallback")) << answer;
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, AServerThatHangsIsAnsweredForWhenItsTimeIsOver) {
  Finds([](Turn& turn) { turn.NeverAnswer(); });
  Start(kToB, "", "{timeout: {total: 300ms}}");
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "b's") << answer;
  EXPECT_EQ(Note(answer, "because"), "timeout");
}

TEST_P(Fallback, AnotherToolGetsItsOwnArguments) {
  Finds(Break);
  Start(R"([{tool: b__search, arguments: {q: "{query}", site: "{site}", limit: 5}}])");
  const Answer answer = Find(R"({"query":"x \"y\"","unused":1})");
  EXPECT_EQ(Parse(answer.text()), Parse(R"({"q":"x \"y\"","limit":5})")) << answer;
  EXPECT_EQ(Note(answer, "kind"), "tool");
  EXPECT_EQ(Note(answer, "from"), "b__search");
}

TEST_P(Fallback, AnOpenBreakerIsAReasonAndTheServerIsLeftAlone) {
  Finds(Break);
  Start(kToB, "", "{breaker: {consecutive_failures: 1, open_for: 1h, max_open_for: 1h}}");
  Find();
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "b's") << answer;
  EXPECT_EQ(Note(answer, "because"), "open");
  EXPECT_EQ(Calls(a), 1U);
}

TEST_P(Fallback, AUsedUpRateIsAReasonAndTheAlternativeHasItsOwn) {
  Finds([](Turn& turn) { turn.Text("a's"); });
  Start("[{server: b}, {answer: {text: none left}}]", "",
        "{rate_limit: {rate: 1/h, burst: 1, per: [tool]}}");
  EXPECT_EQ(Find().text(), "a's");
  const Answer second = Find();
  EXPECT_EQ(second.text(), "b's") << second;
  EXPECT_EQ(Note(second, "because"), "rate");
  const Answer third = Find();
  EXPECT_EQ(third.text(), "none left") << "the limit of b's tool is used up, too: " << third;
  EXPECT_EQ(Calls(a) + Calls(b), 2U);
}

TEST_P(Fallback, AnOldAnswerIsMarkedWithItsAge) {
  std::atomic<bool> broken = false;
  Finds([&broken](Turn& turn) { broken ? Break(turn) : turn.Text("a's"); });
  Start("[{stale: 1h}, {answer: {text: too old}}]", "", "{cache: {ttl: 1m, keep_stale: 5h}}");
  EXPECT_EQ(Find(R"({"q":1})").text(), "a's");
  broken = true;
  clock.Advance(minutes(30));
  client = NewClient();
  const Answer old = Find(R"({"q":1})");
  EXPECT_EQ(old.text(), "a's") << old;
  EXPECT_EQ(Note(old, "kind"), "stale");
  const json::value age = old.at("/result/_meta/switchyard~1fallback/ageMs");
  ASSERT_TRUE(age.is_int64()) << old;
  EXPECT_GE(age.as_int64(), 30 * 60 * 1000);
  EXPECT_EQ(Find(R"({"q":2})").text(), "too old") << "of other arguments there is none";
  clock.Advance(minutes(40));
  client = NewClient();
  EXPECT_EQ(Find(R"({"q":1})").text(), "too old");
}

TEST_P(Fallback, WhoCanAnswerIsAskedBeforeAnOldAnswerStandsInForAnError) {
  std::atomic<bool> broken = false, all_broken = false;
  Finds([&](Turn& turn) { broken ? Break(turn) : turn.Text("a's"); });
  b.ExpectComplaints();
  b.surface().AddTool(
      "find", [&](Turn& turn) { all_broken ? Break(turn) : turn.Text("b's"); }, kReads);
  Start("[{server: b}, {answer: {text: fixed}}]", "", "{cache: {ttl: 1s, stale_if_error: 1h}}");
  EXPECT_EQ(Find().text(), "a's");
  broken = true;
  clock.Advance(std::chrono::seconds(2));
  const Answer live = Find();
  EXPECT_EQ(live.text(), "b's") << live;
  EXPECT_EQ(Note(live, "kind"), "server");
  all_broken = true;
  clock.Advance(std::chrono::seconds(2));
  const Answer old = Find();
  EXPECT_EQ(old.text(), "a's") << "before a fixed one: " << old;
  EXPECT_EQ(Note(old, "kind"), "stale");
  EXPECT_EQ(Note(old, "from"), "cache");
  EXPECT_EQ(TextAt(old.message(), "/result/_meta/switchyard~1cache/status"), "stale");
  EXPECT_EQ(Find(R"({"q":2})").text(), "fixed") << "of other arguments there is none";
}

TEST_P(Fallback, WhereNoOtherMayBeAskedAnOldAnswerStandsInAtOnce) {
  std::atomic<bool> broken = false;
  Finds([&](Turn& turn) { broken ? Break(turn) : turn.Text("a's"); });
  Start(kToB, ", on: [timeout]", "{cache: {ttl: 1s, stale_if_error: 1h}}");
  EXPECT_EQ(Find().text(), "a's");
  broken = true;
  clock.Advance(std::chrono::seconds(2));
  const Answer old = Find();
  EXPECT_EQ(old.text(), "a's") << old;
  EXPECT_FALSE(old.Contains("switchyard/fallback")) << old;
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, AnOldAnswerCostsNothingOfARateThatIsUsedUp) {
  Finds([](Turn& turn) { turn.Text("a's"); });
  Start("[{stale: 1h}]", "", "{cache: {ttl: 1m, keep_stale: 1h}, rate_limit: {rate: 1/d}}");
  EXPECT_EQ(Find().text(), "a's");
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "a's") << answer;
  EXPECT_EQ(Note(answer, "because"), "rate");
}

TEST_P(Fallback, AnotherServerAnswersWhenABudgetIsUsedUp) {
  Finds([](Turn& turn) { turn.Text("a's"); });
  gateway.GoesBy(clock).Serves("b", b);
  gateway.Serves("a", a,
                 "tool_policies: {find: {fallback: {alternatives: [{server: b}]}, "
                 "budget: {budgets: {few: {calls: 2, window: 1h}}}}}");
  gateway.Start();
  client = NewClient();
  EXPECT_EQ(Find().text(), "a's");
  EXPECT_EQ(Find().text(), "a's");
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "b's") << answer;
  EXPECT_EQ(Note(answer, "because"), "budget");
  EXPECT_TRUE(Counted("server", "budget"));
  EXPECT_EQ(Calls(a), 2U);
  clock.Advance(std::chrono::hours(2));
  client = NewClient();
  EXPECT_EQ(Find().text(), "a's") << "once there is room again";
}

TEST_P(Fallback, WhenAllFailTheFirstErrorSaysWhatWasTried) {
  Finds(Break);
  b.ExpectComplaints();
  b.surface().AddTool("find", [](Turn& turn) { turn.Error(-32603, "b is broken"); }, kReads);
  Start("[{server: b}, {tool: nowhere__find}, {stale: 1h}]", "", "{cache: {ttl: 1m}}");
  const Answer answer = Find();
  const std::string message = TextAt(answer.message(), "/error/message");
  EXPECT_NE(message.find("500"), std::string::npos) << answer;
  EXPECT_NE(message.find("fallback b__find: b is broken"), std::string::npos) << answer;
  const json::value tried = answer.at("/error/data/fallback");
  ASSERT_TRUE(tried.is_array()) << answer;
  ASSERT_EQ(tried.as_array().size(), 3U) << answer;
  EXPECT_EQ(tried.as_array()[1].at("from"), json::value("nowhere__find"));
  EXPECT_TRUE(Counted("none", "unavailable"));
}

TEST_P(Fallback, AWriterThatMayHaveRunIsNotRunElsewhere) {
  Finds([](Turn& turn) { turn.Drop(); }, "");
  Start(kToB, "", "{retry: {attempts: 0}}");
  const Answer answer = Find();
  EXPECT_NE(answer.code(), 0) << answer;
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, AWriterThatMayHaveRunIsRunElsewhereWhenTheOperatorSaysSo) {
  Finds([](Turn& turn) { turn.Drop(); }, "");
  Start(kToB, ", may_have_run: true");
  EXPECT_EQ(Find().text(), "b's");
}

TEST_P(Fallback, AWriterThatSurelyDidNotRunIsRunElsewhere) {
  Finds(Break, "");
  Start(kToB, "", "{breaker: {consecutive_failures: 1, open_for: 1h, max_open_for: 1h}}");
  EXPECT_NE(Find().code(), 0);
  EXPECT_EQ(Find().text(), "b's") << "the breaker let nothing pass";
}

TEST_P(Fallback, TheCallersOwnMistakesAreAnsweredAsTheyAre) {
  Finds([](Turn& turn) { turn.Error(-32602, "no such field"); });
  Start(kToB);
  EXPECT_EQ(Find().code(), -32602);
  EXPECT_NE(client->Call("a__nothing").code(), 0);
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, OnceSomethingWasDeliveredNobodyElseIsAsked) {
  Finds([](Turn& turn) {
    turn.Progress(1, 2);
    turn.Drop();
  });
  Start(kToB);
  const Answer answer = client->Call("a__find", "{}", R"("progressToken":"p")");
  EXPECT_NE(answer.code(), 0) << answer;
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, AServerThatIsDownKeepsItsToolsInTheListAndIsAnsweredFor) {
  Finds([](Turn& turn) { turn.Text("a's"); });
  Start(kToB);
  a.Down();
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 0)"));
  std::vector<std::string> tools;
  for (int i = 0; i < 100; ++i) {
    client = NewClient();
    tools = client->Tools();
    if (!Contains(tools, "a__echo")) break;
    clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_FALSE(Contains(tools, "a__echo")) << "has nobody in its stead";
  EXPECT_TRUE(Contains(tools, "a__find"));
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "b's") << answer;
  EXPECT_EQ(Note(answer, "because"), "unavailable");
}

TEST_P(Fallback, WhatTheEndpointDoesNotOfferIsNoWayOut) {
  Finds(Break);
  gateway.With("endpoints", "{only: {servers: [a]}}");
  Start(kToB);
  const std::string path = "/mcp/only";
  Answer answer;
  if (GetParam() == Era::kModern) {
    answer = ModernClient(gateway.port(), path).Call("a__find");
  } else {
    answer = LegacyClient(gateway.port(), path).Call("a__find");
  }
  EXPECT_TRUE(answer.Contains("is not offered at present")) << answer;
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, TheAlternativesBreakerAndRetriesAreItsOwn) {
  Finds(Break);
  std::atomic<int> tries = 0;
  b.ExpectComplaints();
  b.surface().AddTool(
      "find", [&tries](Turn& turn) { ++tries == 1 ? Break(turn) : turn.Text("b's"); }, kReads);
  Start(kToB, "", "{retry: {attempts: 2, backoff: immediate}}");
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "b's") << answer;
  EXPECT_EQ(Calls(a), 2U);
  EXPECT_EQ(Calls(b), 2U);
}

TEST_P(Fallback, ArgumentsThatDoNotFitTheAlternativeAreNoAnswer) {
  Finds(Break);
  b.surface().AddTool(
      "strict", [](Turn& turn) { turn.Text("b's"); },
      std::string(kReads) + R"(,"inputSchema":{"type":"object","required":["x"]})");
  Start("[{tool: b__strict, arguments: {y: 1}}, {answer: {text: fixed}}]", "",
        "{validate: {arguments: enforce}}");
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "fixed") << answer;
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, AnAlternativesAlternativesAreNotAsked) {
  Finds(Break);
  b.ExpectComplaints();
  b.surface().AddTool("find", Break, kReads);
  gateway.GoesBy(clock).Serves("b", b,
                               "tool_policies: {find: {fallback: {alternatives: [{server: a}]}}}");
  gateway.Serves("a", a, "tool_policies: {find: {fallback: {alternatives: [{server: b}]}}}");
  gateway.Start();
  client = NewClient();
  EXPECT_NE(Find().code(), 0);
  EXPECT_EQ(Calls(a), 1U);
  EXPECT_EQ(Calls(b), 1U);
}

TEST_P(Fallback, ACallThatIsCancelledIsAnsweredByNobody) {
  Finds([](Turn& turn) {
    turn.surface().Named("began").Set();
    turn.NeverAnswer();
    turn.surface().Named("cancelled").Set();
  });
  Start(kToB);
  Exchange call = client->BeginCall("a__find");
  ASSERT_TRUE(WaitFor(a.surface().Named("began")));
  client->Cancel(call);
  EXPECT_TRUE(WaitFor(a.surface().Named("cancelled")));
  EXPECT_EQ(Calls(b), 0U);
}

TEST_P(Fallback, TheExampleOfItsPageDoesWhatItSays) {
  Finds(Break);
  gateway.GoesBy(clock).Serves("b", b).Serves("a", a);
  gateway.With("policies", FromPolicyPage("fallback", 0, "policies")).Start();
  client = NewClient();
  const Answer answer = Find();
  EXPECT_EQ(answer.text(), "this is not available at present, answer from what you know") << answer;
  EXPECT_EQ(Note(answer, "kind"), "answer");
}

}  // namespace
}  // namespace switchyard::tests
