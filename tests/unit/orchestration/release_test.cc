// A task for which very many wait is done with at once; they are released part by part.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/dependencies.h"
#include "orchestration/statistics.h"
#include "support/temp_dir.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

constexpr int kWaiting = 600;  // more than twice what is released at once

class Releasing : public ::testing::Test {
 protected:
  // One task, and those that wait for it.
  static std::string CreateAll(Room& room) {
    room.Register("a");
    std::string first = room.Create("first");
    for (int made = 0; made < kWaiting; made += 100) {
      std::string batch = R"({"tasks":[)";
      for (int i = 0; i < 100; ++i) {
        batch +=
            std::string(i == 0 ? "" : ",") + R"({"content":"x","depends_on":[")" + first + "\"]}";
      }
      EXPECT_EQ(room.Refusal("create_tasks", batch + "]}"), "");
    }
    return first;
  }
  static void Complete(Room& room, const std::string& id) {
    EXPECT_EQ(room.Claim("a"), id);
    EXPECT_EQ(room.Refusal("start_task", Room::Id(id)), "");
    EXPECT_EQ(room.Refusal("complete_task", Room::Id(id)), "");
  }
  static std::int64_t Ready(Room& room) {
    return room
        .Do([](Records& records) -> Result<std::int64_t> {
          Result<Database::Rows> rows = records.sql.Query("SELECT sum(ready) FROM lane");
          if (!rows) return Failure(std::move(rows.error()));
          return rows->front().Number(0);
        })
        .value();
  }
  static bool GoOn(Room& room) {
    return room.Do([](Records& r) { return GoOnReleasing(r); }).value();
  }
};

TEST_F(Releasing, IsBoundedInEachTransactionAndComesToAnEnd) {
  Room room;
  Complete(room, CreateAll(room));
  EXPECT_TRUE(room.effects.more);
  EXPECT_EQ(Ready(room), kReleasedAtOnce);
  EXPECT_TRUE(GoOn(room));
  EXPECT_EQ(room.effects.ready, kReleasedAtOnce);
  while (GoOn(room)) continue;
  EXPECT_EQ(Ready(room), kWaiting);
}

TEST_F(Releasing, ComesToItsEndAfterARestart) {
  const tests::TempDir directory;
  {
    Room room(directory.Path("o.db"));
    Complete(room, CreateAll(room));
  }
  {
    Room room(directory.Path("o.db"));
    EXPECT_EQ(Ready(room), kReleasedAtOnce);
    while (GoOn(room)) continue;
    EXPECT_EQ(Ready(room), kWaiting);
  }
}

// What comes to wait for the task meanwhile waits for nothing.
TEST_F(Releasing, CountsNobodyTwice) {
  Room room;
  const std::string first = CreateAll(room);
  Complete(room, first);
  const std::string late = room.Create("late", R"(,"depends_on":[")" + first + "\"]");
  EXPECT_EQ(room.StatusOf(late), "pending");
  EXPECT_EQ(Ready(room), kReleasedAtOnce + 1);
  while (GoOn(room)) continue;
  EXPECT_EQ(Ready(room), kWaiting + 1);
  EXPECT_FALSE(room.Get("get_task_status", Room::Id(late)).contains("waits_for"));
}

TEST_F(Releasing, IsOverBeforeTheTaskIsForgotten) {
  Room room;
  const std::string first = CreateAll(room);
  Complete(room, first);
  room.now += room.settings.retain_ms + 1;
  ASSERT_TRUE(room.Do([](Records& r) { return Sweep(r); }).has_value());
  EXPECT_EQ(room.StatusOf(first), "completed");
  while (GoOn(room)) continue;
  ASSERT_TRUE(room.Do([](Records& r) { return Sweep(r); }).has_value());
  EXPECT_EQ(Ready(room), kWaiting);
  EXPECT_TRUE(room.Refusal("get_task_status", Room::Id(first)).starts_with("there is no task"));
}

TEST_F(Releasing, WhatWaitedForAForgottenFailureIsCancelledPartByPart) {
  Room room;
  const std::string first = CreateAll(room);
  EXPECT_EQ(room.Refusal("cancel_task", Room::Id(first)), "");
  room.now += room.settings.retain_ms + 1;
  const auto cancelled = [&] {
    return room.Do([](Records& r) { return QueueOf(r); })->Of(Status::kCancelled);
  };
  EXPECT_TRUE(room.Do([](Records& r) { return Sweep(r); }).value()) << "there is more";
  EXPECT_EQ(cancelled(), 1 + kReleasedAtOnce);
  while (room.Do([](Records& r) { return Sweep(r); }).value()) continue;
  EXPECT_EQ(cancelled(), kWaiting);
  EXPECT_THAT(room.Refusal("requeue_task", Room::Id("task_00000002")),
              ::testing::HasSubstr("is forgotten by now"));
  EXPECT_EQ(Ready(room), 0);
}

}  // namespace
}  // namespace switchyard::orchestration
