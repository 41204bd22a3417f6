// The desk: who is woken, who is gone, how long anybody waits, and what time it is.
#include "orchestration/desk.h"

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/metrics.h"
#include "unit/downstream/loop.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using downstream::Loop;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

// A wall clock that somebody sets, and a steady one that nobody does.
class SetClock final : public Clock {
 public:
  TimePoint Now() const override { return steady_.Now(); }
  std::chrono::system_clock::time_point WallNow() const override {
    return steady_.WallNow() +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(Duration(set_.load()));
  }
  void Pass(Duration time) { steady_.Advance(time); }
  void SetBy(Duration by) { set_ += by.count(); }

 private:
  ManualClock steady_;
  std::atomic<std::int64_t> set_ = 0;
};

// A call that is under way.
struct Pending {
  std::optional<Result<Answer>> answer;
  TaskHandle task;

  bool over() const { return answer.has_value(); }
  std::string text() const {
    if (!answer) return "waits";
    return *answer ? (*answer)->text : (*answer).error().message;
  }
};

class OrchestrationDesk : public ::testing::Test {
 protected:
  ~OrchestrationDesk() override {
    if (held != nullptr) held->count_down();
    loop.RunReady();
    database->Close();
    loop.RunReady();
  }

  static Operation OperationOf(std::string_view tool, std::string_view raw) {
    Arguments arguments(raw);
    Result<Operation> operation =
        FindTool(std::string(kToolPrefix) + std::string(tool))->prepare(arguments);
    EXPECT_TRUE(operation.has_value()) << operation.error().message;
    return std::move(*operation);
  }
  switchyard::Task<void> Keep(Operation operation, Deadline deadline, Pending& into) {
    into.answer.emplace(co_await desk->Run(std::move(operation), "", deadline, loop.deps()));
  }
  std::unique_ptr<Pending> Begin(Operation operation, Deadline deadline = {}) {
    auto pending = std::make_unique<Pending>();
    pending->task =
        TaskHandle(loop.deps().executor(), "call", Keep(std::move(operation), deadline, *pending));
    loop.RunReady();
    return pending;
  }
  std::unique_ptr<Pending> Begin(std::string_view tool, std::string_view raw = "{}",
                                 Deadline deadline = {}) {
    return Begin(OperationOf(tool, raw), deadline);
  }
  // The database has done all it was asked, and who was told has acted upon it.
  void Settle() {
    for (int i = 0; i < 6; ++i) {
      Finish();
      loop.RunReady();
    }
  }
  // The database has done all it was asked.
  void Finish() {
    std::promise<void> over;
    database->Submit([](Database::Transaction&) -> Result<void> { return {}; },
                     [&](Result<void>) { over.set_value(); });
    over.get_future().wait();
  }
  std::string Call(std::string_view tool, std::string_view raw = "{}") {
    const auto pending = Begin(tool, raw);
    Settle();
    return pending->text();
  }
  std::unique_ptr<Pending> Poll(const std::string& agent, const std::string& more = "") {
    auto poll = Begin("poll_tasks", R"({"claim":true,"limit":1,"wait_ms":60000,"agent_id":")" +
                                        agent + "\"" + more + "}");
    Settle();
    return poll;
  }
  // The database does nothing until Release().
  void Hold() {
    held = std::make_shared<std::latch>(1);
    std::latch entered(1);
    database->Submit(
        [&entered, latch = held](Database::Transaction&) -> Result<void> {
          entered.count_down();
          latch->wait();
          return {};
        },
        [](Result<void>) {});
    entered.wait();
  }
  void Release() {
    std::exchange(held, nullptr)->count_down();
    Settle();
  }
  std::string StatusOf(int task) {
    return Call("get_task_status", R"({"task_id":"task_0000000)" + std::to_string(task) + "\"}");
  }

  Loop loop;
  SetClock clock;
  telemetry::Metrics metrics;
  std::shared_ptr<std::latch> held;
  std::unique_ptr<store::SqliteDatabase> database =
      std::move(*store::SqliteDatabase::Open({}, Schema()));
  std::unique_ptr<Desk> desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
};

TEST_F(OrchestrationDesk, WhoOnlyLooksLeavesTheTaskToWhoWaitsToTakeIt) {
  Call("register_agent", R"({"agent_id":"a"})");
  const auto looks = Begin("poll_tasks", R"({"wait_ms":60000})");
  Settle();
  const auto takes = Poll("a");
  ASSERT_EQ(desk->waiting(), 2U);
  Call("create_task", R"({"content":"x"})");
  Settle();
  EXPECT_EQ(looks->text(), "1 task");
  EXPECT_EQ(takes->text(), "1 task");
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
}

