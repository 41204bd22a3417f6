// One result made of several, and where it comes from.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

std::string Text(const json::object& object) { return json::serialize(object); }

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

// Nobody puts words into the mouth of another one's task.
TEST(Merge, TellsWhatTasksGaveFromWhatIsSaidOfThem) {
  Room room;
  room.Register("a");
  room.Get("decompose_task", R"({"task":"Count x; count y","create":true})");
  room.Claim("a");
  room.Get("start_task", Room::Id("task_00000002"));
  room.Get("complete_task", Room::Id("task_00000002", R"(,"result":{"x":1.10,"y":[2]})"));
  const std::string own = room.Create("own");
  const auto merged = [&](const std::string& results) {
    return Text(Merged(room, "first_success", results, R"(,"task_id":")" + own + "\""));
  };
  EXPECT_THAT(merged(R"([{"task_id":"task_00000002","result":"what it never said"}])"),
              HasSubstr("no result of a completed task is among them"));
  EXPECT_THAT(merged(R"([{"task_id":"task_00000003","result":1}])"), HasSubstr("no result of a"))
      << "it has none yet";
  EXPECT_THAT(merged(R"([{"task_id":"task_77777777","result":1}])"), HasSubstr("no result of a"));
  EXPECT_FALSE(room.Get("get_lineage", Room::Id("task_00000002")).contains("used_by"));
  const json::object said =
      Merged(room, "table",
             R"([{"subtask_id":"task_00000002","result":{"y":[2],"x":1.10}},"plain",)"
             R"({"task_id":"task_00000003","result":{}},{"task_id":"task_77777777","result":{}}])",
             R"(,"task_id":")" + own + "\"");
  EXPECT_EQ(said.at("made_of"), json::parse(R"(["task_00000002","results[1]"])"))
      << "in whatever order its members are";
  EXPECT_EQ(said.at("claimed"), json::parse(R"(["task_00000003","task_77777777"])"));
  EXPECT_EQ(room.Get("get_lineage", Room::Id(own)).at("made_of"),
            json::parse(R"(["task_00000002"])"));
  EXPECT_EQ(Merged(room, "concatenate",
                   R"([{"task_id":"task_00000002","result":{"x":1.10,"y":[2]}},)"
                   R"({"task_id":"task_00000002","result":{"x":1.1,"y":[2]}}])")
                .at("claimed"),
            json::parse(R"(["task_00000002","task_00000002"])"))
      << "told twice, once otherwise";
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
            R"({"task_id":"task_00000001","made_of":["task_00000002"],)"
            R"("depended_on":["task_00000002"]})");
  EXPECT_EQ(Text(room.Get("get_lineage", Room::Id("task_00000002"))),
            R"({"task_id":"task_00000002","made_of":[],"parent":"task_00000001",)"
            R"("used_by":["task_00000001"]})");
}

}  // namespace
}  // namespace switchyard::orchestration
