// budget in a whole gateway, by a clock that the test moves: clients and servers of both eras.
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr const char* kNote = "/result/_meta/switchyard~1budget";
constexpr const char* kWhy = "/result/_meta/switchyard~1error";

class Budgets : public ::testing::TestWithParam<Era> {
 protected:
  Budgets() {
    fake.surface().AddTool("costly", [](Turn& turn) {
      turn.Result(R"("content":[{"type":"text","text":"ok"}],"_meta":{"billing/cost":2.5})");
    });
    fake.surface().AddTool(
        "look", [](Turn& turn) { turn.Text("seen"); }, R"("annotations":{"readOnlyHint":true})");
  }
  void Start(const std::string& budget, const std::string& more = "") {
    // Noon, so that no day ends within a test.
    const auto since = clock.WallNow().time_since_epoch() % hours(24);
    clock.Advance(hours(36) - since);
    gateway.GoesBy(clock).Serves("a", fake);
    gateway.With("policies", "{budget: " + budget + more + "}").Start();
  }
  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path);
  }
  static bool Passes(Client& client, const std::string& tool = "a__echo") {
    return client.Call(tool, R"({"text":"x"})").text() == "x";
  }
  bool ShowsUsed(const std::string& unit, int used) const {
    return Shows(gateway, R"(switchyard_budget_used{budget="b",scope="",unit=")" + unit + "\"} " +
                              std::to_string(used));
  }

  LeapingClock clock;
  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Budgets, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Budgets, ARefusalIsAToolsErrorThatAnAgentCanActOn) {
  Start(
      "{price: {per_call: 2}, budgets: {b: {money: 5, window: 1h, per: tool, alternatives: [a "
      "cheaper tool]}}}");
  const auto client = NewClient();
  EXPECT_TRUE(Passes(*client) && Passes(*client));
  const Answer refused = client->Call("a__echo", R"({"text":"x"})");
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  EXPECT_TRUE(refused.text().starts_with(
      "budget b: 1 of 5 USD left per tool in 1h, and this call needs 2 USD; there is room in 3"))
      << refused;
  EXPECT_TRUE(
      refused.text().ends_with("s; other tools have budgets of their own; instead: a cheaper tool"))
      << refused;
  const json::value why = refused.at(kWhy);
  ASSERT_TRUE(why.is_object()) << refused;
  EXPECT_EQ(why.at("budget"), json::value("b"));
  EXPECT_EQ(why.at("remaining"), json::value(1));
  EXPECT_GT(why.at("retryAfterMs").as_int64(), 3'500'000);
  EXPECT_EQ(fake.received("tools/call").size(), 2U) << "the server was not asked";
  EXPECT_FALSE(client->Call("a__mirror").Contains("budget")) << "the other tool has its own";
  clock.Advance(milliseconds(why.at("retryAfterMs").as_int64()));
  client->HangUp();
  EXPECT_TRUE(Passes(*client));
}

TEST_P(Budgets, ARequestThatIsNoToolsCallGetsAnErrorObject) {
  Start("{budgets: {b: {calls: 1, calendar: day}}}");
  const auto client = NewClient();
  EXPECT_TRUE(Passes(*client));
  const Answer refused =
      client->Request({.method = "prompts/get", .members = R"("name":"a__greet")"});
  EXPECT_EQ(refused.code(), -32603) << refused;
  EXPECT_EQ(refused.at("/error/data/budget"), json::value("b")) << refused;
  EXPECT_TRUE(refused.at("/error/data/resetsAt").is_string()) << refused;
  EXPECT_FALSE(client->Tools().empty()) << "lists are free";
}

TEST_P(Budgets, OfSixtyFourAtOnceOnlyThoseThatFitReachTheServer) {
  Start("{price: {per_call: 0.3}, budgets: {b: {calls: 50, money: 3, window: 1h}}}");
  const auto client = NewClient();
  std::vector<Exchange> calls;
  for (int i = 0; i < 64; ++i) calls.push_back(client->BeginCall("a__echo", R"({"text":"x"})"));
  int passed = 0, refused = 0;
  for (Exchange& call : calls) {
    const Answer answer = call.Finish();
    passed += answer.text() == "x" ? 1 : 0;
    refused += answer.text().starts_with("budget b: ") ? 1 : 0;
  }
  EXPECT_EQ(passed, 10) << "ten times 0.3 is 3";
  EXPECT_EQ(refused, 54);
  EXPECT_EQ(fake.received("tools/call").size(), 10U);
  EXPECT_TRUE(ShowsUsed("money", 3'000'000));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_budget_refused_total{budget="b",scope=""} 54)"));
}

TEST_P(Budgets, WhileCallsAreHeldWhatTheyMayTakeIsTaken) {
  Start("{reserve: {bytes: 400}, budgets: {b: {bytes: 1000, window: 1h, warn_at: 0}}}");
  const auto client = NewClient();
  std::vector<Exchange> held;
  for (const char* label : {"1", "2"}) {
    held.push_back(client->BeginCall("a__hold", R"({"label":")" + std::string(label) + "\"}"));
    ASSERT_TRUE(WaitFor(fake.surface().Named("started:" + std::string(label))));
  }
  EXPECT_TRUE(
      client->Call("a__echo", R"({"text":"x"})")
          .text()
          .starts_with("budget b: 200 of 1000 bytes left in 1h, and this call needs 400 bytes"));
  fake.surface().Named("release:1").Set();
  EXPECT_EQ(held[0].Finish().text(), "released 1");
  EXPECT_TRUE(Passes(*client)) << "settled: it was much less";
  client->Cancel(held[1]);
  ASSERT_TRUE(WaitFor(fake.surface().Named("cancelled:2")));
  EXPECT_TRUE(Passes(*client));
}

