// What budgets count with: money, periods, costs, guesses.
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/budget_calendar.h"
#include "policies/lib/budget_cost.h"
#include "policies/lib/budget_money.h"
#include "policies/lib/budget_words.h"

namespace switchyard::policies {
namespace {

using namespace std::chrono;
using ::testing::HasSubstr;

TEST(BudgetMoney, IsReadExactlyOrNotAtAll) {
  EXPECT_EQ(ParseMicros("5"), 5'000'000);
  EXPECT_EQ(ParseMicros("5.00"), 5'000'000);
  EXPECT_EQ(ParseMicros("0.0025"), 2'500);
  EXPECT_EQ(ParseMicros("0.000001"), 1);
  EXPECT_EQ(ParseMicros("0"), 0);
  EXPECT_EQ(ParseMicros("0.10"), 100'000);
  for (const char* bad : {"", ".", "5.", ".5", "-1", "+1", "1e3", "0.0000001", "1,5", "5 USD",
                          "99999999999999999999", "0x1", "1.2.3", "nan"}) {
    EXPECT_FALSE(ParseMicros(bad)) << bad;
  }
}

TEST(BudgetMoney, OfAServerIsReadAsJsonHasItAndRoundedUp) {
  EXPECT_EQ(ReadMicros("0.0125"), 12'500);
  EXPECT_EQ(ReadMicros("1.25e-2"), 12'500);
  EXPECT_EQ(ReadMicros("2E+1"), 20'000'000);
  EXPECT_EQ(ReadMicros("\"0.5\""), 500'000);
  EXPECT_EQ(ReadMicros("0.00000001"), 1);
  EXPECT_EQ(ReadMicros("1e-900"), 1);
  EXPECT_EQ(ReadMicros("0.1000000000000000055511151231257827"), 100'001);
  EXPECT_EQ(ReadMicros("0e5"), 0);
  for (const char* bad : {"", "-1", "-0.5", "null", "true", "{}", "1e", "1e+-1", "1e300", "\"\"",
                          "1 ", "1e99999999999"}) {
    EXPECT_FALSE(ReadMicros(bad)) << bad;
  }
  EXPECT_EQ(MicrosIn(R"({"a":1,"billing/cost":0.25})", "billing/cost"), 250'000);
  EXPECT_FALSE(MicrosIn(R"({"a":1})", "b"));
  EXPECT_FALSE(MicrosIn("", "b"));
}

TEST(BudgetMoney, IsWrittenAsItIsRead) {
  EXPECT_EQ(MicrosText(5'000'000), "5");
  EXPECT_EQ(MicrosText(250'000), "0.25");
  EXPECT_EQ(MicrosText(1), "0.000001");
  EXPECT_EQ(MicrosText(-1'500'000), "-1.5");
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto micros = static_cast<std::int64_t>(random() % (std::uint64_t{1} << (i % 59 + 1)));
    EXPECT_EQ(ParseMicros(MicrosText(micros)), micros);
    EXPECT_EQ(ReadMicros(MicrosText(micros)), micros);
  }
}

TEST(BudgetCalendar, PeriodsBeginWhereTheCalendarSaysSo) {
  const auto at = [](year_month_day date, seconds time) { return sys_days(date) + time; };
  const WallTime now = at(2026y / November / 22, 23h + 59min + 7s);  // a Sunday
  const auto begin = [&](Calendar calendar, minutes offset = minutes(0)) {
    return UtcText(PeriodAt(calendar, now, offset).begin);
  };
  const auto end = [&](Calendar calendar, minutes offset = minutes(0)) {
    return UtcText(PeriodAt(calendar, now, offset).end);
  };
  EXPECT_EQ(begin(Calendar::kMinute), "2026-11-22T23:59:00Z");
  EXPECT_EQ(end(Calendar::kMinute), "2026-11-23T00:00:00Z");
  EXPECT_EQ(begin(Calendar::kHour), "2026-11-22T23:00:00Z");
  EXPECT_EQ(begin(Calendar::kDay), "2026-11-22T00:00:00Z");
  EXPECT_EQ(begin(Calendar::kWeek), "2026-11-16T00:00:00Z");
  EXPECT_EQ(end(Calendar::kWeek), "2026-11-23T00:00:00Z");
  EXPECT_EQ(begin(Calendar::kMonth), "2026-11-01T00:00:00Z");
  EXPECT_EQ(end(Calendar::kMonth), "2026-12-01T00:00:00Z");
  // An hour east it is Monday already.
  EXPECT_EQ(begin(Calendar::kWeek, hours(1)), "2026-11-22T23:00:00Z");
  EXPECT_EQ(begin(Calendar::kDay, hours(1)), "2026-11-22T23:00:00Z");
  EXPECT_EQ(end(Calendar::kDay, -minutes(330)), "2026-11-23T05:30:00Z");
}

TEST(BudgetCalendar, AnotherOffsetDoesNotBeginAPeriodAnew) {
  const WallTime noon = sys_days(2026y / November / 22) + 12h + 7min;
  for (const Calendar calendar :
       {Calendar::kMinute, Calendar::kHour, Calendar::kDay, Calendar::kWeek, Calendar::kMonth}) {
    const std::int64_t name = PeriodName(calendar, noon, minutes(0));
    EXPECT_EQ(PeriodName(calendar, noon, hours(1)), name);
    EXPECT_EQ(PeriodName(calendar, noon, -hours(5)), name);
    EXPECT_NE(PeriodName(calendar, noon + LongestOf(calendar), hours(1)), name);
  }
  EXPECT_NE(PeriodName(Calendar::kDay, noon, hours(12)), PeriodName(Calendar::kDay, noon, hours(1)))
      << "there it is the next day";
}

TEST(BudgetCalendarProperty, EveryMomentIsInOnePeriodAndTheNextBeginsWhereItEnds) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto calendar = static_cast<Calendar>(random() % 5);
    const minutes offset(static_cast<int>(random() % 2161) - 1080);
    const WallTime now(nanoseconds(static_cast<std::int64_t>(random() >> 2)));
    const Period period = PeriodAt(calendar, now, offset);
    EXPECT_LE(period.begin, now);
    EXPECT_GT(period.end, now);
    EXPECT_LE(period.end - period.begin, LongestOf(calendar));
    EXPECT_EQ(PeriodAt(calendar, period.begin, offset).begin, period.begin);
    EXPECT_EQ(PeriodAt(calendar, period.end, offset).begin, period.end);
    EXPECT_EQ(PeriodAt(calendar, period.end - nanoseconds(1), offset).begin, period.begin);
  }
}

TEST(BudgetCalendar, AnOffsetIsASignHoursAndMinutes) {
  EXPECT_EQ(ParseOffset("+01:00"), minutes(60));
  EXPECT_EQ(ParseOffset("-05:30"), minutes(-330));
  EXPECT_EQ(ParseOffset("Z"), minutes(0));
  for (const char* bad :
       {"", "+1:00", "01:00", "+01:60", "+19:00", "+01:0", "Europe/Berlin", "+0100", "+a1:00"}) {
    EXPECT_FALSE(ParseOffset(bad)) << bad;
  }
}

TEST(BudgetCost, IsTheSumOfItsPartsEachRoundedUp) {
  const Price price{.per_call = 10, .per_1k_in = 3, .per_1k_out = 15, .per_second = 1'000};
  EXPECT_EQ(CostOf({.tokens_in = 1000, .tokens_out = 2000, .milliseconds = 1500}, price),
            10 + 3 + 30 + 1500);
  EXPECT_EQ(CostOf({.tokens_in = 1, .tokens_out = 1, .milliseconds = 1}, price), 10 + 1 + 1 + 1);
  EXPECT_EQ(CostOf({.calls = 0}, price), 0) << "nothing ran";
  EXPECT_EQ(CostOf({.told = 77}, price), 77) << "the server said it";
  EXPECT_EQ(CostOf({.tokens_out = kMostMicros}, {.per_1k_out = kMostMicros}), kMostMicros)
      << "never beyond what can be counted";
}

TEST(BudgetCost, AGuessTakesNoMoreThanAllAndNoLessThanWhatIsSure) {
  const Price price{.per_call = 10, .per_1k_out = 1'000'000};
  EXPECT_EQ(Reservation(Unit::kBytes, {.bytes = 500}, price, 100), 100);
  EXPECT_EQ(Reservation(Unit::kBytes, {.bytes = 50}, price, 100), 50);
  EXPECT_EQ(Reservation(Unit::kMoney, {.tokens_out = 1000}, price, 100), 100);
  EXPECT_EQ(Reservation(Unit::kMoney, {}, price, 5), 10) << "its price is more than all";
  EXPECT_EQ(Reservation(Unit::kTokens, {.tokens_in = 300, .tokens_out = 9}, price, 100), 300);
  EXPECT_EQ(Reservation(Unit::kCalls, {}, price, 100), 1);
  EXPECT_EQ(Reservation(Unit::kMoney, {}, {.meta = "cost"}, 100), 1)
      << "or it would pass where nothing is left";
}

TEST(BudgetCost, WhateverMayCostAnythingAsksForSomething) {
  for (const Price& price : {Price{.per_1k_in = 5}, Price{.per_1k_out = 5}, Price{.per_second = 5},
                             Price{.meta = "cost"}}) {
    EXPECT_EQ(Reservation(Unit::kMoney, {}, price, 100), 1);
    EXPECT_EQ(Reservation(Unit::kMoney, {.told = 0}, price, 100), 1);
  }
  EXPECT_EQ(Reservation(Unit::kMoney, {.told = 9}, {}, 100), 0) << "what is free needs no room";
}

TEST(BudgetLearnt, IsTheLargestOfLate) {
  Learnt learnt;
  EXPECT_EQ(learnt.Guess({}, {}, 0).bytes, Learnt::kBytes) << "of what nobody has seen";
  learnt.Saw({.bytes = 10, .tokens_out = 3, .milliseconds = 7});
  EXPECT_EQ(learnt.Guess({}, {}, 0).bytes, 10);
  learnt.Saw({.bytes = 1'000'000});
  EXPECT_EQ(learnt.Guess({}, {}, 0).bytes, 1'000'000);
  for (int i = 0; i < 200; ++i) learnt.Saw({.bytes = 10});
  EXPECT_EQ(learnt.Guess({}, {}, 0).bytes, 10) << "one odd result is forgotten";
  EXPECT_EQ(learnt.Guess({}, {}, 0).milliseconds, 1) << "never nothing";
  Reserve reserve;
  reserve.bytes = 5;
  reserve.money = 9;
  const Usage set = learnt.Guess(reserve, {}, 4);
  EXPECT_EQ(set.bytes, 5);
  EXPECT_EQ(set.told, 9);
  EXPECT_EQ(set.tokens_in, 4);
  learnt.Saw({.told = 123});
  EXPECT_FALSE(learnt.Guess({}, {}, 0).told) << "no server is asked for prices";
  EXPECT_EQ(learnt.Guess({}, {.meta = "cost"}, 0).told, 123);
}

TEST(BudgetWords, SayWhoseCallsAreCounted) {
  EXPECT_EQ(ScopeOf("policies.budget").words, "all calls");
  EXPECT_EQ(ScopeOf("endpoints.reports.policies.budget").label, "/mcp/reports");
  EXPECT_EQ(ScopeOf("servers.a.policies.budget").words, "calls of server a");
  EXPECT_EQ(ScopeOf("servers.a.tool_policies.get_*.budget").words,
            "calls of tools get_* of server a");
  EXPECT_EQ(ScopeOf("servers.a.tool_policies.get_*.budget").label, "a/get_*");
}

TEST(BudgetWords, AnAmountThatIsMoreThanAllNeverFits) {
  const Error error = BudgetRefusal({.budget = "b",
                                     .unit = Unit::kMoney,
                                     .currency = "EUR",
                                     .limit = 10,
                                     .needed = 11,
                                     .window = "this day",
                                     .scope = "all calls",
                                     .refills = hours(1)});
  EXPECT_THAT(error.message, HasSubstr("0.00001 of 0.00001 EUR left this day"));
  EXPECT_THAT(error.message, HasSubstr("never fits"));
  EXPECT_THAT(error.data, ::testing::Not(HasSubstr("retryAfterMs")));
  EXPECT_THAT(error.data, HasSubstr(R"("retryable":false)"));
  EXPECT_TRUE(error.retryable) << "nothing ran";
  EXPECT_THAT(BudgetRefusal({.budget = "b", .limit = 10, .used = 10, .needed = 1}).data,
              HasSubstr(R"("retryable":true)"));
}

}  // namespace
}  // namespace switchyard::policies
