// What one caller may have of the queue.
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/lanes.h"
#include "unit/orchestration/recorder.h"
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
  // What a call that is refused wrote before that, as far as it is no word of an agent. Its refusal
  // in `said`.
  std::string WrittenBy(std::string_view tool, const std::string& raw) {
    std::set<std::string> asked;
    const Tool* const found = FindTool(std::string(kToolPrefix) + std::string(tool));
    Arguments arguments(raw);
    Result<Operation> operation = found->prepare(arguments);
    if (!operation) return operation.error().message;
    const Result<Answer> answer = room.Do([&](Records& records) {
      Recorder recorder(records.sql, asked);
      Records through{.sql = recorder,
                      .now = records.now,
                      .settings = records.settings,
                      .caller = records.caller};
      return operation->run(through);
    });
    said = answer ? "" : answer.error().message;
    std::string written;
    for (const std::string& sql : asked) {
      if (!sql.starts_with("SELECT") && !sql.starts_with("WITH")) written += sql + "; ";
    }
    return written;
  }
  // Kinds that are over, and then others of which this caller has tasks.
  void Fill(int its, int over) {
    ASSERT_TRUE(room.Do([&](Records& records) -> Result<void> {
                      Result<void> done = {};
                      for (int i = 0; i < over + its; ++i) {
                        const std::string type = "filled" + std::to_string(i);
                        Result<std::int64_t> lane = LaneFor(records, type, "[]");
                        if (!lane) return Failure(std::move(lane.error()));
                        if (i < over) continue;
                        done = records.sql.Execute("UPDATE lane SET unfinished = 1 WHERE id = $1",
                                                   {*lane});
                      }
                      return done;
                    })
                    .has_value());
  }
  static std::string Kind(int i) { return R"(,"task_type":"k)" + std::to_string(i) + "\""; }

  Room room;
  std::string said;
};

// What is undone again costs all that is committed with it.
TEST_F(Shares, WhatIsRefusedForWantOfRoomWroteNothing) {
  room.caller = "alice";
  Fill(kMaxLanes / 2, kMaxLanes / 2);
  EXPECT_EQ(WrittenBy("create_task", R"({"content":"x","task_type":"k"})"), "");
  EXPECT_THAT(said, HasSubstr("there are 500 kinds of tasks of yours"));
  room.caller = "bob";
  EXPECT_THAT(As("bob", Kind(1)), StartsWith("task_")) << "those that are over make room";
  room.caller = "alice";
  room.settings.max_tasks = 4;
  EXPECT_THAT(As("alice", R"(,"task_type":"filled999")"), StartsWith("task_"));
  EXPECT_THAT(As("alice", R"(,"task_type":"filled999")"), StartsWith("task_"));
  EXPECT_EQ(WrittenBy("create_task", R"({"content":"x"})"), "");
  EXPECT_THAT(said, HasSubstr("there are 2 tasks of yours"));
}

TEST_F(Shares, ABatchForWhichThereIsNoRoomWroteNothing) {
  room.caller = "alice";
  room.settings.max_tasks = 6;
  const auto batch = [](const std::string& tasks) { return R"({"tasks":[)" + tasks + "]}"; };
  const std::string two = R"({"content":"x","idempotency_key":"a"},{"content":"y"})";
  EXPECT_EQ(room.Refusal("create_tasks", batch(two)), "");
  EXPECT_EQ(WrittenBy("create_tasks", batch(two + R"(,{"content":"z"})")), "");
  EXPECT_EQ(
      said,
      "tasks: there are 2 tasks of yours already, and 2 more are too many, 1 would do: half of "
      "all that are kept (max_tasks) are the most that one caller has; finished ones are forgotten "
      "after retain");
  EXPECT_EQ(room.Refusal("create_tasks", batch(two)), "") << "the first is there already";
  // Kinds: the caller's, then everybody's.
  room.settings.max_tasks = 1000;
  Fill(kMaxLanes / 2 - 2, 0);
  const std::string kinds = R"({"content":"x","task_type":"k1"},{"content":"x","task_type":"k2"})";
  EXPECT_EQ(WrittenBy("create_tasks", batch(kinds)), "");
  EXPECT_THAT(said, HasSubstr("there are 499 kinds of tasks of yours that are not over already"));
  EXPECT_THAT(said, HasSubstr("and 2 more are too many, 1 would do: 500 are the most"));
  const std::string one = R"({"content":"x","task_type":"k1"},{"content":"y","task_type":"k1"})";
  EXPECT_EQ(room.Refusal("create_tasks", batch(one)), "") << "two of one kind";
  room.caller = "";
  for (int i = 0; i < kMaxLanes / 2 - 1; ++i)
    ASSERT_THAT(As("", Kind(100 + i)), StartsWith("task_"));
  EXPECT_EQ(
      WrittenBy("create_tasks",
                batch(R"({"content":"x","task_type":"n1"},{"content":"x","task_type":"n2"})")),
      "");
  EXPECT_THAT(said, HasSubstr("tasks: there are 1000 kinds of tasks"));
}

