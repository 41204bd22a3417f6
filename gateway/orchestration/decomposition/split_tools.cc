// The tools that split tasks and hand the parts out.
#include <map>
#include <utility>

#include <fmt/format.h>

#include "orchestration/decomposition/decompose.h"
#include "orchestration/decomposition/delegate.h"
#include "orchestration/decomposition/inputs.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

}  // namespace

namespace decompose_task {
namespace {

Answer Told(const Parts& parts, const Planned& planned) {
  Answer answer;
  answer.text = fmt::format("{} subtasks by {}", parts.split.pieces.size(), parts.split.found);
  answer.content["found"] = parts.split.found;
  if (planned.plan) answer.content["planned_by"] = "model";
  if (!planned.why.empty()) {
    answer.content["planned_by"] = "structure";
    answer.content["reason"] = planned.why;
    answer.text += ": " + planned.why;
  }
  if (!parts.tasks.empty()) {
    answer.content["parent"] = ToText(parts.parent);
    answer.text += ", parts of " + ToText(parts.parent);
  }
  json::array list;
  for (std::size_t i = 0; i < parts.split.pieces.size(); ++i) {
    const Piece& piece = parts.split.pieces[i];
    json::object view{{"ref", piece.ref}};
    if (!parts.tasks.empty()) view["task_id"] = ToText(parts.tasks[i]);
    // Who makes them at once knows what he gave; who looks first wants to see it.
    if (parts.tasks.empty()) view["content"] = piece.text;
    if (!piece.needs.empty()) view["depends_on"] = ToArray(piece.needs);
    if (!parts.requirements[i].empty()) view["requirements"] = ToArray(parts.requirements[i]);
    list.emplace_back(std::move(view));
  }
  answer.content["subtasks"] = std::move(list);
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Decomposition wanted;
  wanted.text = arguments.Text("task", kMaxContent).value_or("");
  wanted.parent = arguments.Task("task_id");
  wanted.limits.most = static_cast<std::size_t>(
      arguments.Integer("max_subtasks", 2, static_cast<std::int64_t>(kMostPieces)).value_or(20));
  wanted.limits.depth = static_cast<std::size_t>(
      arguments.Integer("max_depth", 1, static_cast<std::int64_t>(kDeepestSplit)).value_or(2));
  wanted.capabilities = ModelsIn(arguments).capabilities;
  wanted.priority = arguments.PriorityIn("priority").value_or(Priority::kMedium);
  wanted.deadline = arguments.Time("deadline");
  wanted.idempotency = arguments.Word("idempotency_key", kMaxId).value_or("");
  const bool create = arguments.Bool("create").value_or(false);
  const std::string planner = arguments.OneOf("planner", {"structure", "model"}).value_or("");
  if (wanted.text.empty() && wanted.parent == 0) {
    arguments.Wrong("task is missing: the text to split, or task_id of a task that has it");
  }
  Settle(wanted);
  const auto split = [=](Records& records, const Planned& planned) -> Result<Answer> {
    Decomposition asked = wanted;
    asked.plan = planned.plan;
    asked.planned = planned.text;
    Result<Parts> parts = create ? Decompose(records, asked) : Preview(records, asked);
    if (!parts) return Failure(std::move(parts.error()));
    return Told(*parts, planned);
  };
  const Planned none{.why = planner == "model" ? "no planner is configured" : ""};
  Result<Operation> operation =
      Do(arguments, [=](Records& records) { return split(records, none); });
  if (!operation || planner == "structure") return operation;
  const auto look = [=](Records& records) -> Result<Brief> {
    if (create) {
      const Result<bool> made = WasMade(records, wanted);
      if (!made) return Failure(made.error());
      if (*made) return Brief();
    }
    if (create && wanted.parent != 0) {
      if (Result<void> open = IsOpen(records, wanted.parent); !open) {
        return Failure(std::move(open.error()));
      }
    }
    return BriefOf(records, wanted);
  };
  operation->wish = std::make_shared<const Wish>(Wish{.look = look, .run = split});
  return operation;
}
}  // namespace decompose_task

namespace assign_subtasks {
namespace {

using Refs = std::map<TaskId, std::string>;  // of parts that were made

Answer Told(const std::vector<Handed>& handed, const Refs& refs, bool more) {
  Answer answer;
  json::array assigned, left;
  for (const Handed& one : handed) {
    json::object view;
    if (const auto ref = refs.find(one.task); ref != refs.end()) view["ref"] = ref->second;
    view["task_id"] = ToText(one.task);
    if (one.agent.empty()) {
      view["reason"] = one.why;
      left.emplace_back(std::move(view));
    } else {
      view["agent_id"] = one.agent;
      view["fence"] = one.fence;
      assigned.emplace_back(std::move(view));
    }
  }
  answer.text = fmt::format("{} assigned, {} not", assigned.size(), left.size());
  answer.content["assigned"] = std::move(assigned);
  if (!left.empty()) answer.content["not_assigned"] = std::move(left);
  if (more) {
    answer.content["more"] = true;
    answer.text += "; there are more";
  }
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Subtasks subtasks = SubtasksIn(arguments);
  HandOut wanted{.tasks = std::move(subtasks.tasks)};
  Batch parts = std::move(subtasks.parts);
  const TaskId parent = arguments.Task("parent_task_id");
  for (BatchItem& part : parts.items) {
    if (part.task.parent == 0) part.task.parent = parent;
  }
  Models models = ModelsIn(arguments);
  // What nobody can tell apart is no choice, and is not taken for none.
  if (models.nameless) {
    arguments.Wrong("available_models must say who is meant: ids, or objects with agent_id");
  }
  wanted.among = std::move(models.agents);
  wanted.lease_ms = arguments.LeaseMs();
  const bool all_of_it = wanted.tasks.empty() && parts.items.empty();
  if (all_of_it ? parent == 0 : parent != 0 && parts.items.empty()) {
    arguments.Wrong("give either subtasks, or parent_task_id of those that are meant");
  }
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    HandOut all = wanted;
    Refs refs;
    Result<std::vector<Task>> made = CreateAll(records, parts, "subtasks");
    if (!made) return Failure(std::move(made.error()));
    for (std::size_t i = 0; i < made->size(); ++i) {
      all.tasks.push_back((*made)[i].id);
      if (!parts.items[i].ref.empty()) refs[(*made)[i].id] = parts.items[i].ref;
    }
    if (all_of_it) {
      Result<std::vector<TaskId>> pending =
          PendingOf(records, parent, static_cast<std::int64_t>(kMaxBatch) + 1);
      if (!pending) return Failure(std::move(pending.error()));
      all.tasks = std::move(*pending);
    }
    const bool more = all.tasks.size() > kMaxBatch;
    if (more) all.tasks.pop_back();
    Result<std::vector<Handed>> handed = HandOutTasks(records, all);
    if (!handed) return Failure(std::move(handed.error()));
    return Told(*handed, refs, more);
  });
}
}  // namespace assign_subtasks

