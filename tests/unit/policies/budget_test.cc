// The policy budget: what calls take, what is settled, what clients are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/context_size.h"
#include "policies/lib/token_count.h"
#include "unit/policies/budget_fixture.h"

namespace switchyard::policies {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::AllOf;
using testing::FakeService;
using ::testing::HasSubstr;
using ::testing::Not;

class BudgetPolicy : public testing::BudgetFixture {};

constexpr const char* kTwoCalls = "{budgets: {few: {calls: 2, window: 1h}}}";

TEST_F(BudgetPolicy, CallsPassUntilTheyAreUsedUp) {
  const auto policy = Make(kTwoCalls);
  EXPECT_TRUE(Passes(policy));
  EXPECT_TRUE(Passes(policy));
  EXPECT_EQ(Send(policy),
            "error: budget few: 0 of 2 calls left in 1h, and this call needs 1 call; there is "
            "room in 3824s");
  EXPECT_EQ(service_.calls, 2);
  clock_.Advance(seconds(3824));
  EXPECT_TRUE(Passes(policy));
}

TEST_F(BudgetPolicy, ARefusalTellsAnAgentWhatToDo) {
  const auto policy = Make(
      "{currency: EUR, price: {per_call: 2}, budgets: {daily: {money: 5, calendar: day, per: "
      "[principal, tool], alternatives: [ask a__cheap, wait]}}}");
  EXPECT_TRUE(Passes(policy, Of("ann")));
  EXPECT_TRUE(Passes(policy, Of("ann")));
  const std::string refused = Send(policy, Of("ann"));
  EXPECT_THAT(refused,
              AllOf(HasSubstr("budget daily: 1 of 5 EUR left per principal and tool this day, and "
                              "this call needs 2 EUR; there is room in "),
                    HasSubstr("; other tools have budgets of their own; instead: ask a__cheap; "
                              "wait")));
  EXPECT_EQ(error_.code, Code::kRateLimited);
  EXPECT_TRUE(error_.retryable);
  EXPECT_TRUE(error_.for_agent);
  EXPECT_EQ(Data("budget"), R"("daily")");
  EXPECT_EQ(Data("unit"), R"("money")");
  EXPECT_EQ(Data("limit"), "5");
  EXPECT_EQ(Data("used"), "4");
  EXPECT_EQ(Data("remaining"), "1");
  EXPECT_EQ(Data("needed"), "2");
  EXPECT_EQ(Data("currency"), R"("EUR")");
  EXPECT_EQ(Data("scope"), R"("all calls")");
  EXPECT_EQ(Data("alternatives"), R"(["ask a__cheap","wait"])");
  const auto wait = milliseconds(std::stoll(Data("retryAfterMs")));
  EXPECT_TRUE(Passes(policy, Of("bob"))) << "another caller's is another";
  clock_.Advance(wait - milliseconds(1));
  EXPECT_FALSE(Passes(policy, Of("ann")));
  clock_.Advance(milliseconds(1));
  EXPECT_TRUE(Passes(policy, Of("ann"))) << "exactly then";
}

TEST_F(BudgetPolicy, WhatWasReallyUsedIsSettled) {
  const auto policy = Make("{reserve: {bytes: 600}, budgets: {b: {bytes: 1000, window: 1h}}}");
  Answers(R"({"content":[],"n":1})");  // 20 bytes
  for (int i = 0; i < 21; ++i) EXPECT_TRUE(Passes(policy)) << i;
  EXPECT_THAT(Send(policy), HasSubstr("580 of 1000 bytes left in 1h, and this call needs 600"));
}

TEST_F(BudgetPolicy, AllUnitsAreCounted) {
  const auto used = [this](const std::string& unit) {
    const std::string page = metrics_.Serialize();
    const std::string line = R"(switchyard_budget_used{budget="b",scope="",unit=")" + unit + "\"} ";
    const std::size_t at = page.find(line);
    return at == std::string::npos ? -1 : std::stoll(page.substr(at + line.size()));
  };
  const auto policy = Make(
      "{price: {per_call: 0.01, per_1k_in: 1, per_1k_out: 2, per_second: 0.5}, budgets: {b: "
      "{calls: "
      "100, bytes: 1MiB, tokens: 10000, money: 100, time: 1h, window: 1h}}}");
  Answers(R"({"content":[{"type":"text","text":"one two three"}]})", milliseconds(1500));
  EXPECT_TRUE(Passes(policy, Of("", R"({"q":"four five"})")));
  EXPECT_EQ(used("calls"), 1);
  EXPECT_EQ(used("bytes"), 52);
  EXPECT_EQ(used("time"), 1500);
  const std::int64_t in = TokensOfText(R"({"q":"four five"})", *EstimatedTokens());
  const std::int64_t out =
      TokensOfResult(R"({"content":[{"type":"text","text":"one two three"}]})", *EstimatedTokens());
  EXPECT_EQ(out, TokensOfText("one two three", *EstimatedTokens()) + 4);
  EXPECT_EQ(used("tokens"), in + out);
  EXPECT_EQ(used("money"), 10'000 + in * 1'000 + out * 2'000 + 750'000);
}

