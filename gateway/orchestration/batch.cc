#include "orchestration/batch.h"

#include <algorithm>
#include <set>
#include <utility>

#include <boost/json.hpp>

#include "base/digest.h"
#include "orchestration/lanes.h"
#include "orchestration/projects/efforts.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

Result<TaskId> Meant(const std::string& word, const Batch& batch, const std::vector<Task>& made) {
  const auto ref = batch.refs.find(word);
  if (ref != batch.refs.end()) return made[ref->second].id;
  return TaskIdOf(word);
}

std::string PlaceOf(std::string_view name, std::size_t item) {
  return std::string(name) + "[" + std::to_string(item) + "]";
}

// Where there is no room for all of them, none is made: what is undone again costs all that is
// committed with it.
Result<void> RefuseMore(Records& records, const Batch& batch, std::string_view name) {
  std::int64_t more = 0;
  std::set<KindOfTask> kinds;
  std::set<std::pair<std::string, std::string>> keys;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const NewTask& task = batch.items[i].task;
    if (!task.idempotency.empty()) {
      if (!keys.emplace(task.agent, task.idempotency).second) continue;
      Result<Task> before = MadeByKey(records, task);
      if (!before) {
        return Failure(std::move(before.error()).In(PlaceOf(name, batch.items[i].place)));
      }
      if (before->id != 0) continue;
    }
    ++more;
    kinds.emplace(task.task_type, ToJson(task.requirements));
  }
  if (Result<void> room = RefuseTasks(records, more, kinds); !room) {
    return Failure(std::move(room.error()).In(std::string(name)));
  }
  return {};
}

}  // namespace

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

void Batch::Add(Arguments& item, std::size_t place, Arguments& whole) {
  BatchItem read{.task = NewTaskOf(item), .place = place};
  read.ref = item.Word("ref", kMaxId).value_or("");
  read.needs = item.Words("depends_on");
  if (!read.ref.empty() && !refs.emplace(read.ref, items.size()).second) {
    item.Wrong("ref " + read.ref + " stands at two tasks, expected one of its own for each");
  }
  whole.Join(item);
  items.push_back(std::move(read));
}

void Batch::Settle() {
  for (BatchItem& item : items) {
    // An id may be written with more zeros or fewer.
    for (std::string& word : item.needs) {
      const Result<TaskId> id = TaskIdOf(word);
      if (id && !refs.contains(word)) word = ToText(*id);
    }
    if (!item.task.idempotency.empty()) item.task.digest = DigestOf(item.task, item.needs);
  }
}

// All first, then what they wait for: an item may wait for a later one.
Result<std::vector<Task>> CreateAll(Records& records, const Batch& batch, std::string_view name) {
  if (Result<void> room = RefuseMore(records, batch, name); !room) {
    return Failure(std::move(room.error()));
  }
  Result<Database::Rows> newest =
      records.sql.Query("SELECT value FROM counter WHERE name = 'task'");
  if (!newest) return Failure(std::move(newest.error()));
  const TaskId last = newest->front().Number(0);
  const std::int64_t ready_before = records.effects.ready;
  std::vector<Task> made;
  for (const BatchItem& item : batch.items) {
    Result<Task> task = Create(records, item.task);
    if (!task) {
      return Failure(std::move(task.error()).In(PlaceOf(name, item.place)));
    }
    made.push_back(std::move(*task));
  }
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    Update update;
    for (const std::string& word : batch.items[i].needs) {
      Result<TaskId> id = Meant(word, batch, made);
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
  return made;
}

}  // namespace switchyard::orchestration
