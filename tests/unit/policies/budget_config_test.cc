// How budgets are read, and what of it makes no sense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/budget_fixture.h"

namespace switchyard::policies {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> ProblemsOf(const std::string& yaml) {
  return testing::ProblemsOf("budget", yaml);
}

TEST(BudgetConfig, MoneyWithoutAPriceIsAProblemThatSaysWhatToDo) {
  EXPECT_THAT(ProblemsOf("{budgets: {daily: {money: 5, calendar: day}}}"),
              ElementsAre(AllOf(HasSubstr("budgets.daily.money"), HasSubstr("no call has a price"),
                                HasSubstr("price: {per_call: 0}"))));
  for (const char* price : {"per_call: 0", "per_1k_in: 0.1", "per_second: 1"}) {
    EXPECT_THAT(ProblemsOf("{price: {" + std::string(price) +
                           "}, budgets: {daily: {money: 5, calendar: day}}}"),
                IsEmpty())
        << price;
  }
}

TEST(BudgetConfig, APriceThatOnlyAnswersSayNeedsSomethingToSetAside) {
  const std::string budgets = "budgets: {daily: {money: 5, calendar: day}}}";
  EXPECT_THAT(ProblemsOf("{price: {meta: cost}, " + budgets),
              ElementsAre(AllOf(HasSubstr("price"), HasSubstr("budget daily: what a call costs"),
                                HasSubstr("set reserve: {money: ...}"))));
  EXPECT_THAT(ProblemsOf("{price: {meta: cost, per_call: 0}, " + budgets),
              ElementsAre(HasSubstr("set reserve")));
  EXPECT_THAT(ProblemsOf("{price: {meta: cost}, reserve: {money: 1}, " + budgets), IsEmpty());
  EXPECT_THAT(ProblemsOf("{price: {meta: cost, per_call: 0.1}, " + budgets), IsEmpty());
  EXPECT_THAT(ProblemsOf("{price: {meta: cost}, budgets: {few: {calls: 5, calendar: day}}}"),
              IsEmpty())
      << "no money is limited";
}

TEST(BudgetConfig, APriceThatNoBudgetCouldPayIsAProblem) {
  EXPECT_THAT(ProblemsOf("{price: {per_call: 6}, budgets: {b: {money: 5, window: 1h}}}"),
              ElementsAre(AllOf(HasSubstr("price: "),
                                HasSubstr("a call costs 6, more than all of budget b (5)"))));
  EXPECT_THAT(ProblemsOf("{price: {per_call: 5}, budgets: {b: {money: 5, window: 1h}}}"),
              IsEmpty());
}

TEST(BudgetConfig, ALimitOfNothingIsAProblem) {
  for (const char* zero : {"calls: 0", "bytes: 0", "tokens: 0", "time: 0s"}) {
    EXPECT_FALSE(ProblemsOf("{budgets: {a: {window: 1h, " + std::string(zero) + "}}}").empty())
        << zero;
  }
  EXPECT_THAT(ProblemsOf("{price: {per_call: 1}, budgets: {a: {window: 1h, money: 0.00}}}"),
              ElementsAre(HasSubstr("must be more than 0")));
  EXPECT_THAT(ProblemsOf("{price: {per_second: 1}, reserve: {money: 0}}"),
              ElementsAre(AllOf(HasSubstr("reserve.money"), HasSubstr("must be more than 0"))));
  EXPECT_THAT(ProblemsOf("{budgets: {a: {window: 1h}}}"),
              ElementsAre(HasSubstr("needs a limit: calls, bytes, tokens, money or time")));
}

TEST(BudgetConfig, ABudgetHasOneWindow) {
  EXPECT_THAT(ProblemsOf("{budgets: {a: {calls: 1}}}"), ElementsAre(HasSubstr("needs a time")));
  EXPECT_THAT(ProblemsOf("{budgets: {a: {calls: 1, window: session, calendar: day}}}"),
              ElementsAre(HasSubstr("window says session, and a budget has one of the two")));
  for (const char* window : {"0s", "999ms", "400d", "day", "24", "-1h"}) {
    EXPECT_THAT(ProblemsOf("{budgets: {a: {calls: 1, window: " + std::string(window) + "}}}"),
                ElementsAre(HasSubstr("must be session or a time from 1s to 366d")))
        << window;
  }
  EXPECT_FALSE(ProblemsOf("{budgets: {a: {calls: 1, calendar: year}}}").empty());
}

TEST(BudgetConfig, WhatMakesNoSenseIsAProblem) {
  EXPECT_FALSE(ProblemsOf("{budgets: {a: {calls: 1, window: 1h, warn_at: 1.5}}}").empty());
  EXPECT_FALSE(ProblemsOf("{budgets: {a: {calls: 1, window: 1h, warn_at: -0.1}}}").empty());
  EXPECT_THAT(ProblemsOf("{budgets: {a: {calls: 1, window: 1h, per: planet}}}"),
              ElementsAre(HasSubstr("planet is none of principal")));
  EXPECT_THAT(ProblemsOf("{budgets: {a: {cals: 1, calls: 1, window: 1h}}}"),
              ElementsAre(HasSubstr("calls")));
  EXPECT_THAT(ProblemsOf("{budgets: {'a b': {calls: 1, window: 1h}}}"),
              ElementsAre(HasSubstr("its name must be")));
  EXPECT_THAT(ProblemsOf("{price: {per_call: 1e-3}}"), ElementsAre(HasSubstr("got 1e-3")));
  EXPECT_THAT(ProblemsOf("{price: {per_cal: 1}}"), ElementsAre(HasSubstr("per_call")));
  EXPECT_THAT(ProblemsOf("utc_offset: Europe/Berlin"), ElementsAre(HasSubstr("+01:00")));
  EXPECT_FALSE(ProblemsOf("on_error: panic").empty());
  EXPECT_THAT(ProblemsOf("currency: 'U S'"), ElementsAre(HasSubstr("currency")));
  EXPECT_THAT(ProblemsOf("methods: [initialize]"), ElementsAre(HasSubstr("is no request")));
  std::string many = "{budgets: {";
  for (int i = 0; i < 9; ++i) {
    many += "b" + std::to_string(i) + ": {calls: 1, bytes: 1KiB, window: 1h},";
  }
  EXPECT_THAT(ProblemsOf(many + "}}"), ElementsAre(HasSubstr("18 limits at once")));
}

class BudgetLevels : public testing::BudgetFixture {};

TEST_F(BudgetLevels, BudgetsOfFartherLevelsHoldToo) {
  const auto outer = Settings("{budgets: {all: {calls: 2, window: 1h}}}");
  const auto policy = Make("{budgets: {few: {calls: 1, window: 1h, per: tool}}}", outer.get());
  EXPECT_TRUE(Passes(policy, Of("", "{}", "read")));
  EXPECT_THAT(Send(policy, Of("", "{}", "read")), HasSubstr("budget few"));
  EXPECT_TRUE(Passes(policy, Of("", "{}", "write")));
  EXPECT_THAT(Send(policy, Of("", "{}", "write")), HasSubstr("budget"));
  EXPECT_THAT(Send(Make("{}", outer.get())), HasSubstr("budget all"));
}

TEST_F(BudgetLevels, ANearerLevelChangesAndTakesAwayByName) {
  const auto outer = Settings("{budgets: {a: {calls: 1, window: 1h}, b: {calls: 5, window: 1h}}}");
  const auto more = Make("{budgets: {a: {calls: 3}}}", outer.get());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Passes(more)) << i;
  EXPECT_THAT(Send(more), HasSubstr("budget a: 0 of 3 calls left in 1h"));
  const auto without = Make("{budgets: {a: {enabled: false}}}", outer.get());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Passes(without)) << i;
  EXPECT_THAT(Send(without), HasSubstr("budget b"));
  const auto off = Make("{enabled: false}", outer.get());
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(Passes(off)) << i;
}