TEST_F(BudgetPolicy, TheServersOwnPriceCounts) {
  const auto policy =
      Make("{price: {per_call: 0.5, meta: billing/cost}, budgets: {b: {money: 10, window: 1h}}}");
  Answers(R"({"content":[],"_meta":{"billing/cost":2.5}})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(spent_total{budget="b",scope="",unit="money"} 2500000)"));
  Answers(R"({"content":[]})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(unit="money"} 3000000)")) << "else the table's";
  Answers(R"({"content":[],"_meta":{"billing/cost":-100}})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(unit="money"} 3500000)"))
      << "a server gives no money back";
  Answers(R"({"content":[],"_meta":{"billing/cost":50}})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_FALSE(Passes(policy)) << "what nobody knew before is over the limit, and that is all";
}

TEST_F(BudgetPolicy, WhatReachedNoServerIsGivenBack) {
  const auto policy = Make(
      "{price: {per_call: 1}, budgets: {b: {calls: 2, bytes: 1MiB, money: 2, time: 1h, window: "
      "1h}}}");
  Fails({.code = Code::kUnavailable, .retryable = true, .message = "down"});
  for (int i = 0; i < 9; ++i) EXPECT_THAT(Send(policy), HasSubstr("down"));
  Fails({.code = Code::kInvalid, .origin = Origin::kClient, .message = "no"});
  for (int i = 0; i < 9; ++i) EXPECT_THAT(Send(policy), HasSubstr("error: no"));
  const std::string page = metrics_.Serialize();
  for (const char* unit : {"calls", "bytes", "money", "time"}) {
    EXPECT_THAT(page, HasSubstr("switchyard_budget_used{budget=\"b\",scope=\"\",unit=\"" +
                                std::string(unit) + "\"} 0"));
  }
}

TEST_F(BudgetPolicy, WhatMayHaveRunIsChargedForWhatIsKnown) {
  const auto policy = Make(
      "{price: {per_call: 1, per_second: 1}, reserve: {bytes: 500KiB}, budgets: {b: {calls: 3, "
      "bytes: 1MiB, money: 100, window: 1h}}}");
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    clock_.Advance(seconds(2));
    return Failure(Code::kDeadline, Origin::kServer, "too late");
  };
  EXPECT_THAT(Send(policy), HasSubstr("too late"));
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Broken(Code::kProtocol, "died"));
  };
  EXPECT_THAT(Send(policy), HasSubstr("died"));
  const std::string page = metrics_.Serialize();
  EXPECT_THAT(page, HasSubstr(R"(used{budget="b",scope="",unit="calls"} 2)"));
  EXPECT_THAT(page, HasSubstr(R"(used{budget="b",scope="",unit="bytes"} 0)"));
  EXPECT_THAT(page, HasSubstr(R"(used{budget="b",scope="",unit="money"} 4000000)"));
}

TEST_F(BudgetPolicy, ACancelledCallIsSettled) {
  const auto policy =
      Make("{reserve: {bytes: 900}, budgets: {b: {calls: 9, bytes: 1000, window: 1h}}}");
  service_.hangs = true;
  EXPECT_EQ(Send(policy), "waits");
  EXPECT_THAT(Send(policy), HasSubstr("100 of 1000 bytes left")) << "what is reserved is taken";
  loop_.Drop();
  service_.hangs = false;
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(used{budget="b",scope="",unit="calls"} 2)"));
}

