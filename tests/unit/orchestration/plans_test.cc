// What every tool asks of the database, and that none of it looks through the tasks: the plans that
// the engine makes of all statements that are ever run.
#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "orchestration/coordination/sweep.h"
#include "orchestration/dependencies.h"
#include "orchestration/locks/locks.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/vouching.h"
#include "orchestration/waiting/resources.h"
#include "unit/orchestration/recorder.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

// Reads by nothing but the state of tasks, of which one state has most of them; queries that page
// through them by it, and ask for no more than a page, may.
bool ReadsAll(std::string_view sql, std::string_view step) {
  if (!step.contains("task_status (status=?)")) return false;
  return !(sql.contains("ORDER BY") && sql.contains("LIMIT"));
}

class Plans : public ::testing::Test {
 protected:
  void Call(std::string_view tool, std::string_view raw = "{}") {
    Arguments arguments(raw);
    Result<Operation> operation =
        FindTool(std::string(kToolPrefix) + std::string(tool))->prepare(arguments);
    ASSERT_TRUE(operation.has_value()) << tool << ": " << operation.error().message;
    Record([&](Records& records) { return operation->run(records); }, tool);
  }
  template <class Run>
  void Record(Run run, std::string_view what) {
    const auto done = room.Do([&](Records& records) {
      Recorder recorder(records.sql, seen);
      Records recorded{.sql = recorder,
                       .now = records.now,
                       .settings = records.settings,
                       .caller = records.caller};
      auto answer = run(recorded);
      asked = recorder.asked();
      return answer;
    });
    EXPECT_TRUE(done.has_value()) << what << ": " << done.error().message;
  }

  Room room;
  std::set<std::string> seen;
  int asked = 0;  // statements, by the last call
};

