// The tools of projects and goals.
#include <utility>

#include <fmt/format.h>

#include "orchestration/projects/efforts.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

std::optional<EffortStatus> StatusIn(Arguments& arguments, std::string_view names) {
  const std::optional<std::string> word =
      arguments.OneOf(names, {"planned", "active", "on_hold", "completed", "cancelled"});
  return word ? EffortStatusOf(*word) : std::nullopt;
}

std::string IdKey(Kind kind) { return std::string(ToString(kind)) + "_id"; }

Answer Short(const Effort& effort) {
  const std::string id = ToText(effort.kind, effort.id);
  Answer answer{.text = id + " " + std::string(ToString(effort.status))};
  answer.content = {{IdKey(effort.kind), id}, {"status", ToString(effort.status)}};
  return answer;
}

// What is zero is left out.
json::object CountsOf(const Effort& effort) {
  json::object counts;
  for (int i = 0; i < kStatuses; ++i) {
    const std::int64_t count = effort.tasks[static_cast<std::size_t>(i)];
    if (count != 0) counts[ToString(static_cast<Status>(i))] = count;
  }
  return counts;
}

json::object Line(const Effort& effort) {
  return {{IdKey(effort.kind), ToText(effort.kind, effort.id)},
          {"name", effort.name},
          {"status", ToString(effort.status)},
          {"progress", Rate(effort.progress())}};
}

json::object View(const Effort& effort) {
  json::object view = Line(effort);
  if (!effort.description.empty()) view["description"] = effort.description;
  if (!effort.lead.empty()) view["lead_agent_id"] = effort.lead;
  if (effort.project != 0) view["project_id"] = ToText(Kind::kProject, effort.project);
  view["tasks"] = CountsOf(effort);
  return view;
}

Result<Operation> Create(Arguments& arguments, Kind kind) {
  Effort effort{.kind = kind};
  effort.name = arguments.Word("name", kMaxWord, Need::kRequired).value_or("");
  effort.description = arguments.Text("description", kMaxDescription).value_or("");
  if (kind == Kind::kProject) {
    effort.lead = arguments.Word("lead_agent_id", kMaxId).value_or("");
  } else {
    effort.project = EffortIn(arguments, Kind::kProject, "project_id");
  }
  effort.status = StatusIn(arguments, "initial_status").value_or(EffortStatus::kPlanned);
  effort.idempotency = arguments.Word("idempotency_key", kMaxId).value_or("");
  return Do(arguments, [effort = std::move(effort)](Records& records) -> Result<Answer> {
    Result<Effort> made = CreateEffort(records, effort);
    if (!made) return Failure(std::move(made.error()));
    made->status = effort.status;  // the first answer, also to a repeated call
    return Short(*made);
  });
}

Result<Operation> ChangeOne(Arguments& arguments, Kind kind) {
  const EffortId id = EffortIn(arguments, kind, IdKey(kind), Need::kRequired);
  EffortUpdate update;
  update.name = arguments.Word("name", kMaxWord);
  update.description = arguments.Text("description", kMaxDescription);
  if (kind == Kind::kProject) update.lead = arguments.Word("lead_agent_id", kMaxId);
  update.status = StatusIn(arguments, "status");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Effort> changed = UpdateEffort(records, kind, id, update);
    if (!changed) return Failure(std::move(changed.error()));
    Answer answer = Short(*changed);
    if (update.status != EffortStatus::kCancelled || changed->unfinished() == 0) return answer;
    // Agents get those that are pending as before.
    answer.content["tasks_left"] = changed->unfinished();
    answer.text +=
        fmt::format(", {} of its tasks go on: query_tasks by {} and cancel_task end them",
                    changed->unfinished(), IdKey(kind));
    return answer;
  });
}

Answer Whole(const Effort& effort) {
  Answer answer{.content = View(effort)};
  answer.text = fmt::format(
      "{} {}: {} of {} tasks completed", ToText(effort.kind, effort.id), ToString(effort.status),
      effort.tasks[static_cast<std::size_t>(Status::kCompleted)], effort.total());
  return answer;
}

Result<Operation> ListOf(Arguments& arguments, Kind kind) {
  EffortFilter filter{.kind = kind, .status = StatusIn(arguments, "status")};
  if (kind == Kind::kGoal) {
    filter.project = EffortIn(arguments, Kind::kProject, "project_id");
  }
  const std::int64_t limit = arguments.Limit();
  filter.limit = limit + 1;
  filter.before = EffortIn(arguments, kind, "cursor");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<std::vector<Effort>> found = FindEfforts(records, filter);
    if (!found) return Failure(std::move(found.error()));
    const bool more = std::cmp_greater(found->size(), limit);
    if (more) found->pop_back();
    json::array list;
    for (const Effort& effort : *found) list.emplace_back(Line(effort));
    Answer answer{.text = fmt::format("{} {}s", list.size(), ToString(kind))};
    answer.content[std::string(ToString(kind)) + "s"] = std::move(list);
    if (more) answer.content["next_cursor"] = ToText(kind, found->back().id);
    return answer;
  });
}

}  // namespace

namespace create_project {
Result<Operation> Prepare(Arguments& arguments) { return Create(arguments, Kind::kProject); }
}  // namespace create_project

namespace create_goal {
Result<Operation> Prepare(Arguments& arguments) { return Create(arguments, Kind::kGoal); }
}  // namespace create_goal

namespace update_project {
Result<Operation> Prepare(Arguments& arguments) { return ChangeOne(arguments, Kind::kProject); }
}  // namespace update_project

namespace update_goal {
Result<Operation> Prepare(Arguments& arguments) { return ChangeOne(arguments, Kind::kGoal); }
}  // namespace update_goal

namespace list_projects {
Result<Operation> Prepare(Arguments& arguments) { return ListOf(arguments, Kind::kProject); }
}  // namespace list_projects

namespace list_goals {
Result<Operation> Prepare(Arguments& arguments) { return ListOf(arguments, Kind::kGoal); }
}  // namespace list_goals

namespace get_project_status {
Result<Operation> Prepare(Arguments& arguments) {
  const EffortId id = EffortIn(arguments, Kind::kProject, "project_id", Need::kRequired);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Effort> project = FindEffort(records, Kind::kProject, id);
    if (!project) return Failure(std::move(project.error()));
    Answer answer = Whole(*project);
    if (project->goals == 0) return answer;
    answer.content["goals"] = {{"all", project->goals}, {"open", project->goals_open}};
    return answer;
  });
}
}  // namespace get_project_status

namespace get_goal_status {
Result<Operation> Prepare(Arguments& arguments) {
  const EffortId id = EffortIn(arguments, Kind::kGoal, "goal_id", Need::kRequired);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Effort> goal = FindEffort(records, Kind::kGoal, id);
    if (!goal) return Failure(std::move(goal.error()));
    return Whole(*goal);
  });
}
}  // namespace get_goal_status

}  // namespace switchyard::orchestration
