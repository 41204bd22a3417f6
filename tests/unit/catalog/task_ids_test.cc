#include "catalog/task_ids.h"

#include <gtest/gtest.h>

namespace switchyard::catalog {
namespace {

using Use = TaskIds::Use;

struct TaskIdsTest : ::testing::Test {
  Sealer sealer{Sealer::RandomKey()};
  TaskIds ids{sealer};
  Call call;
  TaskIdsTest() {
    call.endpoint = "team";
    call.caller = MakeCaller({.issuer = "i", .subject = "s", .client = "c"});
    call.target.name = "tool";
  }
  std::string Id(Use use = Use::kTask) {
    return ids.Seal(use, call, {.server = "wiki", .id = "t 1"});
  }
};

TEST_F(TaskIdsTest, OpenToTheTaskTheyName) {
  const std::optional<TaskIds::Named> task = ids.Open(Use::kTask, call, Id());
  ASSERT_TRUE(task);
  EXPECT_EQ(task->server, "wiki");
  EXPECT_EQ(task->id, "t 1");
}

TEST_F(TaskIdsTest, SayOfWhichToolTheTaskIs) {
  const std::string id = Id();
  call.target.name = "";  // who asks about it does not say
  const std::optional<TaskIds::Named> task = ids.Open(Use::kTask, call, id);
  ASSERT_TRUE(task);
  EXPECT_EQ(task->tool, "tool");
}

TEST_F(TaskIdsTest, AreNeverTheSameTwice) { EXPECT_NE(Id(), Id()); }

TEST_F(TaskIdsTest, OfAnotherCallerDoNotOpen) {
  const std::string id = Id();
  for (std::string Principal::* part :
       {&Principal::issuer, &Principal::subject, &Principal::client}) {
    Call other;
    other.endpoint = call.endpoint;
    Principal changed = *call.caller;
    changed.*part += "x";
    other.caller = MakeCaller(std::move(changed));
    EXPECT_FALSE(ids.Open(Use::kTask, other, id));
  }
}

TEST_F(TaskIdsTest, OfAnotherEndpointOrKeyDoNotOpen) {
  const std::string id = Id();
  call.endpoint = "other";
  EXPECT_FALSE(ids.Open(Use::kTask, call, id));
  call.endpoint = "team";
  const Sealer other(Sealer::RandomKey());
  EXPECT_FALSE(TaskIds(other).Open(Use::kTask, call, id));
}

TEST_F(TaskIdsTest, StatesOfHeldCallsAreNoIdsAndBelongToTheirTool) {
  const std::string state = Id(Use::kHeld);
  EXPECT_FALSE(ids.Open(Use::kTask, call, state));
  EXPECT_FALSE(ids.Open(Use::kHeld, call, Id()));
  EXPECT_TRUE(ids.Open(Use::kHeld, call, state));
  call.target.name = "another";
  EXPECT_FALSE(ids.Open(Use::kHeld, call, state));
}

TEST_F(TaskIdsTest, RubbishDoesNotOpen) {
  for (const std::string& id :
       {std::string(), std::string("x"), std::string(1 << 20, 'A'), Id() + "A"}) {
    EXPECT_FALSE(ids.Open(Use::kTask, call, id));
  }
}

}  // namespace
}  // namespace switchyard::catalog
