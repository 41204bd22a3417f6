// Who may hand out what is another's, what that does to the agents that get it, and late words.
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class HandingOut : public ::testing::Test {
 protected:
  HandingOut() {
    room.caller = "alice";
    room.Register("a", R"(,"max_concurrent":2)");
    room.caller = "bob";
    room.Register("b");
  }
  std::string Made(const std::string& caller, const std::string& more = "") {
    room.caller = caller;
    return room.Create("x", more);
  }
  std::string Assign(const std::string& caller, const std::string& task, const std::string& agent,
                     const std::string& more = "") {
    room.caller = caller;
    return room.Refusal("assign_task", Room::Id(task, R"(,"agent_id":")" + agent + "\"" + more));
  }
  void LeaseIsOver() {
    room.now += 1'000;
    ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  }
  json::value Of(const std::string& agent, const char* number) {
    return room.Get("get_agent_health", R"({"agent_id":")" + agent + R"("})").at(number);
  }
  static Rights With(Right right) {
    Roles roles;
    roles.of[static_cast<std::size_t>(right)] = std::vector<std::string>{"lead"};
    return {roles, Principal{.subject = "s", .roles = {"lead"}}};
  }

  Room room;
};

constexpr const char* kNotYours = "was created by another caller, who hands it out";
constexpr const char* kShort = R"(,"lease_ms":1000)";

TEST_F(HandingOut, IsForWhoMadeTheTaskOrHasTheAgent) {
  const std::string task = Made("alice");
  EXPECT_THAT(Assign("bob", task, "a"), HasSubstr(kNotYours));
  EXPECT_EQ(room.StatusOf(task), "pending");
  EXPECT_EQ(Assign("bob", task, "b"), "") << "as poll_tasks would give it";
  const std::string mine = Made("bob");
  EXPECT_EQ(Assign("bob", mine, "a"), "") << "a coordinator gives its own to others' agents";
}

TEST_F(HandingOut, OfWhatNobodyProvedIsForEverybody) {
  EXPECT_EQ(Assign("bob", Made(""), "a"), "");
  room.caller = "";
  room.Register("anybody");
  EXPECT_EQ(Assign("", Made(""), "anybody"), "");
  EXPECT_THAT(Assign("", Made("alice"), "anybody"), HasSubstr(kNotYours));
}

TEST_F(HandingOut, IsForWhomTheConfigurationGivesTheRightTo) {
  const std::string one = Made("alice"), other = Made("alice");
  room.rights = With(Right::kAssign);
  EXPECT_EQ(Assign("bob", one, "a"), "");
  room.rights = With(Right::kForce);
  EXPECT_EQ(Assign("bob", other, "a"), "");
}

TEST_F(HandingOut, OfAPartIsForWhoeverHasTheWhole) {
  const std::string whole = Made("alice");
  const std::string part = Made("alice", R"(,"parent":")" + whole + "\"");
  EXPECT_THAT(Assign("bob", part, "a"), HasSubstr(kNotYours));
  ASSERT_EQ(Assign("alice", whole, "b"), "");
  EXPECT_EQ(Assign("bob", part, "a"), "");
}

// What was seen: three leases of a second, and the task was failed and the agent a bad one.
TEST_F(HandingOut, WhatAnAgentDidNotKnowOfIsNeitherItsFailureNorATry) {
  const std::string task = Made("bob");
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(Assign("bob", task, "a", kShort), "") << i;
    LeaseIsOver();
    EXPECT_EQ(room.StatusOf(task), "pending") << i;
  }
  EXPECT_FALSE(room.Get("get_agent_health", R"({"agent_id":"a"})").contains("expired"));
  EXPECT_EQ(Of("a", "success_rate"), json::value(1.0));
  EXPECT_EQ(room.Get("get_routing_stats").at("leases_expired"), json::value(4));
}