TEST_F(BudgetPolicy, AnAnswerOnAStreamIsSettledAtItsEnd) {
  const auto policy =
      Make("{reserve: {bytes: 900}, budgets: {b: {bytes: 1000, window: 1h, warn_at: 0.01}}}");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Progress(), testing::Answer(R"({"content":[]})"));
  };
  const std::string answer = Send(policy);
  EXPECT_EQ(At(answer, "/result/_meta/switchyard~1budget/0/used"), boost::json::value(14));
  EXPECT_TRUE(Passes(policy));
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Progress());  // and then nothing
  };
  EXPECT_EQ(Send(policy), "waits");
  loop_.Drop();
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(spent_total{budget="b",scope="",unit="bytes"} 28)"));
}

TEST_F(BudgetPolicy, AnErrorOfTheServerIsAnAnswerAndCosts) {
  const auto policy = Make("{budgets: {b: {calls: 1, window: 1h}}}");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::MakeError("7", -32602, "no such thing"));
  };
  EXPECT_THAT(Send(policy), HasSubstr("no such thing"));
  EXPECT_THAT(Send(policy), HasSubstr("budget b"));
}

TEST_F(BudgetPolicy, WhatIsNearlyUsedUpIsSaidInTheAnswer) {
  const auto policy = Make("{budgets: {b: {calls: 4, calendar: day, warn_at: 0.5}}}");
  EXPECT_THAT(Send(policy), Not(HasSubstr("switchyard/budget")));
  const std::string told = Send(policy);
  const auto note = [&told](const std::string& member) {
    return boost::json::serialize(At(told, "/result/_meta/switchyard~1budget/0/" + member));
  };
  EXPECT_EQ(note("budget"), R"("b")");
  EXPECT_EQ(note("unit"), R"("calls")");
  EXPECT_EQ(note("limit"), "4");
  EXPECT_EQ(note("used"), "2");
  EXPECT_EQ(note("remaining"), "2");
  EXPECT_EQ(note("window"), R"("this day")");
  EXPECT_THAT(note("resetsAt"), HasSubstr("T00:00:00Z"));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(budget_warned_total{budget="b",scope=""} 1)"));
  const auto silent = Make("{budgets: {c: {calls: 2, window: 1h, warn_at: 0}}}");
  EXPECT_TRUE(Passes(silent));
  EXPECT_THAT(Send(silent), Not(HasSubstr("switchyard/budget")));
}

TEST_F(BudgetPolicy, TheNoteOfAGatewayBehindStays) {
  const auto policy = Make("{budgets: {b: {calls: 4, window: 1h, warn_at: 0.1}}}");
  Answers(R"({"content":[],"_meta":{"a":1,"switchyard/budget":[{"budget":"theirs"}]}})");
  const std::string told = Send(policy);
  EXPECT_EQ(At(told, "/result/_meta/switchyard~1budget/0/budget"), boost::json::value("b"));
  EXPECT_EQ(At(told, "/result/_meta/switchyard~1budget/1/budget"), boost::json::value("theirs"));
  EXPECT_EQ(At(told, "/result/_meta/a"), boost::json::value(1));
}

TEST_F(BudgetPolicy, ACallTakesOfAllBudgetsOrOfNone) {
  const auto policy = Make(
      "{budgets: {all: {calls: 3, window: 1h}, each: {calls: 1, window: 1h, per: principal}}}");
  EXPECT_TRUE(Passes(policy, Of("ann")));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Send(policy, Of("ann")), HasSubstr("budget each"));
  EXPECT_TRUE(Passes(policy, Of("bob")));
  EXPECT_TRUE(Passes(policy, Of("eve")));
  EXPECT_THAT(Send(policy, Of("kim")), HasSubstr("budget all"));
  EXPECT_THAT(metrics_.Serialize(), AllOf(HasSubstr(R"(refused_total{budget="each",scope=""} 5)"),
                                          HasSubstr(R"(refused_total{budget="all",scope=""} 1)")));
}

