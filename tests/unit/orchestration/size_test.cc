// How large the records may be: what is refused beyond that, and what is not.
#include "orchestration/size.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/desk_room.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr const char* kFull = "so nothing is added";

class Size : public ::testing::Test {
 protected:
  Size() { room.settings.max_bytes = 3 * kMiB; }

  static std::string Large(std::size_t bytes = 200'000) { return std::string(bytes, 'x'); }
  // Creates tasks until one is refused; gives them.
  std::vector<std::string> Fill() {
    for (std::vector<std::string> made;;) {
      const std::string task = room.Create(Large());
      if (!task.starts_with("task_")) return made;
      made.push_back(task);
    }
  }
  void Forget() {
    room.now += room.settings.retain_ms;
    for (Result<bool> more = true; more && *more;) {
      more = room.Do([](Records& records) { return Sweep(records); });
      ASSERT_TRUE(more.has_value());
    }
  }

  Room room;
};

TEST_F(Size, IsBoundedForWhatAdds) {
  const std::vector<std::string> tasks = Fill();
  EXPECT_GE(tasks.size(), 10U);
  EXPECT_LE(tasks.size(), 15U);
  EXPECT_THAT(
      room.Create("x"),
      AllOf(HasSubstr("the records take all of the 3145728 bytes that they may (max_bytes)"),
            HasSubstr("have orchestration.max_bytes raised")));
  const Result<Answer> refused = room.Call("create_task", R"({"content":"x"})");
  EXPECT_EQ(refused.error().origin, Origin::kClient) << "its agent is told";
  EXPECT_FALSE(refused.error().retryable) << "it would be refused again";
}

TEST_F(Size, RefusesAllThatAdds) {
  room.Register("a");
  room.Register("b");
  const std::string project(
      room.Get("create_project", R"({"name":"p"})").at("project_id").as_string());
  const std::string session(
      room.Get("create_collaboration_session",
               R"({"title":"t","coordinator_model_id":"a","participant_model_ids":["b"]})")
          .at("session_id")
          .as_string());
  Fill();
  const std::string of_session = R"({"session_id":")" + session + R"(","agent_id":"a",)";
  const std::vector<std::pair<const char*, std::string>> adding = {
      {"create_task", R"({"content":"x"})"},
      {"create_tasks", R"({"tasks":[{"content":"x"}]})"},
      {"update_task", Room::Id("task_00000001", R"(,"content":")" + Large(201'000) + "\"")},
      {"decompose_task", R"({"create":true,"task":"1. Load\n2. Report"})"},
      {"assign_subtasks", R"({"subtasks":[{"content":"x"}]})"},
      {"delegate_subtask",
       R"({"coordinator_agent_id":"a","assigned_agent_id":"b","subtask_id":"s","subtask_description":"x"})"},
      {"create_project", R"({"name":"q"})"},
      {"create_goal", R"({"name":"q"})"},
      {"update_project", R"({"project_id":")" + project + R"(","description":"longer"})"},
      {"create_collaboration_session", R"({"title":"t","coordinator_model_id":"a"})"},
      {"update_collaboration_session", of_session + R"("context":{"longer":1}})"},
      {"send_message", R"({"sender_id":"a","recipient_id":"b","content":"x"})"},
      {"request_assistance",
       R"({"requesting_agent_id":"a","target_agent_id":"b","task_description":"x"})"},
      {"evaluate_contribution",
       R"({"evaluating_agent_id":"a","contributing_agent_id":"b","contribution_ref":"r","score":1})"}};
  for (const auto& [tool, arguments] : adding) {
    EXPECT_THAT(room.Refusal(tool, arguments), HasSubstr(kFull)) << tool;
  }
  EXPECT_EQ(room.Refusal("decompose_task", R"({"task":"1. Load\n2. Report"})"), "")
      << "which only shows them";
}

TEST_F(Size, LeavesRoomToEndWhatIsThere) {
  room.Register("a");
  const std::string keyed = room.Create("first", R"(,"idempotency_key":"k")");
  const std::vector<std::string> tasks = Fill();
  ASSERT_THAT(room.Create("x"), HasSubstr(kFull));
  EXPECT_EQ(room.Create("first", R"(,"idempotency_key":"k")"), keyed) << "which is no new one";
  room.Register("b");
  EXPECT_THAT(room.Claim("a", R"(,"limit":3)"), StartsWith(keyed));
  EXPECT_EQ(room.Refusal("heartbeat", R"({"agent_id":"a"})"), "");
  EXPECT_EQ(room.Refusal("acquire_file_lock", R"({"agent_id":"a","file_path":"f"})"), "");
  EXPECT_EQ(room.Refusal("release_file_lock", R"({"agent_id":"a","file_path":"f"})"), "");
  EXPECT_EQ(room.Refusal("start_task", Room::Id(keyed)), "");
  EXPECT_EQ(room.Refusal("complete_task", Room::Id(keyed, R"(,"result":")" + Large() + "\"")), "");
  EXPECT_EQ(room.Refusal("fail_task", Room::Id(tasks[0], R"(,"error":"e")")), "");
  EXPECT_EQ(room.Refusal("cancel_task", Room::Id(tasks[1])), "");
  EXPECT_EQ(room.Refusal("update_task", Room::Id(tasks[2], R"(,"content":"shorter")")), "");
}