namespace delegate_subtask {
Result<Operation> Prepare(Arguments& arguments) {
  DelegateRequest request;
  request.coordinator =
      arguments.Word("coordinator_agent_id", kMaxId, Need::kRequired).value_or("");
  request.agent = arguments.Word("assigned_agent_id", kMaxId, Need::kRequired).value_or("");
  request.name = arguments.Word("subtask_id", kMaxId, Need::kRequired).value_or("");
  request.description = arguments.Text("subtask_description", kMaxContent).value_or("");
  request.context = arguments.Json("contextual_data", kMaxContent / 2).value_or("");
  request.parent = arguments.Task("parent_task_id");
  request.deadline = arguments.Time("deadline");
  request.budget = arguments.Integer("budget", 1, kMaxBudget).value_or(0);
  request.lease_ms = arguments.LeaseMs();
  if (const Result<TaskId> known = TaskIdOf(request.name)) {
    request.task = *known;
  } else if (request.description.empty()) {
    arguments.Wrong("subtask_description is missing: subtask_id is no task that there is yet");
  }
  if (request.description.size() + request.context.size() > kMaxContent - 100) {
    arguments.Wrong(
        fmt::format("subtask_description and contextual_data must have at most {} "
                    "bytes together",
                    kMaxContent - 100));
  }
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Delegated> done = Delegate(records, request);
    if (!done) return Failure(std::move(done.error()));
    Answer answer{.text = ToText(done->task.id) + " is with " + done->task.assigned_to};
    answer.content = {{"task_id", ToText(done->task.id)},
                      {"assigned_to", done->task.assigned_to},
                      {"fence", done->task.fence},
                      {"depth", done->depth}};
    if (done->task.deadline != 0) answer.content["deadline"] = TimeText(done->task.deadline);
    if (done->budget != 0) answer.content["budget"] = done->budget;
    return answer;
  });
}
}  // namespace delegate_subtask

}  // namespace switchyard::orchestration
