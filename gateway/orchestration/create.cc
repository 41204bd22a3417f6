#include <algorithm>
#include <utility>

#include "orchestration/dependencies.h"
#include "orchestration/lanes.h"
#include "orchestration/moves.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/shares.h"

namespace switchyard::orchestration {
namespace {

// Keys are of one caller, and where it says as which agent it acts, of that agent: many agents are
// often one caller, or nobody in particular.
std::string KeyOf(const NewTask& wanted) {
  if (wanted.idempotency.empty() || wanted.agent.empty()) return wanted.idempotency;
  return wanted.agent + "\n" + wanted.idempotency;  // neither has a line break
}

// One that nobody registered may be named by anybody.
Result<void> MaySpeakFor(Records& records, const std::string& agent) {
  if (agent.empty()) return {};
  Result<void> known = SpeakAs(records, agent);
  if (!known && known.error().code == Code::kNotFound) return {};
  return known;
}

}  // namespace

Result<Task> MadeByKey(Records& records, const NewTask& wanted) {
  if (wanted.idempotency.empty()) return Task();
  Result<Database::Rows> rows =
      records.sql.Query("SELECT id, digest FROM task WHERE creator = $1 AND idempotency = $2",
                        {records.caller, KeyOf(wanted)});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Task();
  const TaskId id = rows->front().Number(0);
  if (rows->front().Text(1) != wanted.digest) {
    return Refused("idempotency_key \"" + wanted.idempotency + "\" made " + ToText(id) +
                   ", which asked for something else; use another key");
  }
  return Find(records, id);
}

Result<Task> Create(Records& records, const NewTask& wanted) {
  if (Result<void> may = MaySpeakFor(records, wanted.agent); !may) {
    return Failure(std::move(may.error()));
  }
  Result<Task> before = MadeByKey(records, wanted);
  if (!before || before->id != 0) return before;
  if (Result<void> room = RefuseMoreTasks(records); !room) return Failure(std::move(room.error()));
  Task parent;
  if (wanted.parent != 0) {
    Result<Task> found = Find(records, wanted.parent);
    if (!found) return Failure(std::move(found.error()).In("parent"));
    if (Result<void> may = MayAddParts(records, *found); !may) {
      return Failure(std::move(may.error()).In("parent"));
    }
    parent = std::move(*found);
  }
  Result<Belongs> belongs =
      BelongsTo(records, {.project = wanted.project, .goal = wanted.goal}, parent);
  if (!belongs) return Failure(std::move(belongs.error()));
  // What may refuse it for want of room comes before anything is written: what is undone again
  // costs all that is committed with it.
  const std::string requirements = ToJson(wanted.requirements);
  Result<std::int64_t> lane = LaneFor(records, wanted.task_type, requirements);
  if (!lane) return Failure(std::move(lane.error()));
  Result<TaskId> id = Next(records, "task");
  if (!id) return Failure(std::move(id.error()));
  Task task{.id = *id,
            .priority = wanted.priority,
            .lane = *lane,
            .due = DueAt(records.now, wanted.priority, wanted.deadline),
            .task_type = wanted.task_type,
            .content = wanted.content,
            .requirements = requirements,
            .parent = wanted.parent,
            .creator = std::string(records.caller),
            .idempotency = KeyOf(wanted),
            .digest = wanted.digest,
            .created_at = records.now,
            .deadline = wanted.deadline,
            .max_attempts = wanted.max_attempts};
  task.project = belongs->project;
  task.goal = belongs->goal;
  Result<void> done = AddDependencies(records, task, wanted.depends_on);
  if (done) done = Insert(records, task);
  if (done) done = CountTaskOf(records, task.creator, 1);
  if (!done) return Failure(std::move(done.error()));
  return task;
}

}  // namespace switchyard::orchestration
