#include "orchestration/lifecycle.h"

#include <gtest/gtest.h>

namespace switchyard::orchestration {
namespace {

TEST(Lifecycle, WordsReadBackAsTheyAreWritten) {
  for (int i = 0; i < kStatuses; ++i) {
    EXPECT_EQ(StatusOf(ToString(static_cast<Status>(i))), static_cast<Status>(i));
  }
  for (int i = 0; i < kPriorities; ++i) {
    EXPECT_EQ(PriorityOf(ToString(static_cast<Priority>(i))), static_cast<Priority>(i));
  }
  EXPECT_EQ(StatusOf("done"), std::nullopt);
  EXPECT_EQ(PriorityOf("urgent"), std::nullopt);
}

TEST(Lifecycle, ARefusalNamesTheMovesThatAreLegal) {
  EXPECT_TRUE(Allows("start_task", Status::kAssigned, "t").has_value());
  EXPECT_EQ(Allows("complete_task", Status::kPending, "t").error().message,
            "task t is pending: complete_task does not apply; what applies: assign_task, "
            "fail_task, cancel_task, update_task");
  EXPECT_EQ(Allows("start_task", Status::kCompleted, "t").error().message,
            "task t is completed: start_task does not apply; it is over");
}

TEST(Lifecycle, AMoveThatLeadsToTwoStatesIsNamedOnce) {
  EXPECT_EQ(Allows("assign_task", Status::kInProgress, "t").error().message,
            "task t is in_progress: assign_task does not apply; what applies: complete_task, "
            "fail_task, cancel_task");
}

TEST(Lifecycle, NothingLeadsOutOfCompletedAndOnlyAStartedTaskLeadsThere) {
  for (int i = 0; i < kStatuses; ++i) {
    const auto other = static_cast<Status>(i);
    EXPECT_FALSE(Leads(Status::kCompleted, other));
    EXPECT_EQ(Leads(other, Status::kCompleted), other == Status::kInProgress);
  }
}

}  // namespace
}  // namespace switchyard::orchestration
