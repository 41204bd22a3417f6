// The tools of agents.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/routing.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

std::string AgentIn(Arguments& arguments) {
  return arguments.Word("agent_id|id", kMaxId, Need::kRequired).value_or("");
}

std::vector<std::string> FieldsIn(Arguments& arguments) {
  std::vector<std::string> fields = arguments.Words("fields");
  for (const std::string& field : fields) {
    if (std::ranges::find(AgentFields(), field) != AgentFields().end()) continue;
    arguments.Wrong(
        fmt::format("fields: there is no {}; known: {}", field, fmt::join(AgentFields(), ", ")));
  }
  return fields;
}

// What it is at, rather than what it is only given; 0 = nothing.
Result<TaskId> CurrentOf(Records& records, const Agent& agent) {
  if (agent.active == 0) return 0;
  for (const Status status : {Status::kInProgress, Status::kAssigned}) {
    Result<Database::Rows> rows = records.sql.Query(
        "SELECT id FROM task WHERE assigned_to = $1 AND status = $2 AND lease_until IS NOT "
        "NULL ORDER BY id LIMIT 1",
        {agent.id, static_cast<int>(status)});
    if (!rows) return Failure(std::move(rows.error()));
    if (!rows->empty()) return rows->front().Number(0);
  }
  return 0;
}

Result<json::object> Shown(Records& records, const Agent& agent,
                           const std::vector<std::string>& fields) {
  TaskId current = 0;
  if (std::ranges::find(fields, "current_task") != fields.end()) {
    Result<TaskId> found = CurrentOf(records, agent);
    if (!found) return Failure(std::move(found.error()));
    current = *found;
  }
  return View(agent, current, records.now, records.settings, fields);
}

}  // namespace

namespace register_agent {
Result<Operation> Prepare(Arguments& arguments) {
  Agent agent{.id = AgentIn(arguments)};
  agent.name = arguments.Word("name", kMaxWord).value_or("");
  agent.role = arguments.Word("role", kMaxWord).value_or("");
  agent.model_type = arguments.Word("model_type", kMaxWord).value_or("");
  agent.model_version = arguments.Word("model_version", kMaxWord).value_or("");
  agent.capabilities = arguments.Words("capabilities|skills");
  const auto twice = std::ranges::unique(agent.capabilities);
  agent.capabilities.erase(twice.begin(), twice.end());
  agent.group = arguments.Word("group", kMaxWord).value_or("");
  agent.max_concurrent = arguments.Integer("max_concurrent", 1, 1000).value_or(10);
  return Do(arguments, [agent = std::move(agent)](Records& records) -> Result<Answer> {
    Result<Agent> before = FindAgent(records, agent.id);
    if (!before && before.error().code != Code::kNotFound) {
      return Failure(std::move(before.error()));
    }
    Result<Agent> known = Register(records, agent);
    if (!known) return Failure(std::move(known.error()));
    const std::string_view status = known->StatusAt(records.now, records.settings);
    Answer answer{.text = known->id + " " + std::string(status)};
    answer.content = {{"agent_id", known->id}, {"status", status}};
    // Polls that wait as this agent may find something now.
    const bool grown = before && (before->capabilities != known->capabilities ||
                                  before->max_concurrent < known->max_concurrent);
    if (grown) records.effects.ready += known->max_concurrent;
    return answer;
  });
}
}  // namespace register_agent

namespace deregister_agent {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string id = AgentIn(arguments);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<std::int64_t> returned = Deregister(records, id);
    if (!returned) return Failure(std::move(returned.error()));
    Answer answer{.text = id + " is gone, " + std::to_string(*returned) + " of its tasks returned"};
    answer.content = {{"agent_id", id}, {"returned", *returned}};
    return answer;
  });
}
}  // namespace deregister_agent

namespace heartbeat {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string id = AgentIn(arguments);
  const std::string status =
      arguments.OneOf("status", {"available", "working", "idle", "offline", "error"}).value_or("");
  const std::int64_t task = arguments.Task("task_id");
  const std::int64_t fence = arguments.Integer("fence", 1, INT64_MAX).value_or(0);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<std::int64_t> renewed = Heartbeat(records, id, status, task, fence);
    if (!renewed) return Failure(std::move(renewed.error()));
    Answer answer{.text = std::to_string(*renewed) + " leases renewed"};
    answer.content = {{"renewed", *renewed}};
    return answer;
  });
}
}  // namespace heartbeat

