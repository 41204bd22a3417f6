#include "base/task.h"

#include <stdexcept>
#include <string>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include "base/mailbox.h"
#include "unit/base/log_capture.h"

namespace switchyard {
namespace {

struct TaskTest : ::testing::Test {
  net::io_context context{1};
  Mailbox<int> box;
  std::string steps;
  TaskHandle own;

  Executor executor() { return context.get_executor(); }

  void Poll() {
    context.restart();  // it stops whenever nothing is left to do
    context.poll();
  }

  struct Leaving {
    TaskTest& test;
    ~Leaving() { test.steps += "left "; }
  };

  static Task<void> Waits(TaskTest& test) {
    const Leaving leaving{test};
    test.steps += "began ";
    co_await test.box.Take();
    test.steps += "took ";
  }
};

TEST_F(TaskTest, AnEscapedExceptionIsLoggedWithTheNameOfTheTask) {
  const testing::LogCapture log;
  Spawn(executor(), "counting", []() -> Task<void> {
    throw std::runtime_error("off by one");
    co_return;
  }());
  const TaskHandle odd(executor(), "odd", []() -> Task<void> {
    throw 42;
    co_return;
  }());
  context.run();
  EXPECT_EQ(log.count("bug: task counting ended by off by one"), 1);
  EXPECT_EQ(log.count("bug: task odd ended by"), 1);
}

TEST_F(TaskTest, CancelRunsDestructorsLogsNothingAndIsNotImmediate) {
  const testing::LogCapture log;
  TaskHandle task(executor(), "waits", Waits(*this));
  Poll();
  EXPECT_TRUE(task.running());
  task.Cancel();
  EXPECT_EQ(steps, "began ");
  Poll();
  EXPECT_EQ(steps, "began left ");
  EXPECT_FALSE(task.running());
  EXPECT_EQ(log.text(), "");
}

TEST_F(TaskTest, DestructionAndAssignmentCancel) {
  {
    const TaskHandle task(executor(), "waits", Waits(*this));
    Poll();
  }
  Poll();
  EXPECT_EQ(steps, "began left ");
  TaskHandle task(executor(), "waits", Waits(*this));
  Poll();
  task = TaskHandle();
  Poll();
  EXPECT_EQ(steps, "began left began left ");
}

TEST_F(TaskTest, AMovedHandleStillOwnsTheTask) {
  TaskHandle first(executor(), "waits", Waits(*this));
  TaskHandle second = std::move(first);
  Poll();
  EXPECT_TRUE(second.running());
  box.Put(1);
  Poll();
  EXPECT_EQ(steps, "began took left ");
  EXPECT_FALSE(second.running());
}

TEST_F(TaskTest, ATaskThatIsCancelledBeforeItStartsNeverStarts) {
  net::post(context, [this] { own.Cancel(); });
  own = TaskHandle(executor(), "waits", Waits(*this));  // not on the thread: it starts in its turn
  EXPECT_NO_THROW(context.run());
  EXPECT_EQ(steps, "");
}

TEST_F(TaskTest, ACancelFromOutsideTheThreadTakesItsTurnAlsoWhenTheTaskEndsFirst) {
  TaskHandle waits(executor(), "waits", Waits(*this));
  TaskHandle quick(executor(), "quick", []() -> Task<void> { co_return; }());
  waits.Cancel();
  quick.Cancel();
  EXPECT_NO_THROW(context.run());
  EXPECT_EQ(steps, "began left ");
}

TEST_F(TaskTest, OnItsThreadATaskStartsAtOnceAndMayEndThere) {
  bool running = true, started = false;
  net::post(context, [&] {
    const TaskHandle task(executor(), "quick", [](TaskTest& test) -> Task<void> {
      test.steps += "done ";
      co_return;
    }(*this));
    started = steps == "done ";
    running = task.running();
  });
  context.run();
  EXPECT_TRUE(started);
  EXPECT_FALSE(running);
}

TEST_F(TaskTest, ATaskMayCancelItselfBeforeItEverSuspended) {
  net::post(context, [&] {
    own = TaskHandle(executor(), "quick", [](TaskTest& test) -> Task<void> {
      test.own.Cancel();  // still empty: the handle comes later
      co_return;
    }(*this));
    own.Cancel();  // within the loop's step in which it ran through
  });
  EXPECT_NO_THROW(context.run());
}

TEST_F(TaskTest, ATaskMayCancelItselfAndRunOnToItsEnd) {
  own = TaskHandle(executor(), "own", [](TaskTest& test) -> Task<void> {
    const Leaving leaving{test};
    co_await test.box.Take();
    test.own.Cancel();
    test.steps += "after ";
  }(*this));
  Poll();
  box.Put(1);
  EXPECT_NO_THROW(context.run());
  EXPECT_EQ(steps, "after left ");
}

TEST_F(TaskTest, AnInterruptedTaskMayGoOnAndBeInterruptedAgain) {
  TaskHandle task(executor(), "persistent", [](TaskTest& test) -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      bool interrupted = false;
      try {
        co_await test.box.Take();
      } catch (const boost::system::system_error&) {
        interrupted = true;
      }
      if (!interrupted) continue;
      test.steps += "interrupted ";
      co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
    }
    const int value = co_await test.box.Take();
    test.steps += std::to_string(value);
  }(*this));
  Poll();
  for (int i = 0; i < 2; ++i) {
    task.Interrupt();
    Poll();
  }
  EXPECT_EQ(steps, "interrupted interrupted ");
  box.Put(7);
  Poll();
  EXPECT_EQ(steps, "interrupted interrupted 7");
  EXPECT_FALSE(task.running());
  task.Interrupt();
  task.Cancel();
}

TEST_F(TaskTest, ATaskThatGoesOnCanStillBeCancelledForGood) {
  TaskHandle task(executor(), "persistent", [](TaskTest& test) -> Task<void> {
    const Leaving leaving{test};
    try {
      co_await test.box.Take();
    } catch (const boost::system::system_error&) {
      test.steps += "interrupted ";
    }
    co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
    co_await test.box.Take();
    test.steps += "took ";
  }(*this));
  Poll();
  task.Interrupt();
  Poll();
  task.Cancel();
  Poll();
  EXPECT_EQ(steps, "interrupted left ");
}

TEST_F(TaskTest, TasksThatNeverEndedGoWithTheLoopAndTheirHandlesMayStay) {
  auto loop = std::make_unique<net::io_context>(1);
  const auto never = [](TaskTest& test, net::io_context& context_of_task) -> Task<void> {
    const Leaving leaving{test};
    net::basic_waitable_timer<std::chrono::steady_clock,
                              net::wait_traits<std::chrono::steady_clock>, Executor>
        timer(context_of_task, std::chrono::hours(1));
    co_await timer.async_wait(use_task);
  };
  const TaskHandle task(loop->get_executor(), "never", never(*this, *loop));
  Spawn(loop->get_executor(), "never", never(*this, *loop));
  loop->poll();
  EXPECT_TRUE(task.running());
  loop.reset();
  EXPECT_EQ(steps, "left left ");
  EXPECT_FALSE(task.running());
}

}  // namespace
}  // namespace switchyard