TEST_P(Budgets, ACallThatReachedNoServerIsGivenBackAndOneThatBrokeIsNot) {
  Start("{budgets: {b: {calls: 3, window: 1h}}}");
  const auto client = NewClient();
  client->Call("a__die");
  EXPECT_TRUE(ShowsUsed("calls", 1)) << "the server had it";
  client->Call("a__fail");
  EXPECT_TRUE(ShowsUsed("calls", 2)) << "a tool that fails has run";
  fake.Down();
  for (int i = 0; i < 5; ++i) {
    const Answer down = client->Call("a__echo", R"({"text":"x"})");
    EXPECT_FALSE(down.Contains("budget b")) << down;
  }
  fake.ExpectComplaints();
}

TEST_P(Budgets, ACallThatHangsPaysForTheTimeThatItTook) {
  Start(
      "{price: {per_call: 0.5, per_second: 0.01}, reserve: {time: 1s}, budgets: {b: {money: 2, "
      "window: 1h, warn_at: 0}}}");
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__hold", R"({"label":"1"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:1")));
  EXPECT_TRUE(ShowsUsed("money", 510'000));
  clock.Advance(std::chrono::seconds(61));  // longer than any call may take
  EXPECT_FALSE(call.Finish().Contains("released"));
  const auto next = NewClient();
  EXPECT_TRUE(Passes(*next)) << "0.5 and 61 times 0.01, and once more 0.5";
  const Answer refused = next->Call("a__echo", R"({"text":"x"})");
  EXPECT_TRUE(refused.text().starts_with("budget b: 0.3")) << refused;
  fake.ExpectComplaints();
}

TEST_P(Budgets, WhatACallCostsMayBeInItsResult) {
  Start(
      "{price: {meta: billing/cost}, reserve: {money: 2.5}, budgets: {b: {money: 5, window: 1h, "
      "warn_at: 0.5}}}");
  const auto client = NewClient();
  const Answer first = client->Call("a__costly");
  EXPECT_EQ(first.text(), "ok");
  EXPECT_EQ(first.at(std::string(kNote) + "/0/used"), json::value(2.5)) << first;
  EXPECT_EQ(first.at(std::string(kNote) + "/0/remaining"), json::value(2.5)) << first;
  EXPECT_EQ(client->Call("a__costly").text(), "ok");
  EXPECT_TRUE(client->Call("a__costly").text().starts_with("budget b: 0 of 5 USD left"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_budget_warned_total{budget="b",scope=""} 2)"));
}

TEST_P(Budgets, SessionsHaveTheirOwn) {
  Start("{budgets: {b: {calls: 1, window: session}}}");
  const auto one = NewClient();
  const auto other = NewClient();
  EXPECT_TRUE(Passes(*one));
  EXPECT_FALSE(Passes(*one));
  EXPECT_EQ(Passes(*other), GetParam() == Era::kLegacy) << "modern clients have no sessions";
}

TEST_P(Budgets, AReloadKeepsWhatWasSpent) {
  FakeServer other = FakeServer::Modern("m");
  gateway.Serves("m", other);
  Start("{budgets: {b: {calls: 3, window: 1h}}}");
  EXPECT_TRUE(Passes(*NewClient(), "m__echo"));
  EXPECT_TRUE(Passes(*NewClient(), "m__echo"));
  gateway.With("policies", "{budget: {budgets: {b: {calls: 3, window: 1h, warn_at: 0.1}}}}");
  gateway.Reload();
  const Answer last = NewClient()->Call("m__echo", R"({"text":"x"})");
  EXPECT_EQ(last.at(std::string(kNote) + "/0/used"), json::value(3)) << last;
  EXPECT_FALSE(Passes(*NewClient(), "m__echo"));
}

TEST_P(Budgets, AnAnswerFromTheCacheCostsNothingAndSaysNothingOfBudgets) {
  Start("{budgets: {b: {calls: 2, window: 1h, warn_at: 0.1}}}", ", cache: {ttl: 1h}");
  const auto client = NewClient();
  const Answer paid = client->Call("a__look");
  EXPECT_EQ(paid.text(), "seen");
  EXPECT_EQ(paid.at(std::string(kNote) + "/0/used"), json::value(1)) << paid;
  for (int i = 0; i < 5; ++i) {
    const Answer kept = client->Call("a__look");
    EXPECT_EQ(kept.text(), "seen");
    EXPECT_FALSE(kept.Contains("switchyard/budget")) << kept;
  }
  EXPECT_TRUE(Passes(*client));
  EXPECT_FALSE(Passes(*client));
  EXPECT_EQ(client->Call("a__look").text(), "seen") << "what is kept is given all the same";
}

TEST_P(Budgets, TheExampleOfItsPageDoesWhatItSays) {
  Start("{}");
  gateway.With("policies", FromPolicyPage("budget", 0, "policies"));
  gateway.Reload();
  const auto client = NewClient();
  int passed = 0;
  while (passed < 2000 && Passes(*client)) ++passed;
  EXPECT_EQ(passed, 500) << "0.01 USD each, 5 USD a day";
}

}  // namespace
}  // namespace switchyard::tests