TEST_F(BudgetLevels, APriceOfANearerLevelIsTakenFromTheBudgetOfAFartherOne) {
  const auto outer = Settings("{price: {per_call: 1}, budgets: {all: {money: 10, window: 1h}}}");
  const auto dear = Make("{price: {per_call: 6}}", outer.get(), "nearer");
  const auto cheap = Make("{}", outer.get());
  EXPECT_TRUE(Passes(dear));
  EXPECT_THAT(Send(dear), HasSubstr("4 of 10 USD left in 1h, and this call needs 6 USD"));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Passes(cheap)) << i;
  EXPECT_FALSE(Passes(cheap));
}

TEST_F(BudgetLevels, ABudgetCountsTheCallsOfTheLevelWhereItIsWritten) {
  const auto here = Make("{budgets: {a: {calls: 1, window: 1h}}}", nullptr, "here");
  const auto there = Make("{budgets: {a: {calls: 1, window: 1h}}}", nullptr, "there");
  EXPECT_TRUE(Passes(here));
  EXPECT_TRUE(Passes(there));
  EXPECT_FALSE(Passes(here));
}

TEST_F(BudgetLevels, AReloadKeepsWhatWasSpentAndANewLimitHoldsAtOnce) {
  EXPECT_TRUE(Passes(Make("{budgets: {a: {calls: 2, window: 1h}}}")));
  EXPECT_TRUE(Passes(Make("{budgets: {a: {calls: 2, window: 1h}}}")));
  EXPECT_FALSE(Passes(Make("{budgets: {a: {calls: 2, window: 1h}}}")));
  EXPECT_TRUE(Passes(Make("{budgets: {a: {calls: 3, window: 1h}}}")));
  EXPECT_FALSE(Passes(Make("{budgets: {a: {calls: 3, window: 1h}}}")));
  EXPECT_TRUE(Passes(Make("{budgets: {a: {calls: 3, window: 2h}}}"))) << "another time, anew";
}

TEST_F(BudgetLevels, AnotherOffsetForgivesNothing) {
  clock_.Advance(std::chrono::hours(36) -
                 clock_.WallNow().time_since_epoch() % std::chrono::hours(24));  // noon
  const std::string budgets = "budgets: {a: {calls: 1, calendar: day}}}";
  EXPECT_TRUE(Passes(Make("{" + budgets)));
  EXPECT_FALSE(Passes(Make("{utc_offset: '+02:00', " + budgets)));
  EXPECT_FALSE(Passes(Make("{utc_offset: '-05:30', " + budgets)));
}

}  // namespace
}  // namespace switchyard::policies
