// Agents through their tools: who is found, who is chosen, who may act as whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;

class Agents : public ::testing::Test {
 protected:
  // Who is chosen for a task that needs these; "" = nobody.
  std::string Chosen(const std::string& requirements, const std::string& more = "") {
    const std::string id = room.Create("x", R"(,"requirements":)" + requirements);
    const auto routed = room.Get("route_task", Room::Id(id, more));
    return routed.at("selected_agent").is_string()
               ? std::string(routed.at("selected_agent").as_string())
               : "";
  }
  std::string Found(const std::string& filter) {
    std::string ids;
    const auto got = room.Get("find_agents", filter);
    if (!got.contains("agents")) return boost::json::serialize(got);
    for (const auto& agent : got.at("agents").as_array()) {
      ids += (ids.empty() ? "" : " ") + std::string(agent.at("agent_id").as_string());
    }
    return ids;
  }
  Room room;
};

TEST_F(Agents, AreFoundByAllThatIsKnownOfThem) {
  room.Register("a", R"(,"capabilities":["x","y"],"role":"writer","model_type":"m","group":"g")");
  room.Register("b", R"(,"capabilities":["y"])");
  EXPECT_EQ(Found("{}"), "a b");
  EXPECT_EQ(Found(R"({"capabilities":["y"]})"), "a b");
  EXPECT_EQ(Found(R"({"capabilities":["y","x"]})"), "a");
  EXPECT_EQ(Found(R"({"role":"writer","model_type":"m","group":"g"})"), "a");
  EXPECT_EQ(Found(R"({"limit":1,"cursor":"a"})"), "b");
  room.now += room.settings.away_ms + 1;
  room.Get("heartbeat", R"({"agent_id":"b","status":"idle"})");
  EXPECT_EQ(Found(R"({"statuses":["offline"]})"), "a");
  EXPECT_EQ(Found(R"({"statuses":["idle"]})"), "b");
  EXPECT_EQ(Found(R"({"active_within_seconds":10})"), "b");
  EXPECT_THAT(Found(R"({"statuses":["asleep"]})"), HasSubstr("available, working, idle"));
}

TEST_F(Agents, SpecialistsAreChosenThenThoseWithLessToDo) {
  room.Register("all", R"(,"capabilities":["python","ml","web"])");
  room.Register("py", R"(,"capabilities":["python"])");
  EXPECT_EQ(Chosen(R"(["python"])"), "py");
  EXPECT_EQ(Chosen(R"(["ml","python"])"), "all");
  EXPECT_EQ(Chosen(R"(["rust"])"), "");
  EXPECT_EQ(Chosen(R"(["python"])", R"(,"exclude_agents":["py"])"), "all");
  room.Register("py2", R"(,"capabilities":["python"])");
  EXPECT_EQ(room.Claim("py", R"(,"limit":1)"), "task_00000001");
  EXPECT_EQ(Chosen(R"(["python"])"), "py2");
  const auto stats = room.Get("get_routing_stats");
  EXPECT_EQ(stats.at("routed"), boost::json::value(4));
  EXPECT_EQ(stats.at("assignment_rate"), boost::json::value(0.8));
}

TEST_F(Agents, ThoseThatFailAreChosenLess) {
  room.Register("good");
  room.Register("bad");
  for (int i = 0; i < 5; ++i) {
    for (const char* agent : {"good", "bad"}) {
      const std::string id = room.Create("x");
      ASSERT_EQ(room.Claim(agent), id);
      room.Get("start_task", Room::Id(id));
      room.Get(agent == std::string("good") ? "complete_task" : "fail_task",
               Room::Id(id, agent == std::string("good") ? "" : R"(,"error":"e")"));
    }
  }
  EXPECT_EQ(Chosen("[]"), "good");
  const auto stats = room.Get("get_agent_statistics");
  EXPECT_EQ(stats.at("avg_success_rate"), boost::json::value(0.5));
  EXPECT_EQ(stats.at("total_agents"), boost::json::value(2));
  EXPECT_EQ(room.Get("get_health").at("status"), boost::json::value("degraded"));
}

