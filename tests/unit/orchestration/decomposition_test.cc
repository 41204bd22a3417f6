// Splitting, handing out, delegating and merging, as agents see them.
#include <algorithm>
#include <map>
#include <span>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/decomposition/decompose.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST(Decomposition, MakesItsPartsOnceByARepeatedCall) {
  Room room;
  const std::string id = room.Create("- a\\n- b");
  for (const std::string of : {R"("task":"1. Load\n2. Clean")", R"("task_id":"task_00000001")"}) {
    const std::string key =
        R"(,"create":true,"idempotency_key":"of )" + std::to_string(of.size()) + "\"";
    const json::object made = room.Get("decompose_task", "{" + of + key + "}");
    EXPECT_EQ(made.at("subtasks").as_array().size(), 2U);
    const json::value all = room.Get("get_queue_metrics").at("pending");
    EXPECT_EQ(room.Get("decompose_task", "{" + of + key + "}"), made);
    EXPECT_EQ(room.Get("get_queue_metrics").at("pending"), all);
    EXPECT_THAT(room.Refusal("decompose_task", "{" + of + key + R"(,"priority":"high"})"),
                HasSubstr("which asked for something else"));
  }
}

TEST(Decomposition, TellsARepeatedCallOfThePartsAsTheyAre) {
  Room room;
  const std::string id = room.Create("- a\\n- b");
  const char* call = R"({"task_id":"task_00000001","create":true,"idempotency_key":"k"})";
  room.Get("decompose_task", call);
  room.Get("update_task", Room::Id(id, R"(,"content":"- x\n- y\n- z")"));
  const json::object again = room.Get("decompose_task", call);
  EXPECT_EQ(json::serialize(again.at("subtasks")),
            R"([{"ref":"1","task_id":"task_00000002"},{"ref":"2","task_id":"task_00000003"}])");
}

TEST(Decomposition, LooksForSoManyCapabilitiesAtMost) {
  Room room;
  std::string models;
  for (int agent = 0; agent < 21; ++agent) {
    models += (models.empty() ? "" : ",") + std::string(R"({"capabilities":[)");
    for (int i = 0; i < 50; ++i) {
      models += (i == 0 ? "\"" : ",\"") + std::to_string(agent * 50 + i) + "\"";
    }
    models += "]}";
  }
  EXPECT_THAT(
      room.Refusal("decompose_task", R"({"task":"a; b","available_models":[)" + models + "]}"),
      HasSubstr("available_models must name at most 1000 capabilities, got 1050"));
}

TEST(Decomposition, RefusesAChoiceOfAgentsThatNamesNone) {
  Room room;
  room.Register("a", R"(,"capabilities":["x"])");
  room.Create("x");
  for (const char* models : {R"([{"capabilities":["x"]}])", R"(["a",{"capabilities":["x"]}])"}) {
    EXPECT_THAT(
        room.Refusal("assign_subtasks", R"({"subtasks":["task_00000001"],"available_models":)" +
                                            std::string(models) + "}"),
        HasSubstr("available_models must say who is meant"));
  }
}

// A task with so many parts, made in batches.
void MakeParts(Room& room, int count) {
  room.Create("whole");
  while (count > 0) {
    std::string batch;
    for (int i = 0; i < std::min(count, 100); ++i) {
      batch +=
          std::string(batch.empty() ? "" : ",") + R"({"content":"c","parent":"task_00000001"})";
    }
    EXPECT_EQ(room.Refusal("create_tasks", R"({"tasks":[)" + batch + "]}"), "");
    count -= 100;
  }
}

TEST(Decomposition, HandsOutPartsBeyondTheFirstHundred) {
  Room room;
  room.Register("a", R"(,"max_concurrent":1000)");
  MakeParts(room, 150);
  const char* of = R"({"parent_task_id":"task_00000001"})";
  const json::object first = room.Get("assign_subtasks", of);
  EXPECT_EQ(first.at("assigned").as_array().size(), 100U);
  EXPECT_EQ(first.at("more"), json::value(true));
  const json::object second = room.Get("assign_subtasks", of);
  EXPECT_EQ(second.at("assigned").as_array().size(), 50U);
  EXPECT_FALSE(second.contains("more"));
}

TEST(Decomposition, WhoDoesAStepFindsTheResultsOfThoseBefore) {
  Room room;
  room.Register("a");
  room.Get("decompose_task", R"({"task":"1. Load\n2. Clean","create":true})");
  EXPECT_EQ(room.Claim("a"), "task_00000002");
  room.Get("start_task", Room::Id("task_00000002"));
  room.Get("complete_task", Room::Id("task_00000002", R"(,"result":"rows")"));
  const std::string later = room.Create("x", R"(,"depends_on":["task_00000002"])");
  for (const std::string& task : {std::string("task_00000003"), later}) {
    EXPECT_EQ(room.Get("get_lineage", Room::Id(task)).at("depended_on"),
              json::value(json::array{"task_00000002"}));
  }
}