TEST_F(OrchestrationDesk, WhoMayNotTakeItAnyMoreLeavesItToTheNext) {
  Call("register_agent", R"({"agent_id":"full","max_concurrent":1})");
  Call("register_agent", R"({"agent_id":"next"})");
  const auto full = Poll("full", R"(,"task_type":"t")");
  const auto next = Poll("next", R"(,"task_type":"t")");
  Call("create_task", R"({"content":"x"})");
  Call("assign_task", R"({"task_id":"task_00000001","agent_id":"full"})");
  Call("create_task", R"({"content":"x","task_type":"t"})");
  Settle();
  EXPECT_THAT(full->text(), HasSubstr("complete one first"));
  EXPECT_EQ(next->text(), "1 task");
  EXPECT_EQ(StatusOf(2), "task_00000002 assigned by next");
}

TEST_F(OrchestrationDesk, AWakeIsNotLostWithWhoGoesWhileItLooks) {
  Call("register_agent", R"({"agent_id":"a"})");
  Call("register_agent", R"({"agent_id":"b"})");
  const auto first = Poll("a"), second = Poll("b");
  Hold();
  const auto create = Begin("create_task", R"({"content":"x"})");
  std::exchange(held, nullptr)->count_down();
  Finish();
  Hold();
  loop.RunReady();  // the first one is woken, and its look waits for the database
  first->task.Cancel();
  loop.RunReady();
  Release();
  EXPECT_EQ(second->text(), "1 task");
}

TEST_F(OrchestrationDesk, WhoWaitsIsToldOfACreationWhoseCallerIsGone) {
  Call("register_agent", R"({"agent_id":"a"})");
  const auto takes = Poll("a");
  Hold();
  const auto create = Begin("create_task", R"({"content":"x"})");
  create->task.Cancel();
  loop.RunReady();
  Release();
  EXPECT_FALSE(create->over());
  EXPECT_EQ(takes->text(), "1 task");
}

TEST_F(OrchestrationDesk, NobodyWaitsLongerThanItsDeadline) {
  Hold();
  const auto call = Begin("create_task", R"({"content":"x"})", loop.In(seconds(30)));
  const auto poll = Begin("poll_tasks", R"({"wait_ms":60000})", loop.In(seconds(30)));
  loop.Pass(seconds(29));
  EXPECT_FALSE(call->over());
  loop.Pass(seconds(1));
  ASSERT_TRUE(call->over());
  EXPECT_EQ(call->answer->error().code, Code::kDeadline);
  EXPECT_THAT(call->text(), HasSubstr("look whether the call took effect"));
  ASSERT_TRUE(poll->over());
  EXPECT_EQ(poll->answer->error().code, Code::kDeadline);
  Release();
  EXPECT_EQ(StatusOf(1), "task_00000001 pending") << "it went on without its caller";
}

