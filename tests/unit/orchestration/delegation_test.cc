// Giving tasks on to other agents, and its limits.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

std::string Written(const json::object& object) { return json::serialize(object); }

class Delegations : public ::testing::Test {
 protected:
  Delegations() {
    for (const char* agent : {"a", "b", "c", "d", "e", "f", "g"}) room.Register(agent);
  }
  static std::string Arguments(const std::string& from, const std::string& to,
                               const std::string& name, const std::string& more = "") {
    return R"({"coordinator_agent_id":")" + from + R"(","assigned_agent_id":")" + to +
           R"(","subtask_id":")" + name + "\"" + more + "}";
  }
  json::object Delegate(const std::string& from, const std::string& to, const std::string& name,
                        const std::string& more = R"(,"subtask_description":"do")") {
    return room.Get("delegate_subtask", Arguments(from, to, name, more));
  }
  static std::string Under(const json::object& parent, const std::string& more = "") {
    return R"(,"subtask_description":"do","parent_task_id":")" +
           std::string(parent.at("task_id").as_string()) + "\"" + more;
  }

  Room room;
};

TEST_F(Delegations, MakeATaskAndGiveItToTheAgent) {
  const json::object got =
      Delegate("a", "b", "part 1", R"(,"subtask_description":"do","contextual_data":{"x":1})");
  EXPECT_EQ(Written(got), R"({"task_id":"task_00000001","assigned_to":"b","fence":1,"depth":1})");
  EXPECT_EQ(room.Get("get_task_status", Room::Id("task_00000001", R"(,"fields":["content"])"))
                .at("content"),
            json::value("do\n\nContext: {\"x\":1}"));
  EXPECT_EQ(Written(Delegate("a", "b", "part 1",
                             R"(,"subtask_description":"do","contextual_data":{"x":1})")),
            Written(got))
      << "a repeated call is the same";
}

TEST_F(Delegations, GoNeitherInCirclesNorOnForever) {
  json::object at = Delegate("a", "b", "1");
  EXPECT_THAT(Written(Delegate("b", "a", "2", Under(at))),
              HasSubstr("it would go round in a circle: a -> b -> a"));
  EXPECT_THAT(Written(Delegate("b", "b", "2", Under(at))), HasSubstr("cannot delegate to itself"));
  EXPECT_THAT(Written(Delegate("c", "d", "2", Under(at))), HasSubstr("is with agent b"));
  const char* chain[] = {"b", "c", "d", "e", "f"};
  for (int i = 0; i < 4; ++i)
    at = Delegate(chain[i], chain[i + 1], "n" + std::to_string(i), Under(at));
  EXPECT_EQ(at.at("depth"), json::value(5));
  EXPECT_THAT(Written(Delegate("f", "g", "last", Under(at))),
              HasSubstr("it was given on 5 times, the most there may be: a -> b -> c"));
}

TEST_F(Delegations, GiveAwayNoMoreThanThereIs) {
  const json::object top = Delegate("a", "b", "1",
                                    R"(,"subtask_description":"do","budget":100,)"
                                    R"("deadline":"2027-02-01T00:00:00Z")");
  const json::object one =
      Delegate("b", "c", "2", Under(top, R"(,"budget":70,"deadline":"2027-03-01T00:00:00Z")"));
  EXPECT_EQ(one.at("deadline"), json::value("2027-02-01T00:00:00Z")) << "the parent's";
  EXPECT_THAT(Written(Delegate("b", "d", "3", Under(top, R"(,"budget":31)"))),
              HasSubstr("budget must be at most 30: what is left of that of task_00000001"));
  EXPECT_EQ(Delegate("b", "d", "3", Under(top)).at("budget"), json::value(30)) << "what is left";
  EXPECT_THAT(Written(Delegate("b", "e", "4", Under(top))), HasSubstr("at most 0"));
}

TEST_F(Delegations, OfWhatWouldWaitForItselfAreRefused) {
  room.Get("acquire_file_lock", R"({"agent_id":"a","file_path":"x"})");
  const auto waits =
      room.Call("acquire_file_lock", R"({"agent_id":"b","file_path":"x","wait_ms":60000})");
  ASSERT_TRUE(waits.has_value());
  EXPECT_THAT(
      Written(Delegate("a", "b", "1")),
      HasSubstr("this would be a deadlock: a waits for b (subtask 1), b waits for a (lock x)"));
}

TEST_F(Delegations, MeanTheSubtasksOfTheirOwnCoordinatorByAName) {
  EXPECT_EQ(Delegate("a", "c", "part").at("task_id"), json::value("task_00000001"));
  EXPECT_EQ(Delegate("b", "c", "part").at("task_id"), json::value("task_00000002"));
  EXPECT_THAT(Written(Delegate("a", "c", "part", R"(,"subtask_description":"another")")),
              HasSubstr("made task_00000001, which asked for something else"));
}

TEST_F(Delegations, OfATaskThatIsThere) {
  const std::string id = room.Create("x");
  EXPECT_EQ(Delegate("a", "b", id, "").at("assigned_to"), json::value("b"));
  EXPECT_THAT(Written(Delegate("a", "c", id, "")), HasSubstr("is assigned: assign_task does not"));
  EXPECT_THAT(Written(Delegate("a", "c", "task_00000099", "")), HasSubstr("there is no task"));
  EXPECT_THAT(Written(Delegate("a", "c", "new", "")), HasSubstr("subtask_description is missing"));
}

