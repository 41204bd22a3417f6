// Who may do what: roles, what is another's, and whose an idempotency key is.
#include "orchestration/rights.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Rights Of(const Roles& roles, std::vector<std::string> has) {
  return {roles, Principal{.subject = "s", .roles = std::move(has)}};
}

TEST(Rights, AreEverybodysButForceAndVouchWhereNothingIsSaid) {
  for (const Rights& rights : {Rights(), Of({}, {})}) {
    EXPECT_TRUE(rights.Has(Right::kRegister) && rights.Has(Right::kAssign) &&
                rights.Has(Right::kCancel));
    EXPECT_FALSE(rights.Has(Right::kForce));
    EXPECT_FALSE(rights.Has(Right::kVouch));
  }
}

TEST(Rights, AreForTheRolesThatAreNamed) {
  Roles roles;
  roles.of[static_cast<std::size_t>(Right::kAssign)] = std::vector<std::string>{"lead", "ops"};
  roles.of[static_cast<std::size_t>(Right::kForce)] = std::vector<std::string>{"ops"};
  roles.of[static_cast<std::size_t>(Right::kCancel)] = std::vector<std::string>();
  EXPECT_TRUE(Of(roles, {"x", "lead"}).Has(Right::kAssign));
  EXPECT_FALSE(Of(roles, {"lead"}).Has(Right::kForce));
  EXPECT_TRUE(Of(roles, {"ops"}).Has(Right::kForce));
  EXPECT_FALSE(Of(roles, {"ops", "lead"}).Has(Right::kCancel)) << "an empty list is nobody";
  EXPECT_FALSE(Of(roles, {}).Has(Right::kAssign)) << "also of those who proved nothing";
  EXPECT_EQ(MayUse("assign_task", Of(roles, {}), &roles).error().message,
            "assign_task needs the right to assign; callers with role lead or ops have it");
  EXPECT_EQ(MayUse("cancel_task", Of(roles, {}), &roles).error().message,
            "cancel_task needs the right to cancel; nobody has it");
  EXPECT_TRUE(MayUse("poll_tasks", Of(roles, {}), &roles).has_value());
}

TEST(Rights, NameToolsThatThereAre) {
  for (const char* tool : {"register_agent", "deregister_agent", "assign_task", "assign_subtasks",
                           "delegate_subtask", "cancel_task"}) {
    EXPECT_TRUE(RightFor(tool).has_value()) << tool;
    EXPECT_NE(FindTool(std::string(kToolPrefix) + tool), nullptr) << tool;
  }
}

class Force : public ::testing::Test {
 protected:
  Force() {
    Roles roles;
    roles.of[static_cast<std::size_t>(Right::kForce)] = std::vector<std::string>{"ops"};
    force = Of(roles, {"ops"});
  }
  Room room;
  Rights force;
};

TEST_F(Force, ReachesWhatIsAnothers) {
  room.caller = "alice";
  room.Register("a");
  const std::string id = room.Create("x");
  room.caller = "mallory";
  EXPECT_THAT(room.Refusal("cancel_task", Room::Id(id)), HasSubstr("created by another caller"));
  EXPECT_THAT(room.Refusal("deregister_agent", R"({"agent_id":"a"})"),
              HasSubstr("registered by another caller"));
  room.rights = force;
  EXPECT_EQ(room.Refusal("cancel_task", Room::Id(id)), "");
  EXPECT_EQ(room.Refusal("deregister_agent", R"({"agent_id":"a"})"), "");
}

TEST_F(Force, PartsOfATaskAreMadeByWhoMadeItOrHasIt) {
  room.caller = "alice";
  room.Register("a");
  const std::string id = room.Create(R"(1. Load\n2. Clean)");
  const std::string part = R"({"content":"mine, merged as yours","parent":")" + id + R"("})";
  room.caller = "mallory";
  room.Register("m");
  EXPECT_THAT(room.Refusal("create_task", part), HasSubstr("created by another caller"));
  EXPECT_THAT(room.Refusal("create_tasks", R"({"tasks":[)" + part + "]}"),
              HasSubstr("created by another caller"));
  EXPECT_THAT(room.Refusal("decompose_task", R"({"create":true,"task_id":")" + id + R"("})"),
              HasSubstr("created by another caller"));
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("create_task", part), "");
  EXPECT_EQ(room.Refusal("assign_task", R"({"task_id":")" + id + R"(","agent_id":"m"})"), "");
  room.caller = "mallory";
  EXPECT_EQ(room.Refusal("create_task", part), "") << "who has it may split it";
  room.caller = "eve";
  EXPECT_NE(room.Refusal("create_task", part), "");
  room.rights = force;
  EXPECT_EQ(room.Refusal("create_task", part), "");
}

TEST_F(Force, WhoMayNotCancelMayNotFailWhatNobodyHasEither) {
  Roles roles;
  roles.of[static_cast<std::size_t>(Right::kCancel)] = std::vector<std::string>{"operator"};
  room.rights = Rights(roles, Principal());
  const std::string id = room.Create("x");
  EXPECT_THAT(room.Refusal("fail_task", Room::Id(id, R"(,"error":"no","should_retry":false)")),
              HasSubstr("your roles do not allow"));
}

TEST_F(Force, IsNoWayToActAsAnother) {
  room.caller = "alice";
  room.Register("a");
  room.Create("x");
  room.caller = "operator";
  room.rights = force;
  EXPECT_THAT(room.Claim("a"), HasSubstr("registered by another caller"));
  EXPECT_THAT(room.Refusal("heartbeat", R"({"agent_id":"a"})"),
              HasSubstr("registered by another caller"));
}

class Keys : public ::testing::Test {
 protected:
  std::string Create(const std::string& more) {
    return room.Create("x", R"(,"idempotency_key":"k")" + more);
  }
  Room room;
};

TEST_F(Keys, AreOfTheAgentThatIsNamed) {
  const std::string plain = Create("");
  const std::string a = Create(R"(,"agent_id":"a")");
  const std::string b = Create(R"(,"creator":"b")");
  EXPECT_NE(plain, a);
  EXPECT_NE(a, b);
  EXPECT_EQ(Create(R"(,"creator":"a")"), a);
  EXPECT_EQ(Create(""), plain);
}

TEST_F(Keys, OfAnothersAgentAreNotToBeHad) {
  room.caller = "alice";
  room.Register("a");
  const std::string made = Create(R"(,"agent_id":"a")");
  EXPECT_THAT(made, StartsWith("task_"));
  room.caller = "mallory";
  EXPECT_THAT(Create(R"(,"agent_id":"a")"), HasSubstr("registered by another caller"));
}

}  // namespace
}  // namespace switchyard::orchestration
