// Splitting, handing out, delegating and merging, as agents see them.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/decomposition/decompose.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

std::string Text(const json::object& object) { return json::serialize(object); }

// ---- Decomposition ----------------------------------------------------------------------------

TEST(Decomposition, SuggestsWhatAgentsCanDo) {
  Room room;
  room.Register("a", R"(,"capabilities":["python","data_analysis","c++"])");
  const json::object got =
      room.Get("decompose_task",
               R"({"task":"- Port the Python part to C++\n- Do the data analysis\n- Rest"})");
  EXPECT_EQ(Text(got),
            R"({"found":"list","subtasks":[{"ref":"1","content":"Port the Python part to C++",)"
            R"("requirements":["c++","python"]},{"ref":"2","content":"Do the data analysis",)"
            R"("requirements":["data_analysis"]},{"ref":"3","content":"Rest"}]})");
  const json::object other = room.Get(
      "decompose_task",
      R"({"task":"- Port Python\n- Paint","available_models":[{"id":"x","capabilities":["paint"]}]})");
  EXPECT_EQ(other.at("subtasks").at(0).as_object().contains("requirements"), false);
  EXPECT_EQ(other.at("subtasks").at(1).at("requirements"), json::value(json::array{"paint"}));
  EXPECT_EQ(room.Get("get_queue_metrics").at("pending"), json::value(0)) << "it only looked";
}

TEST(Decomposition, MakesTasksThatWaitInOrderAndAParentThatComesLast) {
  Room room;
  room.Register("a");
  const json::object made =
      room.Get("decompose_task",
               R"({"task":"1. Load\n2. Clean\n3. Report","create":true,"priority":"high"})");
  EXPECT_EQ(made.at("parent"), json::value("task_00000001"));
  EXPECT_EQ(room.Claim("a"), "task_00000002");
  for (const char* id : {"task_00000002", "task_00000003", "task_00000004", "task_00000001"}) {
    if (std::string(id) != "task_00000002") EXPECT_EQ(room.Claim("a"), id);
    room.Get("start_task", Room::Id(id));
    room.Get("complete_task", Room::Id(id, R"(,"result":"r")"));
  }
  const json::object parts = room.Get("query_tasks", R"({"filters":{"parent":"task_00000001"}})");
  EXPECT_EQ(parts.at("tasks").as_array().size(), 3U);
}

TEST(Decomposition, OfATaskThatIsThere) {
  Room room;
  room.Register("a");
  const std::string id = room.Create("Load it; check it");
  const json::object made =
      room.Get("decompose_task", R"({"task_id":")" + id + R"(","create":true})");
  EXPECT_EQ(made.at("parent"), json::value(id));
  EXPECT_EQ(room.Claim("a"), "task_00000002 task_00000003") << "the whole waits for its parts";
}

TEST(Decomposition, OfWhatHasNoPartsIsRefused) {
  Room room;
  EXPECT_THAT(room.Refusal("decompose_task", R"({"task":"Just do it","create":true})"),
              HasSubstr("the text has no parts to tell apart"));
  EXPECT_THAT(room.Refusal("decompose_task"), HasSubstr("task is missing"));
  EXPECT_THAT(room.Refusal("decompose_task", R"({"task":"x","max_depth":9})"),
              HasSubstr("max_depth must be a whole number from 1 to 4"));
  EXPECT_THAT(room.Refusal("decompose_task", R"({"task":"x","available_models":[1]})"),
              HasSubstr("available_models must hold"));
}

TEST(Decomposition, HandsReadyPartsToTheBestAgents) {
  Room room;
  room.Register("a", R"(,"capabilities":["python"])");
  room.Register("b");
  room.Get("decompose_task", R"({"task":"- Write python\n- Rest\n- Cook","create":true})");
  room.Create("x", R"(,"parent":"task_00000001","requirements":["nobody"])");
  const json::object got = room.Get("assign_subtasks", R"({"parent_task_id":"task_00000001"})");
  EXPECT_EQ(got.at("assigned").at(0).at("agent_id"), json::value("a"));
  EXPECT_EQ(got.at("assigned").as_array().size(), 3U);
  EXPECT_EQ(json::serialize(got.at("not_assigned")),
            R"([{"task_id":"task_00000005","reason":"no capable agent is available"}])");
  const json::object again = room.Get("assign_subtasks", R"({"subtasks":["task_00000002",)"
                                                         R"({"task_id":"task_00000001"}]})");
  EXPECT_EQ(json::serialize(again.at("not_assigned")),
            R"([{"task_id":"task_00000002","reason":"assigned"},)"
            R"({"task_id":"task_00000001","reason":"waits for 3 others"}])");
}

TEST(Decomposition, HandsOutAmongThoseThatAreNamed) {
  Room room;
  for (const char* agent : {"a", "b", "c"}) room.Register(agent);
  room.Create("x");
  const json::object got =
      room.Get("assign_subtasks", R"({"subtasks":["task_00000001"],"available_models":["c"]})");
  EXPECT_EQ(got.at("assigned").at(0).at("agent_id"), json::value("c"));
  EXPECT_THAT(room.Refusal("assign_subtasks"), HasSubstr("give either subtasks"));
}

