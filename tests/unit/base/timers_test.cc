#include "base/timers.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct TimersTest : ::testing::Test {
  net::io_context context{1};
  ManualClock clock;
  std::optional<Timers> made{std::in_place, context, clock};
  Timers& timers = *made;
  std::string fired;

  Timers::Handle After(Duration delay, char mark) {
    return timers.In(delay, [this, mark] { fired += mark; });
  }
  void Pass(Duration time) {
    clock.Advance(time);
    timers.FireDue();
  }
};

TEST(TimersOfALeapingClock, FireWhenALeapMakesThemDueAndByRealTimeElse) {
  net::io_context context{1};
  LeapingClock clock;
  Timers timers(context, clock);
  bool soon = false, late = false;
  const Timers::Handle first = timers.In(milliseconds(1), [&] { soon = true; });
  const Timers::Handle second = timers.In(std::chrono::hours(1), [&] { late = true; });
  while (!soon) context.run_one();
  EXPECT_FALSE(late);
  clock.Advance(std::chrono::hours(1));
  while (!late) context.run_one();
}

TEST_F(TimersTest, NeverFireEarlyAndFireOnce) {
  const Timers::Handle handle = After(seconds(1), 'a');
  Pass(seconds(1) - Duration(1));
  EXPECT_EQ(fired, "");
  EXPECT_TRUE(handle.armed());
  Pass(Duration(1));
  EXPECT_EQ(fired, "a");
  EXPECT_FALSE(handle.armed());
  Pass(seconds(5));
  EXPECT_EQ(fired, "a");
}

TEST_F(TimersTest, FireInTheOrderOfTimeAndThoseOfOneTimeInTheOrderOfTheirMaking) {
  const Timers::Handle c = After(seconds(3), 'c');
  const Timers::Handle a = After(seconds(1), 'a');
  const Timers::Handle b = After(seconds(2), 'b');
  const Timers::Handle d = After(seconds(3), 'd');
  Pass(seconds(3));
  EXPECT_EQ(fired, "abcd");
}

TEST_F(TimersTest, AreCancelledByCallAndByDestruction) {
  Timers::Handle called = After(seconds(1), 'a');
  called.Cancel();
  called.Cancel();
  {
    const Timers::Handle destroyed = After(seconds(1), 'b');
  }
  EXPECT_EQ(timers.size(), 0U);
  Pass(seconds(1));
  EXPECT_EQ(fired, "");
}

TEST_F(TimersTest, HandlesMayMoveAndTheLastPlaceCounts) {
  Timers::Handle first = After(seconds(1), 'a');
  Timers::Handle second = std::move(first);
  std::vector<Timers::Handle> many;
  for (int i = 0; i < 100; ++i) many.push_back(After(seconds(2), 'b'));  // moved as it grows
  first = After(seconds(1), 'c');
  second = std::move(first);  // cancels a
  Pass(seconds(1));
  EXPECT_EQ(fired, "c");
  EXPECT_FALSE(second.armed());
  many.clear();
  Pass(seconds(1));
  EXPECT_EQ(fired, "c");
}

TEST_F(TimersTest, ACallbackMayAddAndCancelTimers) {
  Timers::Handle other = After(seconds(1), 'x');
  Timers::Handle again;
  const Timers::Handle handle = timers.In(milliseconds(500), [&] {
    fired += 'a';
    other.Cancel();
    again = timers.In(Duration::zero(), [this] { fired += 'b'; });
  });
  Pass(seconds(1));
  EXPECT_EQ(fired, "ab");
  EXPECT_EQ(timers.size(), 0U);
}

TEST_F(TimersTest, ACallbackMayDestroyItsOwnHandle) {
  auto handle = std::make_unique<Timers::Handle>();
  *handle = timers.In(seconds(1), [&] {
    fired += 'a';
    handle.reset();
  });
  Pass(seconds(1));
  EXPECT_EQ(fired, "a");
}

TEST_F(TimersTest, ADeadlineThatNeverComesArmsNothing) {
  const Timers::Handle handle = timers.At(TimePoint::max(), [this] { fired += 'a'; });
  EXPECT_FALSE(handle.armed());
  EXPECT_EQ(timers.size(), 0U);
}

TEST_F(TimersTest, MayGoBeforeTheirHandlesAndWithCallbacksThatOwnHandles) {
  Timers::Handle kept = After(seconds(1), 'a');
  auto inner = std::make_shared<Timers::Handle>(After(seconds(9), 'b'));
  Timers::Handle owner = timers.In(seconds(2), [inner] {});
  inner = nullptr;
  made.reset();
  EXPECT_FALSE(kept.armed());
  EXPECT_FALSE(owner.armed());
  EXPECT_EQ(fired, "");
}

TEST_F(TimersTest, SleepEndsAtItsTime) {
  Spawn(context.get_executor(), "sleeper", [](TimersTest& test) -> Task<void> {
    co_await test.timers.Sleep(seconds(1));
    test.fired += 'a';
  }(*this));
  context.poll();
  Pass(milliseconds(999));
  context.poll();
  EXPECT_EQ(fired, "");
  Pass(milliseconds(1));
  context.poll();
  EXPECT_EQ(fired, "a");
}

TEST_F(TimersTest, SleepIsUnwoundByACancelAndLeavesNoTimer) {
  TaskHandle task(context.get_executor(), "sleeper", [](TimersTest& test) -> Task<void> {
    co_await test.timers.Sleep(seconds(1));
    test.fired += 'a';
  }(*this));
  context.poll();
  ASSERT_EQ(timers.size(), 1U);
  task.Cancel();
  context.poll();
  EXPECT_EQ(timers.size(), 0U);
  Pass(seconds(1));
  EXPECT_EQ(fired, "");
}

TEST(TimersOnTheRealClock, WakeTheLoopForTheEarliestAlsoWhenItCameLast) {
  net::io_context context{1};
  Timers timers(context, Clock::Real());
  std::string fired;
  const TimePoint start = Clock::Real().Now();
  const Timers::Handle far = timers.In(seconds(3600), [&] { fired += 'x'; });
  const Timers::Handle later = timers.In(milliseconds(20), [&] {
    fired += 'b';
    context.stop();
  });
  const Timers::Handle first = timers.In(milliseconds(10), [&] { fired += 'a'; });
  context.run();
  EXPECT_EQ(fired, "ab");
  EXPECT_GE(Clock::Real().Now() - start, milliseconds(20));
}

}  // namespace
}  // namespace switchyard