TEST_F(Size, HasRoomAgainForWhatIsForgotten) {
  const std::vector<std::string> tasks = Fill();
  for (const std::string& task : tasks) EXPECT_EQ(room.Refusal("cancel_task", Room::Id(task)), "");
  EXPECT_THAT(room.Create("x"), HasSubstr(kFull)) << "what is over is kept yet";
  Forget();
  EXPECT_THAT(room.Create("x"), StartsWith("task_"));
  EXPECT_GE(Fill().size() + 1, tasks.size()) << "all of its room";
}

TEST_F(Size, RaisedOneHoldsAtOnce) {
  Fill();
  ASSERT_THAT(room.Create("x"), HasSubstr(kFull));
  room.settings.max_bytes = 4 * kMiB;
  EXPECT_THAT(room.Create("x"), StartsWith("task_"));
}

// A call that makes several makes all or none.
TEST_F(Size, IsAskedOnceForAllThatACallMakes) {
  std::string tasks;
  for (int i = 0; i < 30; ++i) {
    tasks += (i == 0 ? "" : ",") + (R"({"content":")" + Large() + "\"}");
  }
  const std::string batch = R"({"tasks":[)" + tasks + "]}";
  EXPECT_EQ(room.Get("create_tasks", batch).at("task_ids").as_array().size(), 30U);
  EXPECT_THAT(room.Refusal("create_tasks", batch), HasSubstr(kFull));
}

// Results would fill the reserve else, and nobody could end anything.
TEST_F(Size, BeyondHalfOfTheReserveWhatEndsSomethingIsShort) {
  room.Register("a", R"(,"max_concurrent":1000)");
  std::string tasks;
  for (int i = 0; i < 20; ++i) tasks += std::string(i == 0 ? "" : ",") + R"({"content":"x"})";
  room.Get("create_tasks", R"({"tasks":[)" + tasks + "]}");
  Fill();
  room.Claim("a", R"(,"limit":20)");
  const std::string large = R"(,"result":")" + Large(1'000'000) + "\"";
  std::string refusal;
  std::string task;
  for (int i = 1; refusal.empty() && i <= 20; ++i) {
    task = std::string(i < 10 ? "task_0000000" : "task_000000") + std::to_string(i);
    ASSERT_EQ(room.Refusal("start_task", Room::Id(task)), "");
    refusal = room.Refusal("complete_task", Room::Id(task, large));
  }
  EXPECT_THAT(refusal, HasSubstr("so what ends something brings 4096 bytes at most, got 1000002"));
  EXPECT_EQ(room.StatusOf(task), "in_progress");
  EXPECT_EQ(room.Refusal("complete_task", Room::Id(task, R"(,"result":"short")")), "");
}

// ---- The bound of the engine --------------------------------------------------------------------

class SizeOfTheEngine : public OrchestrationDesk {
 protected:
  std::string Create(std::size_t bytes) {
    return Call("create_task", R"({"content":")" + std::string(bytes, 'x') + "\"}");
  }
  void Tick() {
    desk->Tick();
    Settle();
  }
};

TEST_F(SizeOfTheEngine, IsToldAsWhatItIsAndWhatIsForgottenPassesIt) {
  database->Bound(2 * kMiB);
  Call("create_task", R"({"content":"x","idempotency_key":"k"})");
  // Ended while there is room for that, which at the bound of the engine there is not.
  for (int i = 2; i < 5; ++i) {
    Create(200'000);
    Call("cancel_task", R"({"task_id":"task_0000000)" + std::to_string(i) + "\"}");
  }
  std::string told = "task_";
  while (told.starts_with("task_")) told = Create(200'000);
  EXPECT_THAT(told, AllOf(HasSubstr("the records have no room"), HasSubstr("nothing was changed"),
                          HasSubstr("max_bytes")));
  EXPECT_EQ(StatusOf(1), "task_00000001 pending");
  clock.Pass(hours(7 * 24 + 1));
  Tick();
  EXPECT_THAT(Create(200'000), StartsWith("task_"));
}

TEST_F(SizeOfTheEngine, IsBeyondTheBoundByAnEighthOrSixteenMiB) {
  EXPECT_EQ(HardBound(kMiB), 17 * kMiB);
  EXPECT_EQ(HardBound(1024 * kMiB), 1152 * kMiB);
}

TEST_F(SizeOfTheEngine, IsShownBesideWhatTheRecordsTake) {
  desk->Change({.max_bytes = 5 * kMiB});
  Tick();
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_orchestration_bytes_limit 5242880\n"));
  const auto shown = [this] {
    constexpr std::string_view kName = "\nswitchyard_orchestration_bytes ";
    const std::string all = metrics.Serialize();
    return std::stoll(all.substr(all.find(kName) + kName.size()));
  };
  const long long before = shown();
  EXPECT_GT(before, 0);
  Create(200'000);
  Tick();
  EXPECT_GE(shown(), before + 48 * 4096) << "of its pages the first was begun already";
}

}  // namespace
}  // namespace switchyard::orchestration