// ---- Delegation -------------------------------------------------------------------------------

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
  EXPECT_EQ(Text(got), R"({"task_id":"task_00000001","assigned_to":"b","fence":1,"depth":1})");
  EXPECT_EQ(room.Get("get_task_status", Room::Id("task_00000001", R"(,"fields":["content"])"))
                .at("content"),
            json::value("do\n\nContext: {\"x\":1}"));
  EXPECT_EQ(Text(Delegate("a", "b", "part 1",
                          R"(,"subtask_description":"do","contextual_data":{"x":1})")),
            Text(got))
      << "a repeated call is the same";
}

TEST_F(Delegations, GoNeitherInCirclesNorOnForever) {
  json::object at = Delegate("a", "b", "1");
  EXPECT_THAT(Text(Delegate("b", "a", "2", Under(at))),
              HasSubstr("it would go round in a circle: a -> b -> a"));
  EXPECT_THAT(Text(Delegate("b", "b", "2", Under(at))), HasSubstr("cannot delegate to itself"));
  EXPECT_THAT(Text(Delegate("c", "d", "2", Under(at))), HasSubstr("is with agent b"));
  const char* chain[] = {"b", "c", "d", "e", "f"};
  for (int i = 0; i < 4; ++i)
    at = Delegate(chain[i], chain[i + 1], "n" + std::to_string(i), Under(at));
  EXPECT_EQ(at.at("depth"), json::value(5));
  EXPECT_THAT(Text(Delegate("f", "g", "last", Under(at))),
              HasSubstr("it was given on 5 times, the most there may be: a -> b -> c"));
}

TEST_F(Delegations, GiveAwayNoMoreThanThereIs) {
  const json::object top = Delegate("a", "b", "1",
                                    R"(,"subtask_description":"do","budget":100,)"
                                    R"("deadline":"2027-02-01T00:00:00Z")");
  const json::object one =
      Delegate("b", "c", "2", Under(top, R"(,"budget":70,"deadline":"2027-03-01T00:00:00Z")"));
  EXPECT_EQ(one.at("deadline"), json::value("2027-02-01T00:00:00Z")) << "the parent's";
  EXPECT_THAT(Text(Delegate("b", "d", "3", Under(top, R"(,"budget":31)"))),
              HasSubstr("budget must be at most 30: what is left of that of task_00000001"));
  EXPECT_EQ(Delegate("b", "d", "3", Under(top)).at("budget"), json::value(30)) << "what is left";
  EXPECT_THAT(Text(Delegate("b", "e", "4", Under(top))), HasSubstr("at most 0"));
}

TEST_F(Delegations, OfWhatWouldWaitForItselfAreRefused) {
  room.Get("acquire_file_lock", R"({"agent_id":"a","file_path":"x"})");
  const auto waits =
      room.Call("acquire_file_lock", R"({"agent_id":"b","file_path":"x","wait_ms":60000})");
  ASSERT_TRUE(waits.has_value());
  EXPECT_THAT(
      Text(Delegate("a", "b", "1")),
      HasSubstr("this would be a deadlock: a waits for b (subtask 1), b waits for a (lock x)"));
}

TEST_F(Delegations, MeanTheSubtasksOfTheirOwnCoordinatorByAName) {
  EXPECT_EQ(Delegate("a", "c", "part").at("task_id"), json::value("task_00000001"));
  EXPECT_EQ(Delegate("b", "c", "part").at("task_id"), json::value("task_00000002"));
  EXPECT_THAT(Text(Delegate("a", "c", "part", R"(,"subtask_description":"another")")),
              HasSubstr("made task_00000001, which asked for something else"));
}

TEST_F(Delegations, OfATaskThatIsThere) {
  const std::string id = room.Create("x");
  EXPECT_EQ(Delegate("a", "b", id, "").at("assigned_to"), json::value("b"));
  EXPECT_THAT(Text(Delegate("a", "c", id, "")), HasSubstr("is assigned: assign_task does not"));
  EXPECT_THAT(Text(Delegate("a", "c", "task_00000099", "")), HasSubstr("there is no task"));
  EXPECT_THAT(Text(Delegate("a", "c", "new", "")), HasSubstr("subtask_description is missing"));
}

// ---- Results ----------------------------------------------------------------------------------

json::object Merged(Room& room, const std::string& strategy, const std::string& results,
                    const std::string& more = "") {
  return room.Get("merge_results",
                  R"({"strategy":")" + strategy + R"(","results":)" + results + more + "}");
}