TEST_F(BudgetPolicy, OfSeveralThatAreUsedUpTheLastToRefillIsNamed) {
  const auto policy = Make(
      "{budgets: {minute: {calls: 1, calendar: minute}, slow: {calls: 1, window: 1h}, week: "
      "{calls: "
      "5, calendar: week}}}");
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(Send(policy), HasSubstr("budget slow")) << "the minute is over sooner";
  const auto calendar =
      Make("{budgets: {hour: {calls: 1, calendar: hour}, s: {calls: 1, window: 1s}}}");
  EXPECT_TRUE(Passes(calendar));
  EXPECT_THAT(Send(calendar), HasSubstr("budget hour"));
  EXPECT_THAT(Send(calendar), HasSubstr("budget hour")) << "asking took nothing";
  clock_.Advance(minutes(2));
  EXPECT_THAT(Send(calendar), HasSubstr("budget hour"));
  clock_.Advance(hours(17));  // the day ends in seven
  const auto both = Make("{budgets: {day: {calls: 1, calendar: day}, s: {calls: 1, window: 20h}}}");
  EXPECT_TRUE(Passes(both));
  EXPECT_THAT(Send(both), HasSubstr("budget s"));
  EXPECT_THAT(Send(both), HasSubstr("budget s"));
}

TEST_F(BudgetPolicy, SessionsAreToldApart) {
  const auto policy = Make("{budgets: {s: {calls: 1, window: session}}}");
  const auto from = [this](const std::string& session) {
    Call call = Of();
    auto client = std::make_shared<Client>();
    client->session = session;
    call.client = client;
    return call;
  };
  EXPECT_TRUE(Passes(policy, from("1")));
  EXPECT_TRUE(Passes(policy, from("2")));
  EXPECT_THAT(Send(policy, from("1")), HasSubstr("0 of 1 call left per session in this session"));
}

TEST_F(BudgetPolicy, AMillionSessionsLeaveTheirPrincipalsBudgetAloneAndFindRoom) {
  store_limits_.keys = 640;
  const auto policy = Make(
      "{budgets: {month: {calls: 3, calendar: month, per: principal}, s: {calls: 10, window: "
      "session}}}");
  const auto from = [this](int session, const std::string& subject) {
    Call call = Of(subject);
    auto client = std::make_shared<Client>();
    client->session = "session" + std::to_string(session);
    call.client = client;
    return call;
  };
  for (int i = 0; i < 6; ++i) Send(policy, from(-1, "ann"));  // of a session half is used up
  int refused = 0;
  const auto sessions = Make("{budgets: {s: {calls: 10, window: session}}}");
  for (int i = 0; i < 5'000; ++i) {
    Call call = from(i, "");
    refused += loop_.Run(sessions->Handle(call, service_))->has_value() ? 0 : 1;
  }
  EXPECT_EQ(refused, 0) << "whoever comes anew";
  EXPECT_LE(store().stats().counters, 2 * 640U);
  EXPECT_THAT(Send(policy, from(-2, "ann")), HasSubstr("0 of 3 calls left per principal"));
  EXPECT_TRUE(Passes(policy, from(-2, "bob"))) << "there is room for other principals";
}

TEST_F(BudgetPolicy, WhatNoServerDoesCostsNothing) {
  const auto policy = Make("{budgets: {b: {calls: 1, window: 1h}}}");
  for (int i = 0; i < 3; ++i) {
    Call own = Of();
    own.target.server = "";
    EXPECT_TRUE(Passes(policy, std::move(own))) << "a tool of the gateway's own";
    Call forsaken = Of();
    forsaken.forsaken = true;
    EXPECT_TRUE(Passes(policy, std::move(forsaken)));
    Call list;
    list.message = testing::Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{}})");
    list.target.server = "x";
    EXPECT_TRUE(Passes(policy, std::move(list)));
  }
  EXPECT_TRUE(Passes(policy));
  EXPECT_FALSE(Passes(policy));
}

