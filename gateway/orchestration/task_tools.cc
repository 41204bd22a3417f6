// The tools that change tasks: arguments in, a move, a short answer.
#include <algorithm>
#include <utility>

#include "orchestration/batch.h"
#include "orchestration/dependencies.h"
#include "orchestration/moves.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

Answer Moved(const Task& task, bool with_fence = false) {
  Answer answer;
  answer.content["task_id"] = ToText(task.id);
  answer.content["status"] = ToString(task.status);
  if (with_fence) answer.content["fence"] = task.fence;
  answer.text = Line(task);
  return answer;
}

Result<Answer> Moved(Result<Task> task, bool with_fence = false) {
  if (!task) return Failure(std::move(task.error()));
  return Moved(*task, with_fence);
}

Actor ActorOf(Arguments& arguments) {
  return {.agent = arguments.Word("agent_id", kMaxId).value_or(""),
          .fence = arguments.Integer("fence", 1, INT64_MAX).value_or(0)};
}

}  // namespace

namespace create_task {
Result<Operation> Prepare(Arguments& arguments) {
  NewTask task = NewTaskOf(arguments);
  task.depends_on = arguments.Tasks("depends_on");
  std::vector<std::string> needs;
  needs.reserve(task.depends_on.size());
  for (const TaskId id : task.depends_on) needs.push_back(ToText(id));
  if (!task.idempotency.empty()) task.digest = DigestOf(task, needs);
  Result<Operation> create =
      Do(arguments, [task = std::move(task)](Records& records) -> Result<Answer> {
        Result<Task> made = Create(records, task);
        if (!made) return Failure(std::move(made.error()));
        // The first answer, also to a later call with the same key.
        made->status = Status::kPending;
        Answer answer = Moved(*made);
        answer.task = made->id;
        return answer;
      });
  if (create) create->follow = Follow::kIfAsked;
  return create;
}
}  // namespace create_task

namespace create_tasks {
Result<Operation> Prepare(Arguments& arguments) {
  Batch batch;
  for (Arguments& one : arguments.Children("tasks", kMaxBatch)) {
    batch.Add(one, batch.items.size(), arguments);
  }
  batch.Settle();
  return Do(arguments, [batch = std::move(batch)](Records& records) -> Result<Answer> {
    Result<std::vector<Task>> made = CreateAll(records, batch, "tasks");
    if (!made) return Failure(std::move(made.error()));
    Answer answer;
    json::array ids;
    for (const Task& task : *made) ids.emplace_back(ToText(task.id));
    answer.text = Many(ids.size(), "task") + " created";
    answer.content["task_ids"] = std::move(ids);
    return answer;
  });
}
}  // namespace create_tasks

namespace assign_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  const std::string agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::int64_t lease = arguments.LeaseMs();
  return Do(arguments,
            [=](Records& records) { return Moved(Assign(records, id, agent, lease), true); });
}
}  // namespace assign_task

namespace start_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  const Actor actor = ActorOf(arguments);
  return Do(arguments, [=](Records& records) { return Moved(Start(records, id, actor)); });
}
}  // namespace start_task

namespace complete_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  const std::string result = arguments.Json("result", kMaxResult).value_or("");
  const std::string metrics = arguments.Json("metrics", kMaxMetrics).value_or("");
  if (!metrics.empty() && !metrics.starts_with('{')) arguments.Wrong("metrics must be an object");
  const Actor actor = ActorOf(arguments);
  return Do(arguments,
            [=](Records& records) { return Moved(Complete(records, id, actor, result, metrics)); });
}
}  // namespace complete_task

namespace fail_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  const std::string error = arguments.Text("error", kMaxError, Need::kRequired).value_or("");
  const bool retry = arguments.Bool("should_retry").value_or(false);
  const Actor actor = ActorOf(arguments);
  return Do(arguments,
            [=](Records& records) { return Moved(Fail(records, id, actor, error, retry)); });
}
}  // namespace fail_task

namespace cancel_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  const std::string reason = arguments.Text("reason", kMaxError).value_or("");
  return Do(arguments, [=](Records& records) { return Moved(Cancel(records, id, reason)); });
}
}  // namespace cancel_task

namespace requeue_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  return Do(arguments, [=](Records& records) { return Moved(Requeue(records, id)); });
}
}  // namespace requeue_task

namespace update_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  Update update;
  update.content = arguments.Text("content|description", kMaxContent);
  update.priority = arguments.PriorityIn("priority");
  if (const std::int64_t deadline = arguments.Time("deadline")) update.deadline = deadline;
  update.max_attempts = arguments.Integer("max_attempts", 1, kMostAttempts);
  update.depends_on = arguments.Tasks("depends_on");
  return Do(arguments, [=](Records& records) { return Moved(Change(records, id, update)); });
}
}  // namespace update_task

}  // namespace switchyard::orchestration
