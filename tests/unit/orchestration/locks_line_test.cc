// Calls that wait for locks: what they leave when they go, their places, circles and time.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/coordination/waits.h"
#include "orchestration/moves.h"
#include "orchestration/statistics.h"
#include "unit/orchestration/lockers.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

using LocksInLine = Locks;

// ---- Calls that go ----------------------------------------------------------------------------

TEST_F(LocksInLine, ACallThatGoesTakesNothingFromAnotherThatWasTold) {
  Acquire("a", "x");
  Waiting first{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(first).waits);
  Release("a", "x");
  EXPECT_TRUE(Run(first).acquired);  // and its client is gone
  EXPECT_EQ(Acquire("b", "x"), 2) << "the same agent again";
  GiveUp(first);
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
}

TEST_F(LocksInLine, AnEarlierCallThatWasToldKeepsWhatALaterOneGot) {
  Acquire("a", "x");
  Waiting first{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  Waiting second = first;
  Run(first);
  Run(second);
  Release("a", "x");
  EXPECT_TRUE(Run(second).acquired);
  EXPECT_TRUE(Run(first).acquired);
  GiveUp(second);
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
}

TEST_F(LocksInLine, WhatWasUndoneGivesUpNothingOfOthers) {
  Waiting a{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  const auto undone = room.Do([&a](Records& records) -> Result<void> {
    EXPECT_TRUE(AcquireLock(records, a.request, a.place)->acquired);
    return Refused("as if the disk were full");
  });
  EXPECT_FALSE(undone.has_value());
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).acquired);
  GiveUp(a);
  EXPECT_EQ(Check("x").at("holders").at(0).at("agent_id"), json::value("b"));
}

TEST_F(LocksInLine, WorkThatIsRunAgainRenewsAsItSays) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  room.now += 9'000;
  Waiting again{.request = {.path = "x", .agent = "a", .lease_ms = 10'000, .wait_ms = 60'000}};
  const auto undone = room.Do([&again](Records& records) -> Result<void> {
    EXPECT_TRUE(AcquireLock(records, again.request, again.place)->acquired);
    return Refused("as if the disk were full");
  });
  EXPECT_FALSE(undone.has_value());
  EXPECT_TRUE(Run(again).acquired);
  room.now += 9'000;
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
}

TEST_F(LocksInLine, AnUpgradeThatNobodyWasToldOfIsTakenBack) {
  EXPECT_EQ(Acquire("a", "x", kShared), 1);
  EXPECT_EQ(Acquire("b", "x", kShared), 2);
  Waiting alone{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(alone).waits);
  Release("b", "x");
  EXPECT_EQ(Run(alone).hold.fence, 3);
  EXPECT_EQ(Acquire("b", "x", kShared), 0);
  GiveUp(alone);
  EXPECT_EQ(json::serialize(Check("x").at("holders")),
            R"([{"agent_id":"a","mode":"shared","fence":1,"expires_in_ms":300000}])");
  EXPECT_EQ(Acquire("b", "x", kShared), 4);
  EXPECT_EQ(Release("a", "x", R"(,"fence":1)"), "");
}

// ---- Places -----------------------------------------------------------------------------------

TEST_F(LocksInLine, WhoWantsMoreThanItsPlaceIsForGoesToTheEnd) {
  Acquire("a", "x");
  Acquire("b", "z");
  Waiting b{.request = {.path = "x", .agent = "b", .shared = true, .wait_ms = 60'000}};
  Waiting c{.request = {.path = "x", .agent = "c", .shared = true, .wait_ms = 60'000}};
  Waiting alone{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  EXPECT_TRUE(Run(c).waits);
  EXPECT_TRUE(Run(alone).waits);
  EXPECT_FALSE(Run(b).waits) << "its place is taken over";
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("c", "z", kWait)),
              HasSubstr("c waits for b (lock z), b waits for c (lock x)"));
  Release("a", "x");
  EXPECT_FALSE(Run(alone).acquired);
  EXPECT_TRUE(Run(c).acquired);
  Release("c", "x");
  EXPECT_TRUE(Run(alone).acquired);
}

TEST_F(LocksInLine, ARenewalLeavesAWaitToHaveItAloneInLine) {
  Acquire("a", "x", kShared);
  Acquire("b", "x", kShared);
  Waiting alone{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(alone).waits);
  EXPECT_EQ(Acquire("a", "x", kShared), 1);
  EXPECT_EQ(Check("x").at("waiting"), json::value(1));
  EXPECT_EQ(Acquire("c", "x", kShared), 0);
  Release("b", "x");
  EXPECT_TRUE(Run(alone).acquired);
}

TEST_F(LocksInLine, AFileIsSharedBySoManyAtMost) {
  for (std::size_t i = 0; i < kMaxSharers; ++i) {
    const std::string agent = "s" + std::to_string(i);
    room.Register(agent);
    EXPECT_GT(Acquire(agent, "x", kShared), 0);
  }
  EXPECT_EQ(room.Refusal("acquire_file_lock", Of("a", "x", kShared)),
            "100 agents share x already, the most that may; ask again later");
  EXPECT_GT(Acquire("s1", "x", kShared), 0) << "to renew is no more";
}

// ---- Circles ----------------------------------------------------------------------------------

TEST_F(LocksInLine, AWaitThatWouldNeverEndIsRefusedAndNamesTheCircle) {
  Acquire("a", "x");
  Acquire("b", "y");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  EXPECT_EQ(
      room.Refusal("acquire_file_lock", Of("a", "y", kWait)),
      "this would be a deadlock: a waits for b (lock y), b waits for a (lock x); release a lock "
      "first, or ask without wait_ms");
  EXPECT_EQ(Acquire("a", "y"), 0) << "to ask is no wait";
}

TEST_F(LocksInLine, WhoLetGoIsWaitedForNoMore) {
  Acquire("a", "x");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  Release("a", "x");
  Waiting a{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(a).waits) << "behind b, who has not come to take it";
  EXPECT_TRUE(Run(b).acquired);
  EXPECT_TRUE(Run(a).waits);
  const auto waits = room.Do([](Records& records) { return WaitsOf(records, "a"); });
  ASSERT_EQ(waits->size(), 1U);
  EXPECT_EQ(waits->front().holder, "b");
  EXPECT_TRUE(room.Do([](Records& records) { return WaitsOf(records, "b"); })->empty());
}

TEST_F(LocksInLine, AWaitForALockClosesCyclesWithRequestsForAssistance) {
  Acquire("a", "x");
  room.Get("request_assistance",
           R"({"requesting_agent_id":"a","target_agent_id":"b","task_description":"d"})");
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("b", "x", kWait)),
              HasSubstr("b waits for a (lock x), a waits for b (assistance_00000001)"));
}

// ---- Time -------------------------------------------------------------------------------------

TEST_F(LocksInLine, GoWithJumpsOfTheWallClock) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 5'000}};
  EXPECT_TRUE(Run(b).waits);
  room.now += 3'600'000;
  EXPECT_TRUE(room.Do([](Records& records) { return MoveLeases(records, 3'600'000); }).has_value());
  EXPECT_TRUE(Run(b).waits);
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("c", "x")), "");
  room.now += 5'000;
  EXPECT_FALSE(Run(b).waits) << "its time is over, but not the lease";
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
}