TEST_F(OrchestrationDesk, NothingIsGivenToACallerThatIsGone) {
  Call("register_agent", R"({"agent_id":"a"})");
  Call("create_task", R"({"content":"x"})");
  Hold();
  const auto gone = Begin("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  const auto late = Begin("poll_tasks", R"({"claim":true,"agent_id":"a"})", loop.In(seconds(1)));
  gone->task.Cancel();
  loop.Pass(seconds(1));
  Release();
  EXPECT_TRUE(late->over());
  EXPECT_EQ(StatusOf(1), "task_00000001 pending");
}

TEST_F(OrchestrationDesk, WhatWaitsForTheDatabaseIsBounded) {
  Hold();
  Operation large = OperationOf("get_health", "{}");
  large.bytes = std::size_t{40} << 20;
  const auto first = Begin(large), second = Begin(large);
  ASSERT_TRUE(second->over());
  EXPECT_EQ(second->answer->error().code, Code::kRateLimited);
  EXPECT_TRUE(second->answer->error().retryable);
  Release();
  EXPECT_TRUE(first->over());
  const auto third = Begin(large);
  Settle();
  EXPECT_TRUE(third->answer->has_value()) << "its place is free again";
}

// ---- Time -------------------------------------------------------------------------------------

class OrchestrationTime : public OrchestrationDesk {
 protected:
  OrchestrationTime() {
    Call("register_agent", R"({"agent_id":"a"})");
    Call("create_task", R"({"content":"x","max_attempts":1})");
    Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  }
  void Tick() {
    desk->Tick();
    Settle();
  }
};

TEST_F(OrchestrationTime, ALeaseRunsOutWithTheTimeThatPasses) {
  clock.Pass(minutes(5) - seconds(1));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(seconds(1));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AWallClockThatIsSetForwardTakesNoTaskAway) {
  clock.SetBy(hours(3));
  Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  EXPECT_EQ(Call("get_agent_health", R"({"agent_id":"a"})"), "a working");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AWallClockThatIsSetBackKeepsNoDeadAgentsTask) {
  clock.SetBy(-hours(3));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AJumpForgetsNothingUntilItIsTrusted) {
  Call("cancel_task", R"({"task_id":"task_00000001"})");
  clock.SetBy(hours(24 * 30));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 cancelled");
  clock.Pass(hours(1));
  Tick();
  EXPECT_THAT(StatusOf(1), HasSubstr("there is no task"));
}

TEST_F(OrchestrationTime, LeasesBeginAnewWithTheGateway) {
  clock.Pass(hours(3));  // it was down: nobody could say anything
  desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

// ---- Locks ------------------------------------------------------------------------------------

class OrchestrationLines : public OrchestrationDesk {
 protected:
  OrchestrationLines() {
    for (const char* agent : {"a", "b", "c"}) {
      Call("register_agent", R"({"agent_id":")" + std::string(agent) + "\"}");
    }
    EXPECT_EQ(Call("acquire_file_lock", Of("a", R"(,"lease_ms":30000)")),
              "x is yours, exclusive, fence 1, for 30000 ms");
  }
  static std::string Of(const std::string& agent, const std::string& more = "") {
    return R"({"file_path":"x","agent_id":")" + agent + "\"" + more + "}";
  }
  std::unique_ptr<Pending> Wait(const std::string& agent) {
    auto call = Begin("acquire_file_lock", Of(agent, R"(,"wait_ms":60000)"));
    Settle();
    return call;
  }
  static constexpr const char* kTaken = "x is yours, exclusive, fence 2, for 300000 ms";
};

TEST_F(OrchestrationLines, ALockGoesToTheFirstInLineAloneAndNoPollIsWoken) {
  const auto b = Wait("b"), c = Wait("c");
  const auto poll = Poll("b");
  EXPECT_EQ(Call("release_file_lock", Of("a")), "x released");
  EXPECT_EQ(b->text(), kTaken);
  EXPECT_FALSE(c->over());
  EXPECT_FALSE(poll->over());
}

TEST_F(OrchestrationLines, WhoGoesWhileItLooksLeavesTheLockToTheNext) {
  const auto b = Wait("b"), c = Wait("c");
  Hold();
  const auto release = Begin("release_file_lock", Of("a"));
  std::exchange(held, nullptr)->count_down();
  Finish();
  Hold();
  loop.RunReady();  // b is woken, and its look waits for the database
  b->task.Cancel();
  loop.RunReady();
  Release();
  EXPECT_EQ(c->text(), kTaken);
}

TEST_F(OrchestrationLines, AWaitThatIsOverLeavesTheLine) {
  const auto b = Begin("acquire_file_lock", Of("b", R"(,"wait_ms":5000)"));
  Settle();
  loop.Pass(seconds(5));
  Settle();
  EXPECT_EQ(b->text(), "x is not yours: held by a");
  EXPECT_EQ(Call("release_file_lock", Of("a")), "x released");
  EXPECT_EQ(Call("acquire_file_lock", Of("c")), kTaken);
}

TEST_F(OrchestrationLines, WhoseDeadlineIsOverGetsNothing) {
  Call("release_file_lock", Of("a"));
  Hold();
  const auto late = Begin("acquire_file_lock", Of("b", R"(,"wait_ms":60000)"), loop.In(seconds(1)));
  loop.Pass(seconds(1));
  Release();
  ASSERT_TRUE(late->over());
  EXPECT_EQ(late->answer->error().code, Code::kDeadline);
  EXPECT_EQ(Call("check_file_lock", R"({"file_path":"x"})"), "x is free");
}

TEST_F(OrchestrationLines, LeasesAndPlacesGoWithJumpsOfTheWallClock) {
  const auto b = Wait("b");
  clock.SetBy(hours(3));
  desk->Tick();
  Settle();
  EXPECT_FALSE(b->over());
  EXPECT_EQ(Call("check_file_lock", R"({"file_path":"x"})"), "x is held by a");
  clock.Pass(seconds(30));
  desk->Tick();
  Settle();
  EXPECT_EQ(b->text(), kTaken);
}

TEST_F(OrchestrationLines, AStopAnswersThoseWhoWait) {
  const auto b = Wait("b");
  desk->EndWaits();
  Settle();
  EXPECT_EQ(b->text(), "x is not yours: held by a");
}

}  // namespace
}  // namespace switchyard::orchestration
