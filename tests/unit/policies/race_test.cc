#include "policies/lib/race.h"

#include <memory>
#include <stdexcept>
#include <string>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using testing::Loop;

class Race : public ::testing::Test {
 protected:
  // What becomes of a task that has ten seconds.
  void Start(Task<int> task) {
    handle_ = TaskHandle(loop_.executor(), "race", Run(std::move(task)));
    loop_.Run();
  }
  Task<void> Run(Task<int> task) {
    try {
      const TimePoint until = clock_.Now() + seconds(10);
      const std::optional<int> value = co_await Within(std::move(task), until, clock_);
      ended_ = value ? std::to_string(*value) : "too late";
    } catch (const boost::system::system_error& error) {
      ended_ = error.code() == net::error::operation_aborted ? "cancelled" : error.what();
      throw;
    } catch (const std::exception& error) {
      ended_ = error.what();
    }
  }
  void Advance(Duration by) {
    Pass(by);
    loop_.Run();
  }
  // Time passes, and the timer fires, within one turn of the loop.
  void Pass(Duration by) {
    clock_.Advance(by);
    TimersOf(loop_.executor(), clock_).FireDue();
  }
  Task<int> Wait() {
    const int value = co_await box_.Take();
    co_return value;
  }
  Task<int> Throws(bool at_once) {
    if (!at_once) co_await box_.Take();
    throw std::runtime_error("a bug");
  }
  Task<int> ThrowsWhenCancelled() {
    try {
      co_await box_.Take();
    } catch (...) {
      throw std::runtime_error("a bug at its end");
    }
    co_return 0;
  }

  static Task<int> At(int value) { co_return value; }
  Task<int> CancelsAndEnds() {
    handle_.Interrupt();
    co_return 3;
  }
  // Cancelled, it goes on to a race of its own.
  Task<int> CancelledFirst() {
    handle_.Interrupt();
    const std::optional<int> value = co_await Within(Wait(), clock_.Now() + seconds(1), clock_);
    co_return value.value_or(-1);
  }
  static Task<int> WaitsAt(Executor executor) {
    net::basic_waitable_timer<std::chrono::steady_clock,
                              net::wait_traits<std::chrono::steady_clock>, Executor>
        timer(executor, std::chrono::hours(1));
    co_await timer.async_wait(use_task);
    co_return 0;
  }
  Task<int> Nested() {
    const std::optional<int> value = co_await Within(Wait(), clock_.Now() + seconds(3), clock_);
    co_return value.value_or(-1);
  }

  ManualClock clock_;
  Mailbox<int> box_;
  std::string ended_ = "under way";
  Loop loop_;
  TaskHandle handle_;
};

TEST_F(Race, IsWonByWhatComesInTime) {
  Start(Wait());
  Advance(seconds(9));
  EXPECT_EQ(ended_, "under way");
  box_.Put(7);
  loop_.Run();
  EXPECT_EQ(ended_, "7");
}

TEST_F(Race, IsLostByWhatDoesNot) {
  Start(Wait());
  Advance(seconds(10));
  EXPECT_EQ(ended_, "too late");
}

TEST_F(Race, WhatTheTaskThrowsEndsItAtOnce) {
  Start(Throws(true));
  EXPECT_EQ(ended_, "a bug");
  Start(Throws(false));
  Advance(seconds(5));
  box_.Put(1);
  loop_.Run();
  EXPECT_EQ(ended_, "a bug");
}

TEST_F(Race, WhatTheLoserThrowsBesideItsUnwindingIsSeenToo) {
  Start(ThrowsWhenCancelled());
  Advance(seconds(10));
  EXPECT_EQ(ended_, "a bug at its end");
}

TEST_F(Race, WhoeverIsCancelledFromOutsideUnwinds) {
  Start(Wait());
  handle_.Cancel();
  loop_.Run();
  EXPECT_EQ(ended_, "cancelled");
}

TEST_F(Race, ATimerThatFiresInTheTurnOfTheValueWinsInEitherOrder) {
  Start(Wait());
  box_.Put(7);
  Advance(seconds(10));
  EXPECT_EQ(ended_, "too late");

  Start(Wait());
  Pass(seconds(10));
  box_.Put(8);
  loop_.Run();
  EXPECT_EQ(ended_, "too late");
}

TEST_F(Race, LeavesNoTimerBehindAValue) {
  Start(Wait());
  box_.Put(7);
  loop_.Run();
  EXPECT_EQ(ended_, "7");
  EXPECT_EQ(TimersOf(loop_.executor(), clock_).size(), 0U);
  Advance(seconds(10));
  EXPECT_EQ(ended_, "7");
}

// What ends without waiting is known to have ended a turn of the loop later.
TEST_F(Race, ATimerMayFireWhenTheTaskHasEndedAndIsNotKnownToHave) {
  net::post(loop_.executor(), [this] {
    handle_ = TaskHandle(loop_.executor(), "race", Run(At(5)));
    EXPECT_EQ(ended_, "under way");
    Pass(seconds(10));
  });
  loop_.Run();
  EXPECT_EQ(ended_, "too late");
}

TEST_F(Race, IsOverAtOnceForATaskThatIsCancelledBeforeItBegins) {
  Start(CancelledFirst());
  EXPECT_EQ(ended_, "cancelled");
  handle_.Interrupt();  // reaches nothing that is gone
  loop_.Run();
  EXPECT_EQ(ended_, "cancelled");
}

// Nothing may be thrown around a task: it would leave the event loop.
TEST_F(Race, ATaskMayCancelTheOneAroundItAndEndWell) {
  Start(CancelsAndEnds());
  EXPECT_EQ(ended_, "3");
}

TEST_F(Race, CanBeRunWithinAnother) {
  Start(Nested());
  Advance(seconds(3));
  EXPECT_EQ(ended_, "-1");  // of the inner one alone
  Start(Nested());
  handle_.Cancel();
  loop_.Run();
  EXPECT_EQ(ended_, "cancelled");
}

TEST_F(Race, GoesWithTheLoopThatItRunsOn) {
  auto loop = std::make_unique<Loop>();
  Spawn(loop->executor(), "race", Run(WaitsAt(loop->executor())));
  loop->Run();
  loop = nullptr;
  EXPECT_EQ(ended_, "under way");
}

}  // namespace
}  // namespace switchyard::policies
