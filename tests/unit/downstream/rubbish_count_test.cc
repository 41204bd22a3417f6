#include "downstream/rubbish_count.h"

#include <chrono>

#include <gtest/gtest.h>

namespace switchyard::downstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RubbishCount, TheLogHasTheFirstAndOneAMinute) {
  const TimePoint begin{};
  RubbishCount count(1'000'000);
  EXPECT_TRUE(count.Note(begin));
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(count.Note(begin + milliseconds(i))) << i;
  EXPECT_FALSE(count.Note(begin + seconds(59)));
  EXPECT_TRUE(count.Note(begin + seconds(60))) << "a minute after it was told last";
  EXPECT_FALSE(count.Note(begin + seconds(61)));
  EXPECT_EQ(count.total(), 10'004U);
}

TEST(RubbishCount, InARowAreThoseSinceSomethingUseful) {
  RubbishCount count(2);
  count.Note({});
  count.SawUse();
  count.Note({});
  EXPECT_FALSE(count.too_much());
  count.Note({});
  EXPECT_TRUE(count.too_much());
  EXPECT_EQ(count.Why("lines"), "2 lines in a row that are no answer of MCP");
  EXPECT_EQ(count.total(), 3U);
}

// A useful line every now and then is no excuse.
TEST(RubbishCount, TooManyASecondAreTooMuchWhateverIsInBetween) {
  const TimePoint begin{};
  RubbishCount count(100);
  milliseconds at{0};
  for (; at < seconds(10) && !count.too_much(); ++at) {
    for (int i = 0; i < 30; ++i) count.Note(begin + at);
    count.SawUse();
  }
  EXPECT_TRUE(count.too_much());
  EXPECT_GT(at, seconds(3));
  EXPECT_LT(at, seconds(4));
  EXPECT_EQ(count.Why("lines"), "more than 1000 a second for 3 s: lines that are no answer of MCP");
}

TEST(RubbishCount, AProgramThatPrintsWhatItDoesIsBorneWith) {
  const TimePoint begin{};
  RubbishCount count(100);
  for (int at = 0; at < 60'000; ++at) {
    count.Note(begin + milliseconds(at));
    count.SawUse();
  }
  EXPECT_FALSE(count.too_much());
}

}  // namespace
}  // namespace switchyard::downstream