// All else is alike, and by their ids it would be the other one.
TEST_F(Agents, ThatAreFasterAreChosenAndTheReasonSaysSo) {
  for (const auto& [agent, took] : {std::pair("a_slow", 4000), std::pair("b_quick", 40)}) {
    room.Register(agent, R"(,"capabilities":["x","y"])");
    const std::string id = room.Create("w", R"(,"requirements":["x"])");
    ASSERT_EQ(room.Claim(agent), id);
    ASSERT_EQ(room.Refusal("start_task", Room::Id(id)), "");
    room.now += took;
    ASSERT_EQ(room.Refusal("complete_task", Room::Id(id)), "");
  }
  EXPECT_EQ(room.Get("find_capable_agents", R"({"requirements":["x"]})").at("agents"),
            boost::json::parse(R"([
    {"agent_id":"b_quick","score":0.85,"reason":"0 of 10 tasks, 100% success, fits 1 of 2, 40 ms"},
    {"agent_id":"a_slow","score":0.75,"reason":"0 of 10 tasks, 100% success, fits 1 of 2, 4000 ms"}])"));
  EXPECT_EQ(Chosen(R"(["x"])"), "b_quick");
  const std::string parent = room.Create("p", R"(,"task_type":"whole")");
  room.Create("part", R"(,"requirements":["x"],"parent":")" + parent + "\"");
  EXPECT_EQ(room.Get("assign_subtasks", R"({"parent_task_id":")" + parent + "\"}")
                .at("assigned")
                .as_array()
                .at(0)
                .at("agent_id"),
            boost::json::value("b_quick"));
}

TEST_F(Agents, OfTheGroupThatIsAtItAreChosenFirst) {
  room.Register("a");
  room.Register("b", R"(,"group":"web")");
  room.Register("lead", R"(,"group":"web")");
  EXPECT_EQ(Chosen("[]"), "a");
  EXPECT_EQ(Chosen("[]", R"(,"group":"web")"), "b") << "nobody else's";
  EXPECT_EQ(Chosen("[]", R"(,"group":"none")"), "");
  EXPECT_EQ(room.Get("find_capable_agents", R"({"group":"web"})").at("agents").as_array().size(),
            2U);
  const std::string whole = room.Create("whole", R"(,"task_type":"whole")");
  const std::string under = R"([],"parent":")" + whole + "\"";
  EXPECT_EQ(Chosen(under), "a") << "nobody has it yet";
  ASSERT_EQ(room.Claim("lead", R"(,"task_type":"whole")"), whole);
  EXPECT_EQ(Chosen(under), "b");
  const std::string part = room.Create("part", R"(,"parent":")" + whole + "\"");
  EXPECT_EQ(room.Get("route_task", Room::Id(part)).at("reason"),
            boost::json::value("0 of 10 tasks, 100% success, group web"));
}

TEST_F(Agents, AreShownWithWhatIsAskedFor) {
  room.Register("a", R"(,"name":"Ann","group":"web")");
  const auto shown = [this](const std::string& fields) {
    return boost::json::serialize(
        room.Get("get_agent_health", R"({"agent_id":"a")" + fields + "}"));
  };
  EXPECT_EQ(shown(R"(,"fields":["id","name","current_task","registered_at"])"),
            R"({"agent_id":"a","id":"a","name":"Ann","status":"available","success_rate":1E0,)"
            R"("registered_at":"2027-01-15T08:00:00Z"})");
  const std::string first = room.Create("x"), second = room.Create("y");
  ASSERT_EQ(room.Claim("a"), first + " " + second);
  EXPECT_THAT(shown(""), HasSubstr(R"("current_task":")" + first));
  room.Get("start_task", Room::Id(second));
  EXPECT_THAT(shown(""), HasSubstr(R"("current_task":")" + second)) << "it is at that one";
  EXPECT_EQ(boost::json::serialize(
                room.Get("find_agents", R"({"fields":["id","current_task"]})").at("agents")),
            R"([{"id":"a","current_task":")" + second + "\"}]");
  EXPECT_THAT(room.Refusal("find_agents", R"({"fields":["colour"]})"),
              HasSubstr("fields: there is no colour; known: agent_id, id, name"));
  // Second names are refused by themselves.
  EXPECT_EQ(room.Refusal("find_agents", R"({"status":"x"})"),
            "status must be a list of at most 50 strings");
  EXPECT_EQ(room.Refusal("find_agents", R"({"status":["asleep"]})"),
            "status must be of available, working, idle, offline, error");
  EXPECT_EQ(room.Refusal("create_task", R"({"description":7})"), "description must be a string");
  EXPECT_EQ(room.Refusal("create_task", R"({"content":7,"description":7})"),
            "content must be a string");
}

TEST_F(Agents, TheServiceIsAsHealthyAsItsNumbers) {
  EXPECT_EQ(room.Get("get_health").at("status"), boost::json::value("failed"));
  room.Register("a");
  EXPECT_EQ(room.Get("get_health").at("status"), boost::json::value("healthy"));
  for (int i = 0; i < 101; ++i) room.Create("x");
  const auto health = room.Get("get_health");
  EXPECT_EQ(health.at("status"), boost::json::value("degraded"));
  EXPECT_EQ(health.at("queue").at("active_tasks"), boost::json::value(101));
}

TEST_F(Agents, WhatTheyHadIsAnybodysWhenTheyLeave) {
  room.Register("a");
  room.Register("b");
  const std::string id = room.Create("x");
  room.Claim("a");
  EXPECT_EQ(room.Get("deregister_agent", R"({"agent_id":"a"})").at("returned"),
            boost::json::value(1));
  EXPECT_EQ(room.Claim("b"), id);
  EXPECT_THAT(room.Refusal("heartbeat", R"({"agent_id":"a"})"), HasSubstr("there is no agent a"));
}

TEST_F(Agents, BelongToTheCallerThatRegisteredThem) {
  room.caller = "alice";
  room.Register("a");
  const std::string id = room.Create("x");
  room.Claim("a");
  room.caller = "mallory";
  const std::string theirs = "agent a was registered by another caller; act as your own";
  EXPECT_EQ(room.Refusal("register_agent", R"({"agent_id":"a"})"), theirs);
  EXPECT_EQ(room.Refusal("deregister_agent", R"({"agent_id":"a"})"), theirs);
  EXPECT_EQ(room.Refusal("heartbeat", R"({"agent_id":"a"})"), theirs);
  EXPECT_EQ(room.Refusal("poll_tasks", R"({"agent_id":"a","claim":true})"), theirs);
  EXPECT_EQ(room.Refusal("start_task", Room::Id(id)), theirs);
  EXPECT_EQ(room.Refusal("fail_task", Room::Id(id, R"(,"error":"e")")), theirs);
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("start_task", Room::Id(id)), "");
  EXPECT_EQ(room.Refusal("complete_task", Room::Id(id, R"(,"agent_id":"b")")),
            "task " + id + " is with agent a, not with b");
}

