#include "edge/task_board.h"

#include <gtest/gtest.h>

namespace switchyard::edge {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct TaskBoardTest : ::testing::Test {
  ManualClock clock;
  TaskBoard board{clock, {.per_session = 3, .total = 5, .result_bytes = 100, .longest = hours(1)}};

  void Add(const std::string& session, const std::string& id, const std::string& result = "") {
    TaskBoard::Entry entry{.task = "{" + id + "}", .cancelled = false, .result = nullptr};
    if (!result.empty()) entry.result = std::make_shared<const std::string>(result);
    board.Add(session, id, std::move(entry), minutes(10));
  }
};

TEST_F(TaskBoardTest, ListsASessionsTasksInTheirOrder) {
  Add("s", "b");
  Add("s", "a");
  Add("other", "c");
  EXPECT_EQ(board.List("s"), (std::vector<std::string>{"{b}", "{a}"}));
  EXPECT_FALSE(board.Find("s", "c"));
}

TEST_F(TaskBoardTest, ForgetsATaskWhenItsTimeIsOver) {
  Add("s", "a");
  clock.Advance(minutes(9));
  EXPECT_TRUE(board.Find("s", "a"));
  clock.Advance(minutes(1));
  EXPECT_FALSE(board.Find("s", "a"));
  EXPECT_TRUE(board.List("s").empty());
}

TEST_F(TaskBoardTest, KeepsNothingLongerThanTheLongest) {
  board.Add("s", "a", {.task = "{}", .cancelled = false, .result = nullptr}, hours(5));
  clock.Advance(hours(1));
  EXPECT_FALSE(board.Find("s", "a"));
}

TEST_F(TaskBoardTest, TheOldestOfASessionGoesFirst) {
  for (const char* id : {"1", "2", "3", "4"}) Add("s", id);
  EXPECT_EQ(board.List("s"), (std::vector<std::string>{"{2}", "{3}", "{4}"}));
}

TEST_F(TaskBoardTest, TheOldestOfAllGoesFirst) {
  for (const char* id : {"1", "2", "3"}) Add("s", id);
  for (const char* id : {"4", "5", "6"}) Add("t", id);
  EXPECT_EQ(board.size(), 5u);
  EXPECT_FALSE(board.Find("s", "1"));
  EXPECT_TRUE(board.Find("s", "2"));
}

TEST_F(TaskBoardTest, ResultsAreBoundedInBytes) {
  Add("s", "1", std::string(60, 'x'));
  Add("s", "2", std::string(40, 'x'));
  EXPECT_EQ(board.size(), 2u);
  Add("s", "3", std::string(30, 'x'));
  EXPECT_FALSE(board.Find("s", "1"));
  EXPECT_TRUE(board.Find("s", "2"));
  board.Forget("s");
  Add("s", "4", std::string(100, 'x'));
  EXPECT_TRUE(board.Find("s", "4"));
}

TEST_F(TaskBoardTest, WhatIsCancelledStaysAsItIs) {
  Add("s", "a");
  board.Note("s", "a", "noted");
  EXPECT_EQ(board.Find("s", "a")->task, "noted");
  board.Cancel("s", "a", "cancelled");
  board.Note("s", "a", "completed after all");
  EXPECT_EQ(board.Find("s", "a")->task, "cancelled");
  EXPECT_TRUE(board.Find("s", "a")->cancelled);
  board.Note("s", "none", "x");
  board.Cancel("s", "none", "x");
  EXPECT_EQ(board.size(), 1u);
}

TEST_F(TaskBoardTest, TheSameTaskAgainTakesItsPlace) {
  Add("s", "a", "12345");
  Add("s", "a");
  EXPECT_EQ(board.size(), 1u);
  EXPECT_EQ(board.Find("s", "a")->result, nullptr);
}

TEST_F(TaskBoardTest, AnEndedSessionLeavesNothing) {
  Add("s", "a");
  Add("t", "b");
  board.Forget("s");
  EXPECT_EQ(board.size(), 1u);
}

}  // namespace
}  // namespace switchyard::edge
