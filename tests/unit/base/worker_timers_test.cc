#include "base/worker_timers.h"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(TimersOfAWorker, HoldItsLoopUpNoLongerThanUntilTheyAreDisarmed) {
  net::io_context context{1};
  {
    // What a call leaves behind: the timer is armed, though nobody waits for it any more.
    const Timers::Handle gone =
        TimersOf(context.get_executor(), Clock::Real()).In(std::chrono::hours(1), [] {});
  }
  context.poll();
  ASSERT_FALSE(context.stopped());
  DisarmTimersOf(context.get_executor());
  context.poll();
  EXPECT_TRUE(context.stopped());
}

TEST(TimersOfAWorker, AreNotMadeToBeDisarmed) {
  net::io_context context{1};
  DisarmTimersOf(context.get_executor());
  context.poll();
  EXPECT_TRUE(context.stopped());
}

}  // namespace
}  // namespace switchyard
