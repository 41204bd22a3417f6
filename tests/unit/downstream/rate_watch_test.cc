#include "downstream/rate_watch.h"

#include <chrono>

#include <gtest/gtest.h>

namespace switchyard::downstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct RateWatchTest : ::testing::Test {
  bool Say(std::int64_t count) { return watch.Add(count, now); }

  RateWatch watch{{.per_second = 100, .burst = 200, .lasts = seconds(3)}};
  TimePoint now{};
};

TEST_F(RateWatchTest, WhatIsTooFastCountsWhenItLasts) {
  for (int tenth = 0; tenth < 30; ++tenth) {
    EXPECT_FALSE(Say(tenth == 0 ? 300 : 20)) << tenth;
    now += milliseconds(100);
  }
  EXPECT_TRUE(Say(20)) << "three seconds after it began";
}

TEST_F(RateWatchTest, ABurstIsForgivenHoweverBig) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(Say(1'000'000)) << i;
    now += seconds(2);
  }
}

TEST_F(RateWatchTest, BurstsThatComeTooOftenAreNot) {
  bool over = false;
  for (int i = 0; i < 6; ++i) {
    over = Say(1000);
    now += seconds(1);
  }
  EXPECT_TRUE(over);
}

TEST_F(RateWatchTest, TheRateItselfIsFineForEver) {
  EXPECT_FALSE(Say(200));
  for (int i = 0; i < 10'000; ++i) {
    now += milliseconds(99);
    EXPECT_FALSE(Say(9)) << i;
  }
}

TEST_F(RateWatchTest, SaysItsLimit) { EXPECT_EQ(watch.limit().ToText(), "100 a second for 3 s"); }

}  // namespace
}  // namespace switchyard::downstream
