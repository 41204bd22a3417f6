#include "orchestration/views.h"

#include <algorithm>
#include <array>
#include <utility>

#include "orchestration/arguments.h"
#include "orchestration/lanes.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/verbatim.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

json::array ToArray(const std::vector<std::string>& words) {
  json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

// All that may be asked for; what is not there is left out.
json::object Whole(const Task& task, As as) {
  json::object view;
  const auto text = [&view](std::string_view key, const std::string& value) {
    if (!value.empty()) view[key] = value;
  };
  const auto time = [&view](std::string_view key, std::int64_t at) {
    if (at != 0) view[key] = TimeText(at);
  };
  view[as == As::kItem ? "id" : "task_id"] = ToText(task.id);
  view["status"] = ToString(task.status);
  text("content", task.content);
  text("task_type", task.task_type);
  view["priority"] = ToString(task.priority);
  view["requirements"] = ToArray(WordsOf(task.requirements));
  if (task.parent != 0) view["parent"] = ToText(task.parent);
  if (task.project != 0) view["project_id"] = ToText(Kind::kProject, task.project);
  if (task.goal != 0) view["goal_id"] = ToText(Kind::kGoal, task.goal);
  if (task.waits_for != 0) view["waits_for"] = task.waits_for;
  text("assigned_to", task.assigned_to);
  if (IsHeld(task.status)) view["fence"] = task.fence;
  time("lease_until", task.lease_until);
  if (!task.result.empty()) view["result"] = Verbatim(task.result);
  if (!task.metrics.empty()) view["metrics"] = Verbatim(task.metrics);
  text("error", task.error);
  view["attempts"] = task.attempts;
  view["max_attempts"] = task.max_attempts;
  time("created_at", task.created_at);
  time("assigned_at", task.assigned_at);
  time("started_at", task.started_at);
  time("finished_at", task.finished_at);
  time("deadline", task.deadline);
  return view;
}

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

}  // namespace

std::span<const std::string_view> TaskFields() { return kFields; }

json::object View(const Task& task, As as, const std::vector<std::string>& fields) {
  json::object view;
  for (json::key_value_pair& member : Whole(task, as)) {
    const bool subject = member.key() == "task_id" || member.key() == "status";
    const bool wanted = fields.empty()
                            ? IsUsual(member.key(), task, as)
                            : (as == As::kSubject && subject) ||
                                  std::ranges::find(fields, member.key()) != fields.end();
    if (wanted) view.insert_or_assign(member.key(), std::move(member.value()));
  }
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

std::string Line(const Task& task) {
  return ToText(task.id) + " " + std::string(ToString(task.status));
}

double Rate(std::int64_t thousandths) {
  const std::int64_t hundredths = (thousandths + 5) / 10;
  return static_cast<double>(hundredths) / 100;
}

}  // namespace switchyard::orchestration