TEST_F(LocksInLine, GoOnAtTheStartWithWhatIsLeftOfThem) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  Acquire("a", "y", R"(,"lease_ms":5000)");
  Acquire("a", "z", R"(,"lease_ms":1000)");
  room.now += 4'000;
  ASSERT_TRUE(room.Do([](Records& records) { return NoteAlive(records); }).has_value());
  room.now += 3'600'000;
  ASSERT_TRUE(room.Do([](Records& records) { return GoOnWithLeases(records); }).has_value());
  const auto left = [this](const char* path) {
    return Check(path).at("holders").at(0).at("expires_in_ms");
  };
  EXPECT_EQ(left("x"), json::value(6'000));
  EXPECT_EQ(left("y"), json::value(2'000)) << "time for a first word";
  EXPECT_EQ(left("z"), json::value(1'000)) << "but never more than a lease";
}

TEST_F(LocksInLine, BeginAnewWhereNobodyKnowsWhenItRanAndNobodyIsInLine) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  room.now += 20'000;
  EXPECT_TRUE(room.Do([](Records& records) { return GoOnWithLeases(records); }).has_value());
  EXPECT_EQ(Check("x").at("holders").at(0).at("expires_in_ms"), json::value(10'000));
  EXPECT_FALSE(Check("x").contains("waiting"));
  EXPECT_TRUE(room.Do([](Records& records) { return WaitsOf(records, "b"); })->empty());
  const auto counters = room.Do([](Records& records) { return CountersOf(records); });
  EXPECT_EQ(counters->at("locks_waiting"), 0);
}

TEST_F(LocksInLine, FencesGrowAcrossStarts) {
  const std::int64_t before = room.now;
  EXPECT_TRUE(room.Do([](Records& records) { return GoOnWithLeases(records); }).has_value());
  const std::int64_t fence = Acquire("a", "x");
  EXPECT_GT(fence, before) << "as if there were no records of the time before";
  room.now = before - 1'000;
  EXPECT_TRUE(room.Do([](Records& records) { return GoOnWithLeases(records); }).has_value());
  EXPECT_EQ(Acquire("b", "y"), fence + 1);
}

// ---- Circles through others -------------------------------------------------------------------

TEST_F(LocksInLine, TwoThatShareAndBothWantItAloneWouldWaitForever) {
  Acquire("a", "x", kShared);
  Acquire("b", "x", kShared);
  Waiting a{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(a).waits);
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("b", "x", kWait)),
              HasSubstr("b waits for a (lock x), a waits for b (lock x)"));
  Release("b", "x");
  EXPECT_EQ(room.effects.lines, std::vector<std::string>{LineOf("x")});
  EXPECT_TRUE(Run(a).acquired);
}

TEST_F(LocksInLine, ACircleMayGoThroughWork) {
  const std::string parent = room.Create("p");
  room.Claim("a");
  const std::string need = room.Create("n");
  const std::string child =
      room.Create("c", R"(,"parent":")" + parent + R"(","depends_on":[")" + need + R"("])");
  room.Claim("b");
  Acquire("a", "x");
  EXPECT_EQ(room.Refusal("acquire_file_lock", Of("b", "x", kWait)),
            "this would be a deadlock: b waits for a (lock x), a waits for b (" + need +
                "); release a lock first, or ask without wait_ms");
  room.Get("start_task", Room::Id(need));
  room.Get("complete_task", Room::Id(need));
  EXPECT_EQ(room.Refusal("acquire_file_lock", Of("b", "x", kWait)), "") << "nobody has the child";
}

}  // namespace
}  // namespace switchyard::orchestration
