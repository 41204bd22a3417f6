// The desk: who is woken, who is gone, how long anybody waits, and what time it is.
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/desk_room.h"

namespace switchyard::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

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

TEST_F(OrchestrationDesk, AClaimIsTimedWithoutWhatItWaitedForATask) {
  Call("register_agent", R"({"agent_id":"a"})");
  const auto waits = Poll("a");
  clock.Pass(seconds(20));
  Call("create_task", R"({"content":"x"})");
  Settle();
  ASSERT_EQ(waits->text(), "1 task");
  const std::string claim = "switchyard_orchestration_claim_seconds";
  EXPECT_THAT(metrics.Serialize(), HasSubstr(claim + "_bucket{le=\"0.0005\"} 1\n"));
  Call("create_task", R"({"content":"x"})");
  clock.Pass(seconds(10));
  Hold();
  const auto claims = Begin("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  clock.Pass(std::chrono::milliseconds(30));
  Release();
  ASSERT_EQ(claims->text(), "1 task");
  const std::string all = metrics.Serialize();
  EXPECT_THAT(all, HasSubstr(claim + "_bucket{le=\"0.025\"} 1\n"));
  EXPECT_THAT(all, HasSubstr(claim + "_bucket{le=\"0.05\"} 2\n"));
  const std::string pending = "switchyard_orchestration_pending_seconds";
  EXPECT_THAT(all, HasSubstr(pending + "_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(all, HasSubstr(pending + "_bucket{le=\"15\"} 2\n"));
  // One that was given back has been given out before.
  Call("fail_task", R"({"task_id":"task_00000002","error":"e","should_retry":true})");
  Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  EXPECT_EQ(StatusOf(2), "task_00000002 assigned by a");
  EXPECT_THAT(metrics.Serialize(), HasSubstr(pending + "_count 2\n"));
  EXPECT_THAT(metrics.Serialize(), HasSubstr(claim + "_count 3\n"));
}

// ---- Locks ------------------------------------------------------------------------------------

class OrchestrationLines : public OrchestrationDesk {
 protected:
  OrchestrationLines() {
    for (const char* agent : {"a", "b", "c"}) {
      Call("register_agent", R"({"agent_id":")" + std::string(agent) + "\"}");
    }
    EXPECT_THAT(Call("acquire_file_lock", Of("a", R"(,"lease_ms":30000)")),
                HasSubstr("x is yours, exclusive, fence "));
  }
  static std::string Of(const std::string& agent, const std::string& more = "") {
    return R"({"file_path":"x","agent_id":")" + agent + "\"" + more + "}";
  }
  std::unique_ptr<Pending> Wait(const std::string& agent) {
    auto call = Begin("acquire_file_lock", Of(agent, R"(,"wait_ms":60000)"));
    Settle();
    return call;
  }
  static constexpr const char* kTaken = "x is yours, exclusive, fence ";
};

TEST_F(OrchestrationLines, ALockGoesToTheFirstInLineAloneAndNoPollIsWoken) {
  const auto b = Wait("b"), c = Wait("c");
  const auto poll = Poll("b");
  EXPECT_EQ(Call("release_file_lock", Of("a")), "x released");
  EXPECT_THAT(b->text(), HasSubstr(kTaken));
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
  EXPECT_THAT(c->text(), HasSubstr(kTaken));
}

TEST_F(OrchestrationLines, AWaitThatIsOverLeavesTheLine) {
  const auto b = Begin("acquire_file_lock", Of("b", R"(,"wait_ms":5000)"));
  Settle();
  loop.Pass(seconds(5));
  Settle();
  EXPECT_EQ(b->text(), "x is not yours: held by a");
  EXPECT_EQ(Call("release_file_lock", Of("a")), "x released");
  EXPECT_THAT(Call("acquire_file_lock", Of("c")), HasSubstr(kTaken));
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
  EXPECT_THAT(b->text(), HasSubstr(kTaken));
}

TEST_F(OrchestrationLines, AStopAnswersThoseWhoWait) {
  const auto b = Wait("b");
  desk->EndWaits();
  Settle();
  EXPECT_EQ(b->text(), "x is not yours: held by a");
}

}  // namespace
}  // namespace switchyard::orchestration