TEST(Merge, MergesAllPartsOrNone) {
  Room room;
  room.Register("a", R"(,"max_concurrent":1000)");
  MakeParts(room, 101);
  EXPECT_THAT(room.Refusal("merge_results", R"({"parent_task_id":"task_00000001"})"),
              HasSubstr("task task_00000001 has more than 100 parts"));
}

// Counts the agents that are read.
class AgentsRead final : public Database::Transaction {
 public:
  using Transaction::Query;
  AgentsRead(Database::Transaction& inner, std::size_t& count) : inner_(inner), count_(count) {}
  Result<Database::Rows> Query(std::string_view sql,
                               std::span<const Database::Parameter> parameters) override {
    Result<Database::Rows> rows = inner_.Query(sql, parameters);
    if (rows && sql.contains("FROM agent")) count_ += rows->size();
    return rows;
  }
  Result<std::int64_t> UsedBytes() override { return inner_.UsedBytes(); }
  Result<void> PassBound() override { return inner_.PassBound(); }

 private:
  Database::Transaction& inner_;
  std::size_t& count_;
};

TEST(Decomposition, ReadsEachAgentOnceForAllTasks) {
  Room room;
  for (int i = 0; i < 30; ++i) room.Register("a" + std::to_string(i));
  MakeParts(room, 90);
  const auto read = [&room](const HandOut& wanted) {
    std::size_t count = 0;
    const auto handed = room.Do([&](Records& records) {
      AgentsRead counted(records.sql, count);
      Records seen{.sql = counted,
                   .now = records.now,
                   .settings = records.settings,
                   .caller = records.caller};
      return HandOutTasks(seen, wanted);
    });
    std::map<std::string, int> of;
    for (const Handed& one : *handed) ++of[one.agent];
    for (const auto& [agent, tasks] : of) EXPECT_EQ(tasks, 1) << agent;  // by their load
    return count;
  };
  HandOut all;
  for (TaskId id = 2; id < 32; ++id) all.tasks.push_back(id);
  EXPECT_EQ(read(all), 60U) << "once, and each as it gets a task";
  HandOut some{.among = {"a1", "a2", "a3"}};
  for (TaskId id = 32; id < 35; ++id) some.tasks.push_back(id);
  EXPECT_EQ(read(some), 6U);
}

// decompose_task without create, and then this.
TEST(Decomposition, PartsThatWereOnlyShownAreMadeAndHandedOut) {
  Room room;
  room.Register("counter", R"(,"capabilities":["python"])");
  room.Register("writer", R"(,"capabilities":["prose"])");
  const json::object shown = room.Get(
      "decompose_task", R"({"task":"1. Count with python\n2. Write it down in good prose"})");
  const std::string parts = json::serialize(shown.at("subtasks"));
  EXPECT_THAT(parts, HasSubstr(R"("content")"));
  const json::object got = room.Get("assign_subtasks", R"({"subtasks":)" + parts + "}");
  EXPECT_EQ(
      Text(got),
      R"({"assigned":[{"ref":"1","task_id":"task_00000001","agent_id":"counter","fence":1}],)"
      R"("not_assigned":[{"ref":"2","task_id":"task_00000002","reason":"waits for 1 other"}]})");
  const std::string whole = room.Create("whole");
  const json::object under =
      room.Get("assign_subtasks", R"({"parent_task_id":")" + whole +
                                      R"(","subtasks":["task_00000002",{"description":"d",)"
                                      R"("required_capabilities":["prose"]}]})");
  EXPECT_EQ(Text(under),
            R"({"assigned":[{"task_id":"task_00000004","agent_id":"writer","fence":1}],)"
            R"("not_assigned":[{"task_id":"task_00000002","reason":"waits for 1 other"}]})");
  EXPECT_EQ(Text(room.Get(
                "get_task_status",
                Room::Id("task_00000004", R"(,"fields":["description","parent_task_id","content",)"
                                          R"("assigned_agent_id","required_capabilities"])"))),
            R"({"task_id":"task_00000004","status":"assigned","content":"d","description":"d",)"
            R"("required_capabilities":["prose"],"parent_task_id":"task_00000003",)"
            R"("assigned_agent_id":"writer"})");
  EXPECT_THAT(room.Refusal("assign_subtasks", R"({"subtasks":["task_00000001","task_00000002",)"
                                              R"({"content":"c","priority":"soon"}]})"),
              HasSubstr("subtasks[2].priority"))
      << "as the caller counts";
  for (const char* wrong :
       {R"([{"ref":"1"}])", R"([{"content":"x","task_id":"mine"}])", "[7]", R"([{"content":""}])",
        R"([{"content":"x","ref":"1"},{"content":"y","ref":"1"}])",
        R"([{"content":"x","depends_on":["nobody"]}])", R"([{"content":"x","colour":"red"}])"}) {
    EXPECT_THAT(room.Refusal("assign_subtasks", R"({"subtasks":)" + std::string(wrong) + "}"),
                Not(IsEmpty()))
        << wrong;
  }
  EXPECT_EQ(room.Get("get_queue_metrics").at("active_tasks"), json::value(4)) << "all or none";
}

}  // namespace
}  // namespace switchyard::orchestration