TEST_F(Plans, NothingLooksThroughTheTasks) {
  Call("register_agent", R"({"agent_id":"a","capabilities":["x"]})");
  Call("create_task", R"({"content":"c","requirements":["x"],"idempotency_key":"k"})");
  Call(
      "create_tasks",
      R"({"tasks":[{"content":"c","ref":"r"},{"content":"d","depends_on":["r"],"parent":"task_00000001"}]})");
  Call("route_task", R"({"task_id":"task_00000001"})");
  Call("assign_task", R"({"task_id":"task_00000001","agent_id":"a"})");
  Call("start_task", R"({"task_id":"task_00000001"})");
  Call("heartbeat", R"({"agent_id":"a","status":"idle"})");
  Call("heartbeat", R"({"agent_id":"a","task_id":"task_00000001"})");
  Call("complete_task", R"({"task_id":"task_00000001","result":1})");
  Call("poll_tasks", R"({"agent_id":"a"})");
  Call("get_task_status", R"({"task_id":"task_00000003"})");
  Call("poll_tasks", R"({"agent_id":"a","claim":true})");
  Call("start_task", R"({"task_id":"task_00000002"})");
  Call("complete_task", R"({"task_id":"task_00000002"})");
  Call("fail_task", R"({"task_id":"task_00000003","error":"e"})");
  Call("requeue_task", R"({"task_id":"task_00000003"})");
  Call("update_task", R"({"task_id":"task_00000003","depends_on":["task_00000001"]})");
  Call("cancel_task", R"({"task_id":"task_00000003"})");
  for (const char* filters :
       {"", R"("status":"failed")", R"("task_type":"t")", R"("assigned_to":"a")",
        R"("parent":"task_00000001")", R"("priority":"high")",
        R"("status":"failed","priority":"low","assigned_to":"a")"}) {
    Call("query_tasks", R"({"filters":{)" + std::string(filters) + "}}");
  }
  for (const char* tool : {"find_agents", "find_capable_agents", "get_agent_statistics",
                           "get_queue_metrics", "get_routing_stats", "get_health"}) {
    Call(tool);
  }
  Call("get_agent_health", R"({"agent_id":"a"})");
  Call("register_agent", R"({"agent_id":"b"})");
  const std::string lock = R"({"file_path":"x","wait_ms":1000,"mode":)";
  Call("acquire_file_lock", lock + R"("shared","agent_id":"a"})");
  Call("acquire_file_lock", lock + R"("shared","agent_id":"b"})");
  Call("acquire_file_lock", lock + R"("exclusive","agent_id":"a"})");
  Call("check_file_lock", R"({"file_path":"x"})");
  Call("check_file_lock", R"({"agent_id":"a"})");
  Call("check_file_lock");
  Call("release_file_lock", R"({"agent_id":"a","file_path":"x"})");
  Call("release_file_lock", R"({"agent_id":"a","file_path":"x","force":true,"reason":"r"})");
  Record(
      [](Records& records) {
        AgentDirectory directory;
        Vouched read;
        return Vouching(&directory).Read(records, read);
      },
      "vouched");
  Record([](Records& records) { return LastForced(records, "x", "a"); }, "last forced");
  Call("create_project", R"({"name":"p"})");
  Call("create_goal", R"({"name":"g","project_id":"project_00000001"})");
  Call("create_task", R"({"content":"1. a\n2. b","goal_id":"goal_00000001"})");
  Call("decompose_task", R"({"task_id":"task_00000004","create":true})");
  Call("assign_subtasks", R"({"parent_task_id":"task_00000004"})");
  Call("delegate_subtask",
       R"({"coordinator_agent_id":"a","assigned_agent_id":"b","subtask_id":"s",)"
       R"("subtask_description":"d","parent_task_id":"task_00000004"})");
  Call("merge_results",
       R"({"results":[{"task_id":"task_00000001","result":1}],"task_id":"task_00000004"})");
  Call("get_lineage", R"({"task_id":"task_00000004"})");
  for (const char* tool : {"list_projects", "list_goals"}) {
    Call(tool);
    Call(tool, R"({"status":"active"})");
  }
  Call("list_goals", R"({"project_id":"project_00000001"})");
  Call("list_goals", R"({"project_id":"project_00000001","status":"active"})");
  for (const char* filters :
       {R"("project_id":"project_00000001")", R"("goal_id":"goal_00000001")"}) {
    Call("query_tasks", R"({"filters":{)" + std::string(filters) + "}}");
  }
  Call("update_goal", R"({"goal_id":"goal_00000001","status":"cancelled"})");
  Call("deregister_agent", R"({"agent_id":"a"})");
  Call("await_task", R"({"task_id":"task_00000001"})");
  Record([](Records& records) { return GoOnReleasing(records); }, "release");
  Record([](Records& records) { return NoteAway(records, records.now - 1000); }, "away");
  Record([](Records& records) { return Existing(records, {{.task = 1}, {.agent = "a"}, {}}); },
         "existing");
  room.now += room.settings.retain_ms + 1;
  Record([](Records& records) { return Sweep(records); }, "sweep");
  Record([](Records& records) { return SweepLocks(records); }, "sweep");
  Record([](Records& records) { return SweepEfforts(records); }, "sweep");
  Record([](Records& records) { return NoteAlive(records); }, "alive");
  room.caller = "alice";
  Call("register_agent", R"({"agent_id":"o"})");
  for (int i = 0; i < 2; ++i) {
    Call("create_task", R"({"content":"c"})");
    Call("poll_tasks", R"({"agent_id":"o","claim":true})");
  }
  std::set<std::string> plans;  // texts outlive the statements
  for (const std::string& sql : seen) {
    const std::string& explain = *plans.insert("EXPLAIN QUERY PLAN " + sql).first;
    const auto rows = room.Do([&](Records& records) { return records.sql.Query(explain); });
    ASSERT_TRUE(rows.has_value()) << sql;
    for (const Database::Row& row : *rows) {
      const std::string& step = row.Text(3);
      EXPECT_FALSE(sql.contains("vouched = 1") && step.starts_with("SCAN")) << sql;
      EXPECT_FALSE(step.starts_with("SCAN task") || step.starts_with("SCAN dependency") ||
                   step.starts_with("SCAN effort") || step.starts_with("SCAN file_") ||
                   step.starts_with("SCAN lineage") || step.starts_with("SCAN delegation"))
          << sql << "\n  " << step;
      EXPECT_FALSE(ReadsAll(sql, step)) << sql << "\n  " << step;
      const bool sorts = step.contains("TEMP B-TREE FOR ORDER BY");
      EXPECT_TRUE(!sorts || sql.contains("GROUP BY")) << sql;
    }
  }
  EXPECT_GT(seen.size(), 40U);
}