namespace find_agents {
Result<Operation> Prepare(Arguments& arguments) {
  AgentFilter filter{.capabilities = arguments.Words("capabilities")};
  filter.statuses = arguments.Words("statuses|status");
  for (const std::string& word : filter.statuses) {
    constexpr std::string_view kKnown[] = {"available", "working", "idle", "offline", "error"};
    if (std::ranges::find(kKnown, word) != std::end(kKnown)) continue;
    arguments.Wrong(arguments.Called("statuses|status") +
                    " must be of available, working, idle, offline, error");
  }
  filter.role = arguments.Word("role", kMaxWord).value_or("");
  filter.model_type = arguments.Word("model_type", kMaxWord).value_or("");
  filter.group = arguments.Word("group", kMaxWord).value_or("");
  filter.active_within_ms =
      arguments.Integer("active_within_seconds", 1, 365 * 24 * 3600).value_or(0) * 1000;
  const std::int64_t limit = arguments.Limit();
  filter.limit = limit + 1;
  filter.after = arguments.Word("cursor", kMaxId).value_or("");
  const std::vector<std::string> fields = FieldsIn(arguments);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<std::vector<Agent>> agents = FindAgents(records, filter);
    if (!agents) return Failure(std::move(agents.error()));
    const bool more = std::cmp_greater(agents->size(), limit);
    if (more) agents->pop_back();
    json::array list;
    for (const Agent& agent : *agents) {
      if (fields.empty()) {
        list.emplace_back(View(agent, records.now, records.settings));
        continue;
      }
      Result<json::object> shown = Shown(records, agent, fields);
      if (!shown) return Failure(std::move(shown.error()));
      list.emplace_back(std::move(*shown));
    }
    Answer answer{.text = Many(agents->size(), "agent")};
    answer.content["agents"] = std::move(list);
    if (more) answer.content["next_cursor"] = agents->back().id;
    return answer;
  });
}
}  // namespace find_agents

namespace find_capable_agents {
Result<Operation> Prepare(Arguments& arguments) {
  Choice choice{.requirements = arguments.Words("requirements|capabilities")};
  choice.excluded = arguments.Words("exclude_agents");
  choice.group = arguments.Word("group", kMaxWord).value_or("");
  const std::int64_t limit = arguments.Limit();
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<std::vector<Candidate>> ranked = Rank(records, choice, static_cast<std::size_t>(limit));
    if (!ranked) return Failure(std::move(ranked.error()));
    json::array list;
    Answer answer;
    for (const Candidate& one : *ranked) {
      list.emplace_back(json::object{
          {"agent_id", one.agent.id}, {"score", Rate(one.score)}, {"reason", one.why}});
      answer.text += (answer.text.empty() ? "" : ", ") + one.agent.id;
    }
    if (ranked->empty()) answer.text = "no capable agent is available";
    answer.content["agents"] = std::move(list);
    return answer;
  });
}
}  // namespace find_capable_agents

namespace get_agent_health {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string id = AgentIn(arguments);
  const std::vector<std::string> asked = FieldsIn(arguments);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Agent> agent = FindAgent(records, id);
    if (!agent) return Failure(std::move(agent.error()));
    std::vector<std::string> fields = asked;
    if (fields.empty()) {
      fields = {"active_tasks", "max_concurrent", "current_task",  "quality",
                "vouched",      "completed",      "last_heartbeat"};
      if (agent->failed > 0) fields.emplace_back("failed");
      if (agent->expired > 0) fields.emplace_back("expired");
    }
    // What the schema promises.
    fields.insert(fields.end(), {"agent_id", "status", "success_rate"});
    Result<json::object> shown = Shown(records, *agent, fields);
    if (!shown) return Failure(std::move(shown.error()));
    Answer answer{.content = std::move(*shown)};
    answer.text = id + " " + std::string(agent->StatusAt(records.now, records.settings));
    return answer;
  });
}
}  // namespace get_agent_health

}  // namespace switchyard::orchestration
