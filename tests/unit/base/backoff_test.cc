#include "base/backoff.h"

#include <gtest/gtest.h>

#include "base/deadline.h"

namespace switchyard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Backoff::Config kConfig{
    .initial = milliseconds(100), .cap = seconds(1), .reset_after = seconds(60)};
constexpr double kAlmostOne = 0.999'999'999;

TEST(Backoff, DoublesUpToItsCap) {
  Backoff backoff(kConfig);
  for (const int expected : {100, 200, 400, 800, 1000, 1000, 1000}) {
    EXPECT_NEAR(static_cast<double>(backoff.Next(kAlmostOne).count()), expected * 1e6, 1e4);
  }
}

TEST(Backoff, WaitsBetweenHalfAndAllOfAStep) {
  EXPECT_EQ(Backoff(kConfig).Next(0), milliseconds(50));
  EXPECT_EQ(Backoff(kConfig).Next(0.5), milliseconds(75));
  EXPECT_LE(Backoff(kConfig).Next(kAlmostOne), milliseconds(100));
}

TEST(Backoff, StartsOverAfterAGoodStretchOnly) {
  Backoff backoff(kConfig);
  backoff.Next(0);
  backoff.Next(0);
  backoff.WasUp(seconds(59));
  EXPECT_EQ(backoff.Next(0), milliseconds(200));
  backoff.WasUp(seconds(60));
  EXPECT_EQ(backoff.Next(0), milliseconds(50));
}

TEST(Deadline, OnlyShrinks) {
  ManualClock clock;
  Deadline deadline;
  EXPECT_TRUE(deadline.never());
  deadline.ShrinkTo(Deadline::In(clock, seconds(2)));
  deadline.ShrinkTo(Deadline::In(clock, seconds(5)));
  deadline.ShrinkTo(Deadline());
  EXPECT_FALSE(deadline.Passed(clock.Now() + seconds(2) - Duration(1)));
  EXPECT_TRUE(deadline.Passed(clock.Now() + seconds(2)));
}

TEST(ManualClock, MovesBothItsTimesAndOnlyWhenTold) {
  ManualClock clock;
  const TimePoint now = clock.Now();
  const auto wall = clock.WallNow();
  EXPECT_EQ(clock.Now(), now);
  clock.Advance(seconds(90));
  EXPECT_EQ(clock.Now() - now, seconds(90));
  EXPECT_EQ(clock.WallNow() - wall, seconds(90));
}

}  // namespace
}  // namespace switchyard
