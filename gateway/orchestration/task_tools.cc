// The tools that change tasks: arguments in, a move, a short answer.
#include <algorithm>
#include <map>
#include <utility>

#include "base/digest.h"
#include "orchestration/dependencies.h"
#include "orchestration/moves.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

constexpr std::int64_t kMostAttempts = 100;

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

// Without depends_on, which a batch reads in its own way.
NewTask NewTaskOf(Arguments& arguments) {
  NewTask task;
  task.content = arguments.Text("content|description", kMaxContent, Need::kRequired).value_or("");
  task.task_type = arguments.Word("task_type", kMaxWord).value_or("general");
  task.priority = arguments.PriorityIn("priority").value_or(Priority::kMedium);
  task.requirements = arguments.Words("requirements|required_capabilities");
  task.parent = arguments.Task("parent|parent_task_id");
  task.deadline = arguments.Time("deadline");
  task.max_attempts = arguments.Integer("max_attempts", 1, kMostAttempts).value_or(3);
  task.idempotency = arguments.Word("idempotency_key", kMaxId).value_or("");
  task.agent = arguments.Word("agent_id|creator", kMaxId).value_or("");
  task.project = EffortIn(arguments, Kind::kProject, "project_id");
  task.goal = EffortIn(arguments, Kind::kGoal, "goal_id");
  return task;
}

// What a repeated call must ask for again.
std::string DigestOf(const NewTask& task, const std::vector<std::string>& depends_on) {
  json::array all{task.content, task.task_type, ToString(task.priority),
                  task.parent,  task.deadline,  task.max_attempts};
  for (const std::string& word : task.requirements) all.emplace_back(word);
  all.emplace_back(nullptr);
  for (const std::string& word : depends_on) all.emplace_back(word);
  if (task.project != 0) all.emplace_back(ToText(Kind::kProject, task.project));
  if (task.goal != 0) all.emplace_back(ToText(Kind::kGoal, task.goal));
  return Sha256(json::serialize(all)).substr(0, 32);
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
namespace {

struct Item {
  NewTask task;
  std::string ref = {};
  std::vector<std::string> needs = {};  // refs of this call, or ids
};

Result<TaskId> Meant(const std::string& word, const std::map<std::string, std::size_t>& refs,
                     const std::vector<Task>& made) {
  const auto ref = refs.find(word);
  if (ref != refs.end()) return made[ref->second].id;
  return TaskIdOf(word);
}

// All first, then what they wait for: an item may wait for a later one.
Result<Answer> CreateAll(Records& records, const std::vector<Item>& items,
                         const std::map<std::string, std::size_t>& refs) {
  Result<Database::Rows> newest =
      records.sql.Query("SELECT value FROM counter WHERE name = 'task'");
  if (!newest) return Failure(std::move(newest.error()));
  const TaskId last = newest->front().Number(0);
  const std::int64_t ready_before = records.effects.ready;
  std::vector<Task> made;
  for (const Item& item : items) {
    Result<Task> task = Create(records, item.task);
    if (!task)
      return Failure(std::move(task.error()).In("tasks[" + std::to_string(made.size()) + "]"));
    made.push_back(std::move(*task));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    Update update;
    for (const std::string& word : items[i].needs) {
      Result<TaskId> id = Meant(word, refs, made);
      if (!id) return Failure(std::move(id.error()).In("depends_on"));
      update.depends_on.push_back(*id);
    }
    // What its key made before is as it is.
    if (update.depends_on.empty() || made[i].id <= last) continue;
    Result<Task> changed = Change(records, made[i].id, std::move(update));
    if (!changed) return Failure(std::move(changed.error()));
    made[i] = std::move(*changed);
  }
  // Those that wait for others were ready for a moment; nobody is woken for that.
  records.effects.ready = ready_before + std::ranges::count_if(made, [last](const Task& task) {
                            return task.id > last && task.ready();
                          });
  Answer answer;
  json::array ids;
  for (const Task& task : made) ids.emplace_back(ToText(task.id));
  answer.text = Many(ids.size(), "task") + " created";
  answer.content["task_ids"] = std::move(ids);
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  std::vector<Item> items;
  std::map<std::string, std::size_t> refs;
  for (Arguments& one : arguments.Children("tasks", kMaxBatch)) {
    Item item{.task = NewTaskOf(one)};
    item.ref = one.Word("ref", kMaxId).value_or("");
    item.needs = one.Words("depends_on");
    if (!item.ref.empty() && !refs.emplace(item.ref, items.size()).second) {
      one.Wrong("ref " + item.ref + " stands at two tasks, expected one of its own for each");
    }
    arguments.Join(one);
    items.push_back(std::move(item));
  }
  for (Item& item : items) {
    // An id may be written with more zeros or fewer.
    for (std::string& word : item.needs) {
      const Result<TaskId> id = TaskIdOf(word);
      if (id && !refs.contains(word)) word = ToText(*id);
    }
    if (!item.task.idempotency.empty()) item.task.digest = DigestOf(item.task, item.needs);
  }
  return Do(arguments, [items = std::move(items), refs = std::move(refs)](Records& records) {
    return CreateAll(records, items, refs);
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