TEST_F(HandingOut, WhatAnAgentTookOnAndDroppedIsItsFailure) {
  const std::string started = Made("bob");
  ASSERT_EQ(Assign("bob", started, "a", kShort), "");
  room.caller = "alice";
  ASSERT_EQ(room.Refusal("start_task", Room::Id(started, R"(,"agent_id":"a")")), "");
  LeaseIsOver();
  EXPECT_EQ(Of("a", "expired"), json::value(1));
  const std::string renewed = Made("bob");
  ASSERT_EQ(Assign("bob", renewed, "a", kShort), "");
  room.caller = "alice";
  ASSERT_EQ(room.Refusal("heartbeat", Room::Id(renewed, R"(,"agent_id":"a")")), "");
  LeaseIsOver();
  EXPECT_EQ(Of("a", "expired"), json::value(2));
  ASSERT_EQ(Assign("alice", Made("alice"), "a", kShort), "") << "by its own caller";
  LeaseIsOver();
  EXPECT_EQ(Of("a", "expired"), json::value(3));
}

TEST_F(HandingOut, WhoTurnsDownWhatOthersGaveItHasNotFailed) {
  const std::string task = Made("bob");
  ASSERT_EQ(Assign("bob", task, "a"), "");
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("fail_task",
                         Room::Id(task, R"(,"agent_id":"a","error":"no","should_retry":true)")),
            "");
  EXPECT_EQ(room.StatusOf(task), "pending");
  EXPECT_EQ(Of("a", "success_rate"), json::value(1.0));
}

TEST_F(HandingOut, LeavesRoomForWhatTheAgentTakesItself) {
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Assign("bob", Made("bob"), "a"), "");
  EXPECT_THAT(Assign("bob", Made("bob"), "a"), HasSubstr("a has 2 of 2 tasks"));
  for (int i = 0; i < 3; ++i) Made("alice", R"(,"task_type":"own")");
  room.caller = "alice";
  EXPECT_EQ(room.Claim("a", R"(,"task_type":"own")"), "task_00000004 task_00000005");
  EXPECT_THAT(room.Claim("a"), HasSubstr("a has 2 of 2 tasks; complete one first"));
  EXPECT_EQ(room.Refusal("start_task", R"({"task_id":"task_00000001","agent_id":"a"})"), "");
}

class LateWords : public ::testing::Test {
 protected:
  LateWords() {
    room.Register("dead");
    room.Register("next");
    task = room.Create("x");
    room.Claim("dead", kShort);
    room.Get("start_task", Room::Id(task));
    room.now += 1'000;
  }
  std::string Say(std::string_view tool, std::string_view more = "") {
    return room.Refusal(tool, Room::Id(task, more));
  }
  Room room;
  std::string task;
};

TEST_F(LateWords, DoNotEndWhatIsWithAnotherByNow) {
  ASSERT_EQ(room.Claim("next"), task);
  constexpr const char* kWho = "was taken back before and given on: say who speaks";
  EXPECT_THAT(Say("start_task"), HasSubstr(kWho));
  ASSERT_EQ(Say("start_task", R"(,"agent_id":"next")"), "");
  EXPECT_THAT(Say("complete_task", R"(,"result":1)"), HasSubstr(kWho));
  EXPECT_THAT(Say("fail_task", R"(,"error":"late")"), HasSubstr(kWho));
  EXPECT_THAT(Say("complete_task", R"(,"agent_id":"dead")"), HasSubstr("is with agent next"));
  EXPECT_EQ(Say("complete_task", R"(,"fence":3,"result":2)"), "");
}

TEST_F(LateWords, DoNotEndWhatIsWithNobody) {
  ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  ASSERT_EQ(room.StatusOf(task), "pending");
  for (const char* who : {"", R"(,"agent_id":"dead")"}) {
    EXPECT_THAT(Say("fail_task", std::string(R"(,"error":"late")") + who),
                HasSubstr("is with nobody: drop this work"));
  }
  EXPECT_EQ(Say("cancel_task"), "");
}

}  // namespace
}  // namespace switchyard::orchestration
