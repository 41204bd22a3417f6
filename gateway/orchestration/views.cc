#include "orchestration/views.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "orchestration/arguments.h"
#include "orchestration/lanes.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/verbatim.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

// What is usually wanted of one in a list: what to do, and of one that is over how it ended.
bool IsUsual(std::string_view key, const Task& task, As as) {
  if (key == "id" || key == "task_id" || key == "status") return true;
  if (key == "content" || key == "task_type" || key == "priority") return as == As::kItem;
  if (key == "fence") return as == As::kItem;
  if (key == "requirements") return as == As::kItem && task.requirements != "[]";
  if (key == "assigned_to" || key == "assigned_at") {
    return as == As::kSubject && IsHeld(task.status);
  }
  if (key == "result") return as == As::kSubject;
  return key == "error" || key == "waits_for";
}

constexpr auto kFields = std::to_array<std::string_view>(
    {"id",           "task_id",     "status",      "content",    "task_type",   "priority",
     "requirements", "parent",      "project_id",  "goal_id",    "waits_for",   "assigned_to",
     "fence",        "lease_until", "result",      "metrics",    "error",       "attempts",
     "max_attempts", "created_at",  "assigned_at", "started_at", "finished_at", "deadline"});

// As the arguments of tools have them.
constexpr std::pair<std::string_view, std::string_view> kSecondNames[] = {
    {"description", "content"},
    {"required_capabilities", "requirements"},
    {"parent_task_id", "parent"},
    {"assigned_agent_id", "assigned_to"}};

}  // namespace

std::span<const std::string_view> TaskFields() { return kFields; }

std::string_view FieldMeant(std::string_view name) {
  for (const auto& [second, first] : kSecondNames) {
    if (name == second) return first;
  }
  return name;
}

json::object View(const Task& task, As as, const std::vector<std::string>& fields) {
  json::object view;
  // What is not there is left out, and what nobody wants is not made.
  const auto put = [&](std::string_view key, bool there, const auto& make) {
    const bool subject = key == "task_id" || key == "status";
    const bool wanted = fields.empty() ? IsUsual(key, task, as)
                                       : (as == As::kSubject && subject) ||
                                             std::ranges::find(fields, key) != fields.end();
    if (there && wanted) view[key] = make();
    if (!there || fields.empty()) return;
    for (const auto& [second, first] : kSecondNames) {
      if (first == key && std::ranges::find(fields, second) != fields.end()) view[second] = make();
    }
  };
  const auto text = [&put](std::string_view key, const std::string& value) {
    put(key, !value.empty(), [&value] { return json::string(value); });
  };
  const auto number = [&put](std::string_view key, bool there, std::int64_t value) {
    put(key, there, [value] { return value; });
  };
  const auto time = [&put](std::string_view key, std::int64_t at) {
    put(key, at != 0, [at] { return json::string(TimeText(at)); });
  };
  put(as == As::kItem ? "id" : "task_id", true, [&] { return json::string(ToText(task.id)); });
  put("status", true, [&] { return json::string(ToString(task.status)); });
  text("content", task.content);
  text("task_type", task.task_type);
  put("priority", true, [&] { return json::string(ToString(task.priority)); });
  put("requirements", true, [&] { return ToArray(WordsOf(task.requirements)); });
  put("parent", task.parent != 0, [&] { return json::string(ToText(task.parent)); });
  put("project_id", task.project != 0,
      [&] { return json::string(ToText(Kind::kProject, task.project)); });
  put("goal_id", task.goal != 0, [&] { return json::string(ToText(Kind::kGoal, task.goal)); });
  number("waits_for", task.waits_for != 0, task.waits_for);
  text("assigned_to", task.assigned_to);
  number("fence", IsHeld(task.status), task.fence);
  time("lease_until", task.lease_until);
  put("result", !task.result.empty(), [&] { return Verbatim(task.result); });
  put("metrics", !task.metrics.empty(), [&] { return Verbatim(task.metrics); });
  text("error", task.error);
  number("attempts", true, task.attempts);
  number("max_attempts", true, task.max_attempts);
  time("created_at", task.created_at);
  time("assigned_at", task.assigned_at);
  time("started_at", task.started_at);
  time("finished_at", task.finished_at);
  time("deadline", task.deadline);
  return view;
}

json::object View(const Agent& agent, std::int64_t now, const Settings& settings) {
  json::object view;
  const auto text = [&view](std::string_view key, const std::string& value) {
    if (!value.empty()) view[key] = value;
  };
  view["agent_id"] = agent.id;
  view["status"] = agent.StatusAt(now, settings);
  text("name", agent.name);
  text("role", agent.role);
  text("model_type", agent.model_type);
  text("model_version", agent.model_version);
  text("group", agent.group);
  view["capabilities"] = ToArray(agent.capabilities);
  view["active_tasks"] = agent.active;
  view["max_concurrent"] = agent.max_concurrent;
  return view;
}

std::span<const std::string_view> AgentFields() {
  static constexpr auto kAll = std::to_array<std::string_view>(
      {"agent_id",       "id",           "name",         "role",       "model_type",
       "model_version",  "group",        "capabilities", "status",     "active_tasks",
       "max_concurrent", "current_task", "success_rate", "quality",    "vouched",
       "completed",      "failed",       "expired",      "latency_ms", "registered_at",
       "last_heartbeat"});
  return kAll;
}

json::object View(const Agent& agent, TaskId current, std::int64_t now, const Settings& settings,
                  const std::vector<std::string>& fields) {
  json::object all = View(agent, now, settings);
  all["id"] = agent.id;
  if (current != 0) all["current_task"] = ToText(current);
  all["success_rate"] = Rate(agent.SuccessRate());
  if (agent.raters > 0) all["quality"] = Rate(agent.Quality());
  if (agent.vouched) all["vouched"] = true;
  all["completed"] = agent.completed;
  all["failed"] = agent.failed;
  all["expired"] = agent.expired;
  if (agent.latency_ms != 0) all["latency_ms"] = agent.latency_ms;
  all["registered_at"] = TimeText(agent.registered_at);
  all["last_heartbeat"] = TimeText(agent.heartbeat_at);
  json::object view;
  for (const std::string_view field : AgentFields()) {
    json::value* const value = all.if_contains(field);
    if (value != nullptr && std::ranges::find(fields, field) != fields.end()) {
      view[field] = std::move(*value);
    }
  }
  return view;
}

json::array ToArray(const std::vector<std::string>& words) {
  json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

std::string Line(const Task& task) {
  return ToText(task.id) + " " + std::string(ToString(task.status));
}

std::string Many(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

double Rate(std::int64_t thousandths) {
  const std::int64_t hundredths = (thousandths + 5) / 10;
  return static_cast<double>(hundredths) / 100;
}

}  // namespace switchyard::orchestration
