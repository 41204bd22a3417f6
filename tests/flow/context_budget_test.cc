// context_budget in a whole gateway: a conversation's tools share the model's window, whichever era
// client and server speak.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using std::chrono::minutes;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kReader = "switchyard_read_result";
// 10,000 tokens are for tools; a result takes a quarter of what is left.
constexpr const char* kTenThousand =
    "{context_budget: {total: 11000, reserved: {system: 400, response: 600}, max_fraction: 0.25, "
    "min_available: 1000}}";

std::string Lines(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "a line of words\n";
  return text;
}

class ContextBudget : public ::testing::TestWithParam<Era> {
 protected:
  ContextBudget() {
    for (FakeServer* fake : {&modern, &legacy}) {
      // 20,000 tokens.
      fake->surface().AddTool("log", [](Turn& turn) { turn.Text(Lines(4000)); });
      fake->surface().AddTool("held", [this](Turn& turn) {
        if (turn.Wait(go)) turn.Text(Lines(4000));
      });
    }
  }
  void Start(const std::string& policies, const std::string& of_l = "") {
    gateway.GoesBy(clock)
        .Serves("m", modern)
        .Serves("l", legacy, of_l)
        .With("policies", policies)
        .Start();
  }
  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path);
  }
  static bool IsRefused(const Answer& answer) {
    return answer.text().starts_with("context budget: ");
  }
  // Calls until one is refused.
  void UseUp(Client& client, const std::string& meta = {}) {
    for (int i = 0; i < 40; ++i) {
      const Answer answer = client.Call(i % 2 == 0 ? "m__log" : "l__log", "{}", meta);
      ASSERT_EQ(answer.status, 200) << answer;
      if (IsRefused(answer)) return;
    }
    FAIL() << "no call was refused";
  }
  static std::string Asking(const Answer& cut, int page) {
    const json::value handle = cut.at("/result/_meta/switchyard~1cut/handle");
    return R"({"handle":)" + json::serialize(handle) + R"(,"page":)" + std::to_string(page) + "}";
  }

  LeapingClock clock;
  Event go;
  FakeServer modern = FakeServer::Modern("m"), legacy = FakeServer::Legacy("l");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, ContextBudget, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(ContextBudget, EachResultIsCutToAShareOfWhatIsLeftUntilCallsAreRefused) {
  Start(kTenThousand);
  const auto client = NewClient();
  EXPECT_THAT(client->Tools(), Contains(kReader));
  std::size_t last = 10'000;  // more than a quarter of the window
  for (const char* tool : {"m__log", "l__log", "m__log"}) {
    const Answer answer = client->Call(tool);
    EXPECT_TRUE(Lines(4000).starts_with(answer.text())) << answer;
    EXPECT_LT(answer.text().size(), last);
    EXPECT_GT(answer.text().size(), last / 2);
    EXPECT_THAT(answer.body, HasSubstr("cut to what the context has room for"));
    last = answer.text().size();
  }
  UseUp(*client);
  const std::size_t asked = modern.received("tools/call").size();
  const Answer refused = client->Call("m__log");
  EXPECT_EQ(modern.received("tools/call").size(), asked) << "the server was not asked";
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  EXPECT_THAT(refused.text(), HasSubstr("answer from what is there"));
  const json::value why = refused.at("/result/_meta/switchyard~1error");
  ASSERT_TRUE(why.is_object()) << refused;
  EXPECT_EQ(why.at("budget"), json::value("context"));
  EXPECT_EQ(why.at("total"), json::value(11'000));
  EXPECT_LT(why.at("available").as_int64(), 1000);
  EXPECT_TRUE(IsRefused(client->Call(kReader, R"({"handle":"x"})")));
}

TEST_P(ContextBudget, TheRestIsReadWithTheSameToolAndCounts) {
  Start(kTenThousand);
  const auto client = NewClient();
  const Answer first = client->Call("l__log");
  const Answer second = client->Call(kReader, Asking(first, 2));
  EXPECT_EQ(second.status, 200) << second;
  EXPECT_FALSE(second.text().empty());
  EXPECT_TRUE(Lines(4000).starts_with(first.text() + second.text()));
  for (int i = 0; i < 40; ++i) client->Call(kReader, Asking(first, 2));
  EXPECT_TRUE(IsRefused(client->Call(kReader, Asking(first, 2)))) << "pages count";
}

TEST_P(ContextBudget, PagesOfAServersResultsCountWhereOnlyThatServerIsCounted) {
  Start("{result_cap: {max_tokens: 4000}}", "policies: " + std::string(kTenThousand));
  const auto client = NewClient();
  const Answer first = client->Call("l__log"), free = client->Call("m__log");
  EXPECT_FALSE(IsRefused(client->Call(kReader, Asking(first, 2))));
  for (int i = 0; i < 40; ++i) client->Call(kReader, Asking(first, 2));
  EXPECT_TRUE(IsRefused(client->Call(kReader, Asking(first, 2))));
  EXPECT_TRUE(IsRefused(client->Call("l__log")));
  EXPECT_FALSE(IsRefused(client->Call(kReader, Asking(free, 2)))) << "another server's are free";
}

TEST_P(ContextBudget, WhatResultCapCutIsCutAgainAndStaysWhole) {
  Start("{result_cap: {max_tokens: 4000}, " + std::string(kTenThousand).substr(1));
  const auto client = NewClient();
  const Answer answer = client->Call("m__log");
  EXPECT_THAT(answer.body, HasSubstr("cut to what the context has room for"));
  const std::string key = "\"switchyard/cut\"";
  const std::size_t at = answer.body.find(key);
  ASSERT_NE(at, std::string::npos) << answer;
  EXPECT_EQ(answer.body.find(key, at + 1), std::string::npos) << answer;
  // The cap's own note stands at the end of what it let through.
  const Answer next = client->Call(kReader, Asking(answer, 2));
  EXPECT_TRUE(Lines(4000).starts_with(answer.text() + next.text())) << next;
}

TEST_P(ContextBudget, ConversationsHaveContextsOfTheirOwn) {
  Start(kTenThousand);
  const auto client = NewClient();
  UseUp(*client);
  const std::string named = R"("switchyard/conversation":"chat-2")";
  EXPECT_FALSE(IsRefused(client->Call("m__log", "{}", named)));
  UseUp(*client, named);
  EXPECT_FALSE(IsRefused(client->Call("m__log", "{}", R"("switchyard/conversation":"chat-3")")));
  // A new session is a new context; who has none is known by its name.
  EXPECT_EQ(IsRefused(NewClient()->Call("m__log")), GetParam() == Era::kModern);
}

TEST_P(ContextBudget, IsForgottenAfterItsIdleTime) {
  Start(kTenThousand);
  const auto client = NewClient();
  UseUp(*client);
  clock.Advance(minutes(31));
  client->HangUp();
  const Answer answer = client->Call("m__log");
  EXPECT_FALSE(IsRefused(answer)) << answer;
}

TEST_P(ContextBudget, OutlivesAReload) {
  Start(kTenThousand);
  const auto client = NewClient();
  UseUp(*client);
  gateway.With("log", "{level: error}").Reload();
  EXPECT_TRUE(IsRefused(client->Call("m__log")));
}

TEST_P(ContextBudget, SixtyFourCallsAtOnceTakeNoMoreThanThereIs) {
  Start(kTenThousand);
  const auto client = NewClient();
  std::vector<Exchange> calls;
  calls.reserve(64);
  for (int i = 0; i < 64; ++i) calls.push_back(client->BeginCall("m__held"));
  go.Set();
  std::size_t bytes = 0;
  int cut = 0;
  for (Exchange& call : calls) {
    const Answer answer = call.Finish();
    ASSERT_EQ(answer.status, 200) << answer;
    bytes += answer.text().size();
    cut += answer.body.find("cut to what the context") != std::string::npos ? 1 : 0;
  }
  // "a line of words\n" is 5 tokens in 16 bytes.
  EXPECT_LE(bytes, 10'000U / 5 * 16 + 64 * 300);
  EXPECT_GE(cut, 2);
  const Answer refused = client->Call("m__log");
  EXPECT_TRUE(IsRefused(refused)) << refused;
  const json::value used = refused.at("/result/_meta/switchyard~1error/used");
  EXPECT_LE(used.as_int64(), 10'000);
}

TEST_P(ContextBudget, AnEndpointHasItsOwnAndOthersHaveNone) {
  gateway.With("endpoints", "{small: {policies: " + std::string(kTenThousand) + "}, large: {}}");
  Start("{}");
  const auto small = NewClient("/mcp/small"), large = NewClient("/mcp/large");
  UseUp(*small);
  EXPECT_EQ(large->Call("m__log").text(), Lines(4000));
  EXPECT_THAT(small->Tools(), Contains(kReader));
  EXPECT_THAT(large->Tools(), Not(Contains(kReader)));
}

TEST_P(ContextBudget, AServersResultsMayTakeASmallerShareOfTheSameContext) {
  Start(kTenThousand, "policies: {context_budget: {max_fraction: 0.1, min_available: 2000}}");
  const auto client = NewClient();
  const std::size_t small = client->Call("l__log").text().size();
  EXPECT_LT(small, 1000U / 5 * 16);
  EXPECT_GT(client->Call("m__log").text().size(), 2 * small - 500);
  UseUp(*client);
  EXPECT_TRUE(IsRefused(client->Call("l__log")));
}

TEST_P(ContextBudget, IsSeenInMetricsAndResultsTellWhatIsLeft) {
  Start("{context_budget: {total: 100000, warn_at: 0.001}}");
  const auto client = NewClient();
  const Answer answer = client->Call("m__log");
  const json::value told = answer.at("/result/_meta/switchyard~1context");
  ASSERT_TRUE(told.is_object()) << answer;
  EXPECT_EQ(told.at("total"), json::value(100'000));
  EXPECT_EQ(told.at("used").as_int64() + told.at("available").as_int64(), 100'000 - 6096);
  EXPECT_TRUE(Shows(gateway, R"(switchyard_context_calls_total{server="m",outcome="whole"} 1)"));
}

TEST_P(ContextBudget, CountsOnceWhatTheCallerSentAndGotHoweverManyWereAsked) {
  constexpr const char* kReads = R"("annotations":{"readOnlyHint":true})";
  std::atomic<bool> all_fail = false;
  const auto fails = [](Turn& turn) { turn.Error(-32603, "this does not work at present"); };
  const auto works = [](Turn& turn) { turn.Text("the same words wherever they come from"); };
  for (FakeServer* fake : {&modern, &legacy}) fake->ExpectComplaints();
  modern.surface().AddTool("say", fails, kReads);
  legacy.surface().AddTool(
      "say", [&](Turn& turn) { all_fail ? fails(turn) : works(turn); }, kReads);
  Start(
      "{context_budget: {total: 100000, warn_at: 0.000001}, "
      "fallback: {alternatives: [{server: l}, {answer: {text: fixed}}]}}");
  const auto client = NewClient();
  std::int64_t before = 0;
  const auto used = [&](const std::string& tool) -> std::int64_t {
    const Answer answer = client->Call(tool, R"({"query":"so many words that they show"})");
    const json::value now = answer.at("/result/_meta/switchyard~1context/used");
    EXPECT_TRUE(now.is_int64()) << answer;
    return now.is_int64() ? now.as_int64() - std::exchange(before, now.as_int64()) : 0;
  };
  const std::int64_t once = used("l__say");
  EXPECT_GT(once, 10);
  EXPECT_EQ(used("m__say"), once) << "l answered";
  all_fail = true;
  EXPECT_GT(used("m__say"), 5) << "a fixed answer is read like any other";
}

TEST_P(ContextBudget, PagesOfAStandInsResultCountWhereItsFirstPageDid) {
  modern.ExpectComplaints();
  modern.surface().AddTool("log", [](Turn& turn) { turn.Drop(); });
  gateway.GoesBy(clock)
      .Serves("m", modern,
              "policies: {context_budget: {total: 100000, warn_at: 0.000001, max_fraction: 1}, "
              "fallback: {may_have_run: true, alternatives: [{server: l}]}}")
      .Serves("l", legacy, "policies: {result_cap: {max_tokens: 4000}}")
      .Start();
  const auto client = NewClient();
  const Answer first = client->Call("m__log");
  const auto used = [](const Answer& answer) {
    return answer.at("/result/_meta/switchyard~1context/used");
  };
  ASSERT_TRUE(used(first).is_int64()) << first;
  const Answer second = client->Call(kReader, Asking(first, 2));
  EXPECT_TRUE(Lines(4000).starts_with(first.text() + second.text())) << second;
  ASSERT_TRUE(used(second).is_int64()) << second;
  EXPECT_GT(used(second).as_int64(), used(first).as_int64() + 1000);
}

TEST_P(ContextBudget, TheExampleOfItsPageDoesWhatItSays) {
  Start(FromPolicyPage("context_budget", 0, "policies"));
  const auto client = NewClient();
  EXPECT_EQ(client->Call("m__log").text(), Lines(4000)) << "it is less than 0.3 of what is left";
  UseUp(*client);
  clock.Advance(minutes(31));
  client->HangUp();
  EXPECT_FALSE(IsRefused(client->Call("m__log")));
}

}  // namespace
}  // namespace switchyard::tests