TEST_F(Delegations, OfATaskArePartsOfItsOwnParent) {
  const json::object top = Delegate("a", "b", "1", R"(,"subtask_description":"do","budget":10)");
  const std::string part = room.Create("p", R"(,"parent":"task_00000001")");
  const std::string way_out = room.Create("u");
  EXPECT_THAT(Written(Delegate("b", "a", part, R"(,"parent_task_id":")" + way_out + "\"")),
              HasSubstr(part + " is no part of " + way_out + "; leave parent_task_id out"));
  EXPECT_THAT(Written(Delegate("b", "a", part, "")), HasSubstr("in a circle: a -> b -> a"));
  EXPECT_EQ(Delegate("b", "c", part, R"(,"parent_task_id":"task_00000001")").at("budget"),
            json::value(10));
}

TEST_F(Delegations, DoNotGoBackByAFailure) {
  const std::string id = room.Create("x", R"(,"max_attempts":100)");
  const auto back = [&] {
    EXPECT_EQ(room.Refusal("fail_task", Room::Id(id, R"(,"error":"e","should_retry":true)")), "");
  };
  EXPECT_EQ(Delegate("a", "b", id, "").at("depth"), json::value(1));
  back();
  EXPECT_THAT(Written(Delegate("b", "a", id, "")), HasSubstr("in a circle: a -> b -> a"));
  EXPECT_EQ(Delegate("b", "c", id, "").at("depth"), json::value(2));
  back();
  EXPECT_THAT(Written(Delegate("c", "a", id, "")), HasSubstr("in a circle: a -> b -> c -> a"));
  EXPECT_EQ(Delegate("a", "d", id, "").at("depth"), json::value(1)) << "by who gave it first";
  const char* chain[] = {"d", "c", "e", "f", "g"};
  for (int i = 0; i < 4; ++i) {
    back();
    EXPECT_EQ(Delegate(chain[i], chain[i + 1], id, "").at("depth"), json::value(i + 2));
  }
  back();
  EXPECT_THAT(Written(Delegate("g", "b", id, "")), HasSubstr("it was given on 5 times"));
}

TEST_F(Delegations, OfPartsAreByWhoWasGivenTheWhole) {
  const json::object top = Delegate("a", "b", "1", R"(,"subtask_description":"do","budget":10)");
  room.Get("fail_task", Room::Id("task_00000001", R"(,"error":"e","should_retry":true)"));
  EXPECT_THAT(Written(Delegate("c", "d", "2", Under(top))),
              HasSubstr("task task_00000001 was given by agent a to b: one of them"));
  EXPECT_EQ(Delegate("b", "c", "2", Under(top)).at("budget"), json::value(10));
}

TEST_F(Delegations, TakeNoBudgetThatPartsHaveAlready) {
  const json::object top = Delegate("a", "b", "1", R"(,"subtask_description":"do","budget":100)");
  Delegate("b", "c", "2", Under(top, R"(,"budget":80)"));
  room.Get("fail_task", Room::Id("task_00000001", R"(,"error":"e","should_retry":true)"));
  EXPECT_THAT(Written(Delegate("a", "d", "task_00000001", R"(,"budget":50)")),
              HasSubstr("budget must be at least 80: parts of it have so much already"));
  EXPECT_THAT(Written(Delegate("b", "d", "task_00000001", R"(,"budget":101)")),
              HasSubstr("budget must be at most 100: what agent a gave it"));
  EXPECT_EQ(Delegate("b", "d", "task_00000001", "").at("budget"), json::value(100));
  EXPECT_THAT(Written(Delegate("d", "e", "3", Under(top, R"(,"budget":21)"))),
              HasSubstr("budget must be at most 20"));
}

TEST_F(Delegations, GetBackWhatPartsHadThatCameToNothing) {
  const json::object top = Delegate("a", "b", "1", R"(,"subtask_description":"do","budget":100)");
  const json::object failed = Delegate("b", "c", "2", Under(top, R"(,"budget":60)"));
  const json::object done = Delegate("b", "c", "3", Under(top, R"(,"budget":30)"));
  const auto id = [](const json::object& made) { return Room::Id(made.at("task_id").as_string()); };
  room.Get("start_task", id(done));
  EXPECT_EQ(room.Refusal("complete_task", id(done)), "");
  EXPECT_EQ(room.Refusal("cancel_task", id(failed)), "");
  EXPECT_THAT(Written(Delegate("b", "d", "4", Under(top, R"(,"budget":71)"))),
              HasSubstr("budget must be at most 70"))
      << "what is completed is spent";
  EXPECT_EQ(Delegate("b", "d", "4", Under(top)).at("budget"), json::value(70));
  EXPECT_EQ(room.Refusal("requeue_task", id(failed)), "");
  EXPECT_THAT(Written(Delegate("b", "d", std::string(failed.at("task_id").as_string()), "")),
              HasSubstr("budget must be at most 0"));
}

}  // namespace
}  // namespace switchyard::orchestration