TEST(Merge, InFiveWays) {
  Room room;
  EXPECT_EQ(Merged(room, "concatenate", R"(["a",1,{"x":2}])", R"(,"separator":" ")").at("result"),
            json::value(R"(a 1 {"x":2})"));
  EXPECT_EQ(Text(Merged(room, "concatenate", "[[1],[2,3]]")),
            R"({"result":[1,2,3],"made_of":["results[0]","results[1]"]})");
  EXPECT_EQ(
      Text(Merged(room, "deep_merge", R"([{"a":{"x":1,"l":[1]}},{"a":{"x":2,"l":[2]},"b":3}])")),
      R"({"result":{"a":{"x":2,"l":[1,2]},"b":3},"made_of":["results[0]","results[1]"],)"
      R"("conflicts":["a.x"]})");
  EXPECT_EQ(Text(Merged(room, "vote", R"(["no","yes",{"a":1,"b":2},"yes"])")),
            R"({"result":"yes","made_of":["results[1]","results[3]"],"votes":2})");
  EXPECT_EQ(Text(Merged(room, "vote", R"([{"a":1,"b":2},{"b":2,"a":1}])")),
            R"({"result":{"a":1,"b":2},"made_of":["results[0]","results[1]"],"votes":2})");
  EXPECT_EQ(Text(Merged(room, "first_success", R"([null,"x","y"])")),
            R"({"result":"x","made_of":["results[1]"]})");
  EXPECT_EQ(json::serialize(Merged(room, "table", R"([{"a":1},{"b":2},"x"])").at("result")),
            R"({"columns":["source","a","b","result"],"rows":[["results[0]",1,null,null],)"
            R"(["results[1]",null,2,null],["results[2]",null,null,"x"]]})");
}

TEST(Merge, KeepsNumbersAndTextsAsTheyWereWritten) {
  Room room;
  const auto text = [&room](const std::string& strategy, const std::string& results) {
    const Result<Answer> answer = room.Call(
        "merge_results", R"({"strategy":")" + strategy + R"(","results":)" + results + "}");
    return answer ? ToText(answer->content.at("result")) : answer.error().message;
  };
  EXPECT_EQ(text("deep_merge", R"([{"z":12345678901234567890123,"a":1.10},{"b":{"c":1e2}}])"),
            R"({"z":12345678901234567890123,"a":1.10,"b":{"c":1e2}})");
  EXPECT_EQ(text("vote", "[12345678901234567890123,12345678901234567890124]"),
            "12345678901234567890123");
  EXPECT_EQ(text("concatenate", "[[1.0],[2]]"), "[1.0,2]");
  EXPECT_EQ(text("concatenate", R"([1.10,"x"])"), R"("1.10\n\nx")");
  // What stands for JSON in our own values is but a text when a client says it.
  EXPECT_EQ(text("first_success", R"(["\u0001{\"a\":1}"])"), R"("\u0001{\"a\":1}")");
  EXPECT_EQ(text("concatenate", R"(["\u0001]","x"])"), R"("\u0001]\n\nx")");
  EXPECT_EQ(text("table", R"([{"\u0001]":1}])"),
            R"({"columns":["source","\u0001]"],"rows":[["results[0]",1]]})");
}

TEST(Merge, WhatCannotBeMergedIsRefused) {
  Room room;
  EXPECT_THAT(Text(Merged(room, "deep_merge", "[{},1]")), HasSubstr("results[1] is none"));
  EXPECT_THAT(Text(Merged(room, "first_success", "[null]")),
              HasSubstr("none of them has a result"));
  EXPECT_THAT(Text(Merged(room, "table", "[]")), HasSubstr("results must be a list of 1 to 100"));
  EXPECT_THAT(Text(Merged(room, "best", "[1]")), HasSubstr("strategy must be one of concatenate"));
  EXPECT_THAT(room.Refusal("merge_results"), HasSubstr("give one of results, task_ids"));
}

TEST(Merge, KeepsWhereAResultComesFrom) {
  Room room;
  room.Register("a");
  room.Get("decompose_task", R"({"task":"Count x; count y","create":true})");
  room.Claim("a");
  EXPECT_THAT(room.Refusal("merge_results", R"({"parent_task_id":"task_00000001"})"),
              HasSubstr("none of these tasks is completed yet"));
  room.Get("start_task", Room::Id("task_00000002"));
  room.Get("complete_task", Room::Id("task_00000002", R"(,"result":{"x":1})"));
  EXPECT_EQ(
      Text(room.Get("merge_results", R"({"parent_task_id":"task_00000001","strategy":"deep_merge",)"
                                     R"("task_id":"task_00000001"})")),
      R"({"result":{"x":1},"made_of":["task_00000002"],"missing":["task_00000003"]})");
  EXPECT_EQ(Text(room.Get("get_lineage", Room::Id("task_00000001"))),
            R"({"task_id":"task_00000001","made_of":["task_00000002"]})");
  EXPECT_EQ(Text(room.Get("get_lineage", Room::Id("task_00000002"))),
            R"({"task_id":"task_00000002","made_of":[],"parent":"task_00000001",)"
            R"("used_by":["task_00000001"]})");
}

}  // namespace
}  // namespace switchyard::orchestration