// A plan is made whole or not at all, and what it lacks room for is told before any of it is made.
TEST_F(Shares, APlanForWhichThereIsNoRoomWroteNothing) {
  const std::string plan =
      R"({"create":true,"task":"1. Load\n2. Use python\n3. Report","idempotency_key":"p"})";
  room.caller = "alice";
  room.settings.max_tasks = 7;
  EXPECT_THAT(As("alice"), StartsWith("task_"));
  EXPECT_EQ(WrittenBy("decompose_task", plan), "");
  EXPECT_THAT(said, HasSubstr("subtasks: there are 1 tasks of yours already, and 4 more are too "
                              "many, 3 would do: half of all that are kept (max_tasks)"));
  EXPECT_EQ(room.Get("query_tasks").at("tasks").as_array().size(), 1U);
  // A part of what is there already: it needs room for its parts alone.
  const std::string parts =
      R"({"create":true,"task_id":"task_00000001","task":"1. Load\n2. Sum\n3. Report"})";
  EXPECT_EQ(room.Refusal("decompose_task", parts), "");
  EXPECT_EQ(room.Get("get_task_status", Room::Id("task_00000001")).at("waits_for"),
            boost::json::value(1));
  // Everybody's.
  room.caller = "";
  EXPECT_EQ(WrittenBy("decompose_task", plan), "");
  EXPECT_THAT(said, HasSubstr("subtasks: there are 4 tasks already, and 4 more are too many, 3 "
                              "would do: 7 are the most that are kept (max_tasks)"));
  room.settings.max_tasks = 8;
  EXPECT_EQ(room.Refusal("decompose_task", plan), "");
  EXPECT_EQ(room.Refusal("decompose_task", plan), "") << "it is there already";
}

TEST_F(Shares, APlanOfTooManyKindsWroteNothing) {
  room.caller = "alice";
  room.Register("a", R"(,"capabilities":["python","rust"])");
  Fill(kMaxLanes / 2 - 2, 0);
  const std::string plan =
      R"({"create":true,"task":"1. Use python\n2. Use rust\n3. Report to all"})";
  EXPECT_EQ(WrittenBy("decompose_task", plan), "");
  EXPECT_THAT(said, HasSubstr("subtasks: there are 498 kinds of tasks of yours that are not over "
                              "already"));
  EXPECT_THAT(said, HasSubstr("and 3 more are too many, 2 would do: 500 are the most"));
  EXPECT_EQ(room.Refusal("decompose_task", R"({"create":true,"task":"1. Use rust\n2. Report"})"),
            "");
}

// Its parent waits for parts already, for as many as a task may.
TEST_F(Shares, APlanThatItsTaskCannotWaitForWroteNothing) {
  std::string needs;
  for (std::size_t i = 0; i < kMaxList; ++i) {
    needs += (i == 0 ? "\"" : ",\"") + room.Create("x") + "\"";
  }
  const std::string whole = room.Create("whole", R"(,"depends_on":[)" + needs + "]");
  ASSERT_THAT(whole, StartsWith("task_"));
  EXPECT_EQ(WrittenBy("decompose_task", R"({"create":true,"task_id":")" + whole +
                                            R"(","task":"1. Load\n2. Report"})"),
            "");
  EXPECT_EQ(said, "depends_on: a task waits for at most " + std::to_string(kMaxList));
}

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
