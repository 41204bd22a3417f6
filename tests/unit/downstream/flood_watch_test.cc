#include "downstream/flood_watch.h"

#include <chrono>

#include <gtest/gtest.h>

#include "unit/base/log_capture.h"

namespace switchyard::downstream {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::LogCapture;

struct FloodWatchTest : ::testing::Test {
  void Say(int messages) {
    for (int i = 0; i < messages; ++i) watch.Note();
  }
  int lines() const { return log.count("server a floods"); }

  LogCapture log;
  ManualClock clock;
  FloodWatch watch{"a", clock};
};

TEST_F(FloodWatchTest, ManyAtOnceAreNamedOnceAMinute) {
  Say(5000);
  EXPECT_EQ(lines(), 0);
  Say(100);
  EXPECT_EQ(lines(), 1);
  EXPECT_EQ(log.count("5100 notifications so far, and more than 1000 a second"), 1) << log.text();
  Say(1'000'000);
  EXPECT_EQ(lines(), 1);
  clock.Advance(seconds(60));
  Say(5000);
  EXPECT_EQ(lines(), 1) << "not before it floods again";
  Say(100);
  EXPECT_EQ(lines(), 2);
}

TEST_F(FloodWatchTest, AThousandASecondAreNone) {
  for (int second = 0; second < 1000; ++second) {
    Say(1000);
    clock.Advance(seconds(1));
  }
  EXPECT_EQ(lines(), 0);
  for (int i = 0; i < 100; ++i) {
    Say(1100);
    clock.Advance(seconds(1));
  }
  EXPECT_EQ(lines(), 1) << log.text();
}

TEST_F(FloodWatchTest, SmallStepsOfTheClockAreNotLost) {
  Say(5000);                          // nothing is left
  for (int i = 0; i < 10'000; ++i) {  // 99.9 messages each time, of which 99 can be counted
    clock.Advance(microseconds(99'900));
    Say(99 + (i % 10 == 0 ? 0 : 1));
  }
  EXPECT_EQ(lines(), 0) << log.text();
}

TEST_F(FloodWatchTest, LongSilenceIsWorthNoMoreThanABurst) {
  clock.Advance(std::chrono::hours(24 * 365 * 50));
  Say(5100);
  EXPECT_EQ(lines(), 1);
}

struct FloodEndTest : ::testing::Test {
  bool Say(int messages) {
    bool enough = false;
    for (int i = 0; i < messages; ++i) enough = watch.Note() || enough;
    return enough;
  }

  ManualClock clock;
  FloodEnd watch{clock};
};

TEST_F(FloodEndTest, IsThereWhenAFloodLastsTenSeconds) {
  EXPECT_FALSE(Say(30'000));
  for (int second = 1; second < 10; ++second) {
    clock.Advance(seconds(1));
    EXPECT_FALSE(Say(11'000)) << second;
  }
  clock.Advance(seconds(1));
  EXPECT_TRUE(Say(11'000));
  EXPECT_EQ(FloodEnd::Why(), "floods: more than 10000 a second for 10 s");
}

TEST_F(FloodEndTest, ComesForNobodyWhoSaysAMillionThingsNowAndThen) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(Say(1'000'000)) << i;
    clock.Advance(seconds(5));
  }
}

TEST_F(FloodEndTest, ComesForNobodyWhoIsOnlyNamed) {
  for (int second = 0; second < 60; ++second) {
    EXPECT_FALSE(Say(9'900)) << second;
    clock.Advance(seconds(1));
  }
}

}  // namespace
}  // namespace switchyard::downstream