TEST_F(Plans, NothingLooksThroughWhatAgentsSay) {
  for (const char* agent : {"a", "b"}) {
    Call("register_agent",
         R"({"group":"g","capabilities":["x"],"agent_id":")" + std::string(agent) + "\"}");
  }
  Call("create_task", R"({"content":"c"})");
  Call("create_collaboration_session",
       R"({"title":"t","participant_model_ids":["b"],"coordinator_model_id":"a"})");
  Call("update_collaboration_session",
       R"({"session_id":"session_00000001","agent_id":"a","context":{"x":1},)"
       R"("remove_participants":["b"]})");
  Call("update_collaboration_session",
       R"({"session_id":"session_00000001","agent_id":"a","add_participants":["b"]})");
  Call("get_collaboration_session", R"({"session_id":"session_00000001"})");
  Call("list_collaboration_sessions", R"({"agent_id":"a"})");
  Call("list_collaboration_sessions");
  for (const char* to : {R"("recipient_id":"b")", R"("session_id":"session_00000001")",
                         R"("group":"g")", R"("required_capabilities":["x"])"}) {
    Call("send_message", R"({"sender_id":"a","content":"c",)" + std::string(to) + "}");
  }
  for (const char* more :
       {"", R"(,"session_id":"session_00000001")", R"(,"sent":true)", R"(,"include_read":true)",
        R"(,"include_read":true,"session_id":"session_00000001")"}) {
    Call("read_messages", R"({"agent_id":"b")" + std::string(more) + "}");
  }
  Call("send_message",
       R"({"sender_id":"b","recipient_id":"a","content":"c","reply_to":"message_00000001"})");
  Call("request_assistance",
       R"({"requesting_agent_id":"a","task_description":"d","target_agent_id":"b"})");
  Call("list_assistance", R"({"agent_id":"b"})");
  Call("list_assistance", R"({"agent_id":"a","side":"requested"})");
  Call("list_assistance", R"({"agent_id":"a","request_id":"assistance_00000001"})");
  Call("respond_to_assistance",
       R"({"request_id":"assistance_00000001","agent_id":"b","response":"r"})");
  for (const char* ref : {"assistance_00000001", "session_00000001", "word"}) {
    Call(
        "evaluate_contribution",
        R"({"evaluating_agent_id":"a","contributing_agent_id":"b","score":1,"contribution_ref":")" +
            std::string(ref) + "\"}");
  }
  Call("check_agent_responsiveness", R"({"agent_id":"b"})");
  Call("check_message_recipient_status", R"({"sender_id":"a"})");
  Call("check_message_frequency", R"({"agent_id":"a"})");
  Call("request_assistance",
       R"({"requesting_agent_id":"a","task_description":"d","required_capabilities":["x"]})");
  for (int i = 0; i < 3; ++i) {
    room.now += room.settings.retain_ms + 1;
    Record([](Records& records) { return SweepCoordination(records); }, "sweep");
  }
  Record([](Records& records) { return CoordinationOf(records); }, "numbers");
  Call("deregister_agent", R"({"agent_id":"a"})");
  std::set<std::string> plans;
  for (const std::string& sql : seen) {
    const std::string& explain = *plans.insert("EXPLAIN QUERY PLAN " + sql).first;
    const auto rows = room.Do([&](Records& records) { return records.sql.Query(explain); });
    ASSERT_TRUE(rows.has_value()) << sql;
    for (const Database::Row& row : *rows) {
      const std::string& step = row.Text(3);
      // Agents, lanes and tallies, of which there are few, may be looked through, and what a part
      // in brackets found.
      const bool whole = step.starts_with("SCAN") && !step.starts_with("SCAN recent") &&
                         !step.starts_with("SCAN agent") && step != "SCAN whole" &&
                         step != "SCAN waits" && !step.starts_with("SCAN lane") &&
                         !step.starts_with("SCAN tally") && !step.starts_with("SCAN (") &&
                         step != "SCAN CONSTANT ROW";
      EXPECT_FALSE(whole) << sql << "\n  " << step;
      EXPECT_FALSE(ReadsAll(sql, step)) << sql << "\n  " << step;
      const bool sorts = step.contains("TEMP B-TREE FOR ORDER BY");
      EXPECT_TRUE(!sorts || sql.contains("GROUP BY")) << sql;
    }
  }
  EXPECT_GT(seen.size(), 60U);
}

// What costs is the number of statements, and the indexes whose columns are named by one.
TEST_F(Plans, WhatIsCalledMostAsksLittleAndWritesWhatChanges) {
  Call("register_agent", R"({"agent_id":"a"})");
  Call("create_task", R"({"content":"the lane is there"})");
  const auto cost = [&](std::string_view tool, std::string_view raw) {
    room.now += 1000;
    asked = 0;
    seen.clear();
    Call(tool, raw);
    return asked;
  };
  const auto writes = [&](std::string_view column) {
    return std::ranges::any_of(seen, [column](const std::string& sql) {
      return sql.starts_with("UPDATE task SET ") && sql.contains(column);
    });
  };
  EXPECT_LE(cost("create_task", R"({"content":"c"})"), 8);
  EXPECT_LE(cost("poll_tasks", R"({"agent_id":"a","claim":true,"limit":1})"), 13);
  EXPECT_TRUE(writes("assigned_to"));
  EXPECT_FALSE(writes("priority") || writes("content") || writes("finished_at"));
  EXPECT_LE(cost("start_task", R"({"task_id":"task_00000001","agent_id":"a"})"), 6);
  EXPECT_TRUE(writes("lease_until"));
  EXPECT_FALSE(writes("assigned_to") || writes("priority"));
  EXPECT_LE(cost("complete_task", R"({"task_id":"task_00000001","agent_id":"a"})"), 10);
  EXPECT_FALSE(writes("assigned_to") || writes("priority"));
}

}  // namespace
}  // namespace switchyard::orchestration
