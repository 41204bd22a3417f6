#include "downstream/rubbish_count.h"

#include <chrono>

#include <gtest/gtest.h>

namespace switchyard::downstream {
namespace {

using std::chrono::seconds;

TEST(RubbishCount, TheLogHasTheFirstEachHundredthAndTheFirstOfAMinute) {
  const TimePoint begin{};
  RubbishCount count;
  EXPECT_TRUE(count.Note(begin));
  for (int i = 1; i < 100; ++i) EXPECT_FALSE(count.Note(begin + seconds(59))) << i;
  EXPECT_TRUE(count.Note(begin + seconds(59)));
  EXPECT_EQ(count.total(), 101U);
  EXPECT_FALSE(count.Note(begin + seconds(118)));
  EXPECT_TRUE(count.Note(begin + seconds(119))) << "a minute after it was told last";
}

TEST(RubbishCount, InARowAreThoseSinceSomethingUseful) {
  RubbishCount count;
  count.Note({});
  count.Note({});
  EXPECT_EQ(count.in_row(), 2U);
  count.SawUse();
  EXPECT_EQ(count.in_row(), 0U);
  count.Note({});
  EXPECT_EQ(count.in_row(), 1U);
  EXPECT_EQ(count.total(), 3U);
}

}  // namespace
}  // namespace switchyard::downstream
