// What one caller may have of the queue.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Shares : public ::testing::Test {
 protected:
  std::string As(const std::string& caller, const std::string& more = "") {
    room.caller = caller;
    return room.Create("x", more);
  }
  Room room;
};

TEST_F(Shares, OfOneCallerAreHalfOfTheTasks) {
  room.settings.max_tasks = 6;
  const std::string key = R"(,"idempotency_key":"k")";
  EXPECT_EQ(As("alice", key), "task_00000001");
  for (int i = 0; i < 2; ++i) EXPECT_THAT(As("alice"), StartsWith("task_"));
  EXPECT_THAT(As("alice"), HasSubstr("there are 3 tasks of yours already, half of all"));
  EXPECT_EQ(As("alice", key), "task_00000001") << "which is no new one";
  // What is over counts as long as it is kept.
  room.Get("cancel_task", Room::Id("task_00000001"));
  EXPECT_THAT(As("alice"), HasSubstr("tasks of yours already"));
  EXPECT_THAT(As("bob"), StartsWith("task_"));
  EXPECT_THAT(As(""), StartsWith("task_"));
  EXPECT_THAT(As(""), StartsWith("task_")) << "nobody in particular has no share";
  EXPECT_THAT(As(""), HasSubstr("there are 6 tasks already"));
  room.now += room.settings.retain_ms;
  ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  EXPECT_THAT(As("alice"), StartsWith("task_")) << "the cancelled one is forgotten";
  EXPECT_THAT(As("alice"), HasSubstr("tasks already"));
}

TEST_F(Shares, OfAnOddNumberAreTheLargerHalf) {
  room.settings.max_tasks = 1;
  EXPECT_THAT(As("alice"), StartsWith("task_"));
  EXPECT_THAT(As("alice"), HasSubstr("tasks already"));
  room.settings.max_tasks = 5;
  for (int i = 0; i < 2; ++i) EXPECT_THAT(As("alice"), StartsWith("task_"));
  EXPECT_THAT(As("alice"), HasSubstr("there are 3 tasks of yours already"));
}

TEST_F(Shares, OfOneCallerAreHalfOfTheKinds) {
  const auto kind = [](int i) { return R"(,"task_type":"k)" + std::to_string(i) + "\""; };
  for (int i = 0; i < kMaxLanes / 2; ++i) ASSERT_THAT(As("mallory", kind(i)), StartsWith("task_"));
  EXPECT_THAT(As("mallory", kind(5000)), HasSubstr("there are 500 kinds of tasks of yours"));
  EXPECT_THAT(As("mallory", kind(7)), StartsWith("task_")) << "one that is there";
  EXPECT_THAT(As("alice", kind(6000)), StartsWith("task_"));
  EXPECT_THAT(As("", kind(6001)), StartsWith("task_"));
  room.caller = "mallory";
  ASSERT_EQ(room.Refusal("cancel_task", Room::Id("task_00000001")), "");
  EXPECT_THAT(As("mallory", kind(5000)), StartsWith("task_")) << "a kind of hers is over";
}

// A kind of which all is over is of the share of who needs it next.
TEST_F(Shares, AKindThatIsNeededAgainIsOfWhoNeedsIt) {
  const auto kind = [](int i) { return R"(,"task_type":"k)" + std::to_string(i) + "\""; };
  const auto begun = [&](const std::string& who, int i) {
    const std::string task = As(who, kind(i));
    ASSERT_THAT(task, StartsWith("task_"));
    ASSERT_EQ(room.Refusal("cancel_task", Room::Id(task)), "");
  };
  for (int i = 0; i < 2; ++i) begun("alice", i);
  for (int i = 0; i < 2; ++i) ASSERT_THAT(As("mallory", kind(i)), StartsWith("task_"));
  for (int i = 2; i < kMaxLanes / 2; ++i) ASSERT_THAT(As("mallory", kind(i)), StartsWith("task_"));
  begun("alice", 5000);
  EXPECT_THAT(As("mallory", kind(5000)), HasSubstr("there are 500 kinds of tasks of yours"));
  for (int i = 6000; i < 6000 + kMaxLanes / 2 - 1; ++i) {
    ASSERT_THAT(As("alice", kind(i)), StartsWith("task_")) << "none is charged to her";
  }
  EXPECT_THAT(As("alice", kind(5000)), StartsWith("task_"));
  EXPECT_THAT(As("alice", kind(6999)), HasSubstr("kinds of tasks"));
}

}  // namespace
}  // namespace switchyard::orchestration