TEST_F(Agents, TasksAreChangedByWhoCreatedThem) {
  room.caller = "alice";
  room.Register("a");
  const std::string id = room.Create("x");
  room.caller = "mallory";
  for (const auto& [tool, more] :
       {std::pair("cancel_task", ""), std::pair("update_task", R"(,"priority":"high")")}) {
    EXPECT_EQ(
        room.Refusal(tool, Room::Id(id, more)),
        "task " + id + " was created by another caller; fail_task gives it back if you have it");
  }
  EXPECT_EQ(room.StatusOf(id), "pending");
  room.caller = "alice";
  EXPECT_EQ(room.Refusal("cancel_task", Room::Id(id)), "");
  room.caller = "mallory";
  EXPECT_THAT(room.Refusal("requeue_task", Room::Id(id)), HasSubstr("another caller"));
}

// Whoever makes up names keeps nobody out for long.
TEST_F(Agents, ThatNobodyProvedLeaveTheirPlaceToOthersWhereAllAreTaken) {
  room.Register("busy");
  room.Create("x");
  ASSERT_EQ(room.Claim("busy"), "task_00000001");
  room.Register("locker");
  ASSERT_EQ(room.Refusal("acquire_file_lock",
                         R"({"agent_id":"locker","file_path":"f","lease_ms":86400000})"),
            "");
  room.caller = "proved";
  room.Register("own");
  room.caller = "";
  room.now += 1;
  const auto filled = room.Do([](Records& records) {
    return records.sql.Query(
        "INSERT INTO agent (id, name, role, model_type, model_version, capabilities, team, status, "
        "max_concurrent, owner, registered_at, heartbeat_at, active, completed, failed, expired, "
        "latency_ms) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
        "9997) SELECT 'n' || i, '', '', '', '', '[]', '', 'available', 1, '', 0, $1 + i, 0, 0, 0, "
        "0, 0 FROM n",
        {records.now});
  });
  ASSERT_TRUE(filled.has_value()) << filled.error().detail;
  const std::string_view another = R"({"agent_id":"another"})";
  for (const char* caller : {"", "proved"}) {
    room.caller = caller;
    EXPECT_THAT(room.Refusal("register_agent", another), HasSubstr("there are 10000 agents"));
  }
  room.now += room.settings.away_ms + 5;
  room.Register("another");
  EXPECT_THAT(room.Refusal("get_agent_health", R"({"agent_id":"n1"})"), HasSubstr("no agent n1"));
  for (const char* stays : {"busy", "locker", "own", "n2"}) {
    EXPECT_EQ(room.Refusal("get_agent_health", R"({"agent_id":")" + std::string(stays) + "\"}"),
              "");
  }
}

}  // namespace
}  // namespace switchyard::orchestration