TEST_F(BudgetPolicy, ACallThatBecomesATaskIsChargedWhenItIsMade) {
  const auto policy = Make("{price: {per_call: 1}, budgets: {b: {money: 1, window: 1h}}}");
  Answers(R"({"resultType":"task","task":{"taskId":"t"}})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_FALSE(Passes(policy));
}

TEST_F(BudgetPolicy, AStoreThatHasToBeWaitedForIsAsGood) {
  remote_.emplace(store());
  const auto policy = Make(
      "{reserve: {bytes: 600}, budgets: {b: {calls: 3, bytes: 1000, window: 1h, warn_at: 0.01}}}");
  EXPECT_THAT(Send(policy), HasSubstr("switchyard/budget"));
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Progress(), testing::Answer());
  };
  EXPECT_THAT(Send(policy), HasSubstr("switchyard/budget"));
  service_.hangs = true;
  EXPECT_EQ(Send(policy), "waits");
  loop_.Drop();
  service_.hangs = false;
  EXPECT_THAT(Send(policy), HasSubstr("budget b: 0 of 3 calls left"));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(unit="bytes"} 4)")) << "all were settled";
}

TEST_F(BudgetPolicy, AStoreThatCannotBeAskedStopsCallsUnlessItIsSaid) {
  remote_.emplace(store());
  remote_->down = true;
  EXPECT_THAT(Send(Make(kTwoCalls)),
              HasSubstr("budget few: it cannot be told now what is left, so nothing was called"));
  EXPECT_EQ(error_.code, Code::kUnavailable);
  EXPECT_TRUE(error_.retryable);
  EXPECT_EQ(service_.calls, 0);
  EXPECT_TRUE(Passes(Make("{on_error: allow, budgets: {few: {calls: 2, window: 1h}}}")));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(unknown_total{budget="few",scope=""} 2)"));
}

TEST_F(BudgetPolicy, ACallThatCannotBeSettledIsCountedHoweverItEnds) {
  remote_.emplace(store());
  const auto policy = Make("{budgets: {b: {calls: 9, bytes: 1MiB, window: 1h}}}");
  const auto unsettled = [](int count) {
    return HasSubstr(R"(unknown_total{budget="b",scope=""} )" + std::to_string(count) + "\n");
  };
  const auto goes_down = [this, &policy](auto answer) {
    service_.answer = [this, answer](Call&) -> Result<ReplyPtr> {
      remote_->down = true;  // after it was asked for room
      return answer();
    };
    const std::string text = Send(policy);
    remote_->down = false;
    return text;
  };
  EXPECT_THAT(goes_down([] { return ReplyWith(std::move(**testing::Answer())); }),
              HasSubstr("result"));
  EXPECT_THAT(metrics_.Serialize(), unsettled(1));
  const auto late = [] { return Failure(Code::kDeadline, Origin::kServer, "too late"); };
  EXPECT_THAT(goes_down(late), HasSubstr("too late"));
  EXPECT_THAT(metrics_.Serialize(), unsettled(2));
  const auto dies = [] { return FakeService::Script(testing::Broken(Code::kProtocol, "died")); };
  EXPECT_THAT(goes_down(dies), HasSubstr("died"));
  EXPECT_THAT(metrics_.Serialize(), unsettled(3));
  service_.hangs = true;
  EXPECT_EQ(Send(policy), "waits");
  remote_->down = true;
  loop_.Drop();
  loop_.Run();
  EXPECT_THAT(metrics_.Serialize(), unsettled(4)) << "cancelled";
}

TEST_F(BudgetPolicy, AMillionCallersTakeBoundedMemoryAndNobodyIsForgotten) {
  store_limits_.keys = 640;
  const auto policy = Make("{budgets: {b: {calls: 1, window: 1h, per: principal}}}");
  EXPECT_TRUE(Passes(policy, Of("first")));
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    Call call = Of("caller" + std::to_string(i));
    refused += loop_.Run(policy->Handle(call, service_))->has_value() ? 0 : 1;
  }
  EXPECT_GT(refused, 4'000) << "there is no room for more";
  EXPECT_LE(store().stats().counters, 640U);
  EXPECT_THAT(Send(policy, Of("first")), HasSubstr("0 of 1 call left"));
  clock_.Advance(hours(2));
  EXPECT_TRUE(Passes(policy, Of("somebody else"))) << "what is over makes room";
}

}  // namespace
}  // namespace switchyard::policies
