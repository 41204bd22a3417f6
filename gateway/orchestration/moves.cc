#include "orchestration/moves.h"

#include <algorithm>
#include <utility>

#include "orchestration/dependencies.h"
#include "orchestration/lanes.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/size.h"

namespace switchyard::orchestration {
namespace {

Result<Task> Keep(Records& records, const Task& before, Task after, const Ending& ending = {}) {
  if (Result<void> stored = Store(records, before, after, ending); !stored) {
    return Failure(std::move(stored.error()));
  }
  return after;
}

// Milliseconds by which a lease is not renewed: an index has it, and nobody counts so finely.
constexpr std::int64_t kFinest = 100;

// Whoever says that it has, or had, the task may act as its agent; one that is gone is anybody.
Result<void> MaySpeakFor(Records& records, const Task& task) {
  Result<void> known = SpeakAs(records, task.assigned_to);
  if (!known && known.error().code == Code::kNotFound) return {};
  return known;
}

// The task as a move left it that is asked for again with its fence, for the answer was lost on its
// way; an id of 0: that move was not made.
Result<Task> MadeBefore(Records& records, TaskId id, const Actor& actor, Status reached) {
  if (actor.fence == 0) return Task();
  Result<Task> task = Find(records, id);
  if (!task) return task;
  if (task->status != reached || task->fence != actor.fence ||
      (!actor.agent.empty() && actor.agent != task->assigned_to)) {
    return Task();
  }
  if (Result<void> may = MaySpeakFor(records, *task); !may) return Failure(std::move(may.error()));
  return task;
}

// The task, if `actor` may use `tool` on it.
Result<Task> FindFor(Records& records, TaskId id, std::string_view tool, const Actor& actor) {
  Result<Task> task = Find(records, id);
  if (!task) return task;
  if (actor.fence != 0 && actor.fence != task->fence) {
    return Refused("fence " + std::to_string(actor.fence) + " of task " + ToText(id) +
                   " is out of date: its lease ran out or it was given on; drop this work");
  }
  if (Result<void> legal = Allows(tool, task->status, ToText(id)); !legal) {
    return Failure(std::move(legal.error()));
  }
  if (!IsHeld(task->status)) return task;
  if (!actor.agent.empty() && actor.agent != task->assigned_to) {
    return Forbidden("task " + ToText(id) + " is with agent " + task->assigned_to + ", not with " +
                     actor.agent);
  }
  if (Result<void> may = MaySpeakFor(records, *task); !may) return Failure(std::move(may.error()));
  // Whoever had it before may not know yet that it has lost it.
  if (task->taken_back && actor.fence == 0 && actor.agent.empty()) {
    return Refused("task " + ToText(id) +
                   " was taken back before and given on: say who speaks, with fence as it came "
                   "with the task, or with agent_id");
  }
  return task;
}

// Of a caller that is proved, a task is changed by that caller alone: whoever has it can end it by
// its own moves. So does who made its project or goal, which is not over before it is.
Result<void> MayChange(Records& records, const Task& task) {
  if (task.creator.empty() || task.creator == records.caller) return {};
  if (records.rights.Has(Right::kForce)) return {};
  Result<bool> own = MadeItsEffort(records, task);
  if (!own) return Failure(std::move(own.error()));
  if (*own) return {};
  return Forbidden("task " + ToText(task.id) +
                   " was created by another caller; fail_task gives it "
                   "back if you have it");
}

// The task, if `tool` applies to it and the caller may change it.
Result<Task> FindToChange(Records& records, TaskId id, std::string_view tool) {
  Result<Task> task = Find(records, id);
  if (!task) return task;
  Result<void> may = Allows(tool, task->status, ToText(id));
  if (may) may = MayChange(records, *task);
  if (!may) return Failure(std::move(may.error()));
  return task;
}

// Nobody has it any more.
void LetGo(Task& task) {
  task.lease_until = 0;
  task.pushed = false;
  ++task.fence;  // whoever had it is told
}

// Whether the caller gives to an agent that another one proved to have registered.
bool IsAnothers(const Records& records, const Agent& agent) {
  return !agent.owner.empty() && agent.owner != records.caller;
}

Result<Task> GiveTo(Records& records, const Task& task, const Agent& agent, std::int64_t lease_ms) {
  Task given = task;
  given.status = Status::kAssigned;
  given.assigned_to = agent.id;
  given.assigned_at = records.now;
  given.started_at = 0;
  given.lease_ms = lease_ms == 0 ? records.settings.lease_ms : lease_ms;
  given.lease_until = records.now + given.lease_ms;
  given.pushed = IsAnothers(records, agent);
  ++given.attempts;
  ++given.fence;
  ++records.effects.claimed;
  // Each return is one fence more, too.
  if (task.fence == 0) {
    records.effects.pending.push_back(std::max<std::int64_t>(records.now - task.created_at, 0));
  }
  if (Result<void> counted = CountUp(records, "assigned"); !counted) {
    return Failure(std::move(counted.error()));
  }
  return Keep(records, task, std::move(given));
}

// What it needs and was never completed is all still known.
Result<void> RefuseForgottenNeeds(Records& records, const Task& task) {
  if (task.waits_for == 0) return {};
  Result<Database::Rows> known = records.sql.Query(
      "SELECT count(*) FROM dependency WHERE task = $1 AND needs IN "
      "(SELECT id FROM task WHERE id = needs)",
      {task.id});
  if (!known) return Failure(std::move(known.error()));
  if (known->front().Number(0) >= task.waits_for) return {};
  return Refused("task " + ToText(task.id) +
                 " waits for what failed and is forgotten by now; create it anew with create_task");
}

// From when on it has its place in the queue.
Result<std::int64_t> QueuedAt(Records& records, const Task& task) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT queued_at FROM task WHERE id = $1", {task.id});
  if (!rows) return Failure(std::move(rows.error()));
  const std::int64_t again = rows->empty() ? 0 : rows->front().Number(0);
  return again == 0 ? task.created_at : again;
}

// What the task requires and the agent lacks; "" = nothing.
std::string Lacking(const Agent& agent, const Task& task) {
  std::string lacking;
  for (const std::string& word : WordsOf(task.requirements)) {
    if (std::ranges::binary_search(agent.capabilities, word)) continue;
    lacking += (lacking.empty() ? "" : ", ") + word;
  }
  return lacking;
}

// How many more the agent may have: at least `wanted`, or all. What others gave it and it did
// nothing about takes no room of what it takes itself. kInvalid: none.
Result<std::int64_t> RoomOf(Records& records, const Agent& agent, std::int64_t wanted) {
  std::int64_t room = agent.max_concurrent - agent.active;
  if (room < wanted && agent.active > 0 && !agent.owner.empty() && !IsAnothers(records, agent)) {
    Result<Database::Rows> pushed = records.sql.Query(
        "SELECT count(*) FROM task WHERE assigned_to = $1 AND status = 1 AND pushed = 1 AND "
        "lease_until IS NOT NULL",
        {agent.id});
    if (!pushed) return Failure(std::move(pushed.error()));
    room += pushed->front().Number(0);
  }
  if (room > 0) return room;
  return Refused("agent " + agent.id + " has " + std::to_string(agent.max_concurrent - room) +
                 " of " + std::to_string(agent.max_concurrent) + " tasks; complete one first");
}

// Who made a task hands it out, or made what it belongs to, or may add to what it is a part of; and
// whom the configuration gives the right to. For an agent of its own a caller may have any task, as
// by a claim.
Result<void> MayHandOut(Records& records, const Task& task, const Agent& to) {
  if (!to.owner.empty() && to.owner == records.caller) return {};
  if (records.rights.HasByRole(Right::kAssign)) return {};
  Result<void> may = MayChange(records, task);
  if (may || may.error().code != Code::kForbidden) return may;
  if (task.parent != 0) {
    Result<Task> parent = Find(records, task.parent);
    if (parent && MayAddParts(records, *parent)) return {};
  }
  return Forbidden("task " + ToText(task.id) +
                   " was created by another caller, who hands it out, as does whoever has what it "
                   "is a part of; for an agent of yours poll_tasks takes it, with claim");
}

}  // namespace

Result<void> MayAddParts(Records& records, const Task& task) {
  if (IsHeld(task.status) && MaySpeakFor(records, task)) return {};
  Result<void> may = MayChange(records, task);
  if (may || may.error().code != Code::kForbidden) return may;
  return Forbidden("task " + ToText(task.id) +
                   " was created by another caller, who adds parts to it, as does whoever has it");
}

Result<Task> Assign(Records& records, TaskId id, const std::string& to, std::int64_t lease_ms) {
  Result<Task> task = FindFor(records, id, "assign_task", {});
  if (!task) return task;
  Result<Agent> agent = FindAgent(records, to);
  if (!agent) return Failure(std::move(agent.error()));
  if (Result<void> may = MayHandOut(records, *task, *agent); !may) {
    return Failure(std::move(may.error()));
  }
  if (task->waits_for > 0) {
    return Refused("task " + ToText(id) + " waits for " + std::to_string(task->waits_for) +
                   " others; get_task_status names them");
  }
  if (const std::string lacking = Lacking(*agent, *task); !lacking.empty()) {
    return Refused("agent " + agent->id + " lacks " + lacking + ", which task " + ToText(id) +
                   " requires; find_capable_agents names those who can do it");
  }
  if (Result<std::int64_t> room = RoomOf(records, *agent, 1); !room) {
    return Failure(std::move(room.error()));
  }
  return GiveTo(records, *task, *agent, lease_ms);
}

Result<std::vector<Task>> Claim(Records& records, const std::string& as, std::string_view task_type,
                                std::int64_t limit, std::int64_t lease_ms) {
  Result<Agent> agent = ActAs(records, as);
  if (!agent) return Failure(std::move(agent.error()));
  Result<std::int64_t> room = RoomOf(records, *agent, limit);
  if (!room) return Failure(std::move(room.error()));
  Result<std::vector<TaskId>> ids = FirstReady(records, {.task_type = task_type,
                                                         .capabilities = &agent->capabilities,
                                                         .limit = std::min(limit, *room)});
  if (!ids) return Failure(std::move(ids.error()));
  std::vector<Task> claimed;
  std::size_t bytes = 0;
  for (const TaskId id : *ids) {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    bytes += BytesOf(*task);
    if (bytes > kMaxPage && !claimed.empty()) break;  // what is not shown is not given out
    task = GiveTo(records, *task, *agent, lease_ms);
    if (!task) return Failure(std::move(task.error()));
    claimed.push_back(std::move(*task));
  }
  return claimed;
}

Result<Task> Start(Records& records, TaskId id, const Actor& actor) {
  Result<Task> before = MadeBefore(records, id, actor, Status::kInProgress);
  if (!before || before->id != 0) return before;
  Result<Task> task = FindFor(records, id, "start_task", actor);
  if (!task) return task;
  Task started = *task;
  started.status = Status::kInProgress;
  started.started_at = records.now;
  started.pushed = false;
  // What was given out a moment ago has its whole lease yet.
  const std::int64_t begun = task->lease_until - task->lease_ms;
  if (records.now - begun >= std::min(kFinest, task->lease_ms / 100) || begun > records.now) {
    started.lease_until = records.now + started.lease_ms;
  }
  return Keep(records, *task, std::move(started));
}

Result<Task> Complete(Records& records, TaskId id, const Actor& actor, std::string result,
                      std::string metrics) {
  Result<Task> before = MadeBefore(records, id, actor, Status::kCompleted);
  if (!before) return before;
  if (before->id != 0 && before->result == result && before->metrics == metrics) return before;
  Result<Task> task = FindFor(records, id, "complete_task", actor);
  if (!task) return task;
  if (Result<void> room = RefuseBulk(records, result.size() + metrics.size()); !room) {
    return Failure(std::move(room.error()));
  }
  Task done = *task;
  done.status = Status::kCompleted;
  done.finished_at = records.now;
  done.lease_until = 0;
  done.result = std::move(result);
  done.metrics = std::move(metrics);
  done.error.clear();
  const Ending ending{.how = Ending::How::kCompleted,
                      .took_ms = std::max<std::int64_t>(records.now - task->started_at, 1)};
  Result<void> told = Store(records, *task, done, ending);
  if (told) told = Release(records, id);
  if (!told) return Failure(std::move(told.error()));
  return done;
}

Result<Task> Fail(Records& records, TaskId id, const Actor& actor, std::string error, bool retry) {
  Result<Task> task = FindFor(records, id, "fail_task", actor);
  if (!task) return task;
  // One that nobody has is ended by who may cancel it.
  if (!IsHeld(task->status)) {
    Result<void> may = MayChange(records, *task);
    if (may && !records.rights.Has(Right::kCancel)) {
      may = Forbidden("task " + ToText(id) +
                      " is with nobody: to end it is to cancel it, which your roles do not allow");
    }
    // A late word of whoever had it ends nothing.
    if (may && task->taken_back) {
      may = Refused("task " + ToText(id) +
                    " was taken back and is with nobody: drop this work; cancel_task ends it");
    }
    if (!may) return Failure(std::move(may.error()));
  }
  Task failed = *task;
  failed.error = std::move(error);
  if (IsHeld(task->status)) LetGo(failed);
  // One that is still pending was nobody's attempt.
  const bool again = retry && (!IsHeld(task->status) || failed.attempts < failed.max_attempts);
  failed.status = again ? Status::kPending : Status::kFailed;
  if (again) failed.assigned_to.clear();
  if (!again) failed.finished_at = records.now;
  if (!again && retry) ++records.effects.dead;
  // Who turns down what others gave it has not failed.
  return Keep(records, *task, std::move(failed),
              {.how = task->pushed ? Ending::How::kNotByIt : Ending::How::kFailed});
}

Result<Task> Cancel(Records& records, TaskId id, std::string reason) {
  Result<Task> task = FindToChange(records, id, "cancel_task");
  if (!task) return task;
  Task cancelled = *task;
  if (IsHeld(task->status)) LetGo(cancelled);
  cancelled.status = Status::kCancelled;
  cancelled.finished_at = records.now;
  cancelled.error = std::move(reason);
  return Keep(records, *task, std::move(cancelled));
}

Result<Task> Requeue(Records& records, TaskId id) {
  Result<Task> task = FindToChange(records, id, "requeue_task");
  if (!task) return task;
  Result<void> fine = RefuseForgottenNeeds(records, *task);
  if (fine) fine = RefuseClosed(records, *task);
  if (!fine) return Failure(std::move(fine.error()));
  Task again = *task;
  again.status = Status::kPending;
  again.attempts = 0;
  again.finished_at = 0;
  again.assigned_to.clear();
  again.error.clear();
  again.due = DueAt(records.now, again.priority, again.deadline);
  Result<void> queued =
      records.sql.Execute("UPDATE task SET queued_at = $1 WHERE id = $2", {records.now, id});
  if (!queued) return Failure(std::move(queued.error()));
  return Keep(records, *task, std::move(again));
}

Result<Task> Change(Records& records, TaskId id, Update update) {
  Result<Task> task = FindToChange(records, id, "update_task");
  if (!task) return task;
  if (update.content && update.content->size() > task->content.size()) {
    if (Result<void> room = RefuseAdding(records); !room) return Failure(std::move(room.error()));
  }
  Task changed = *task;
  if (update.content) changed.content = std::move(*update.content);
  if (update.priority) changed.priority = *update.priority;
  if (update.deadline) changed.deadline = *update.deadline;
  if (update.max_attempts) changed.max_attempts = *update.max_attempts;
  Result<std::int64_t> queued = QueuedAt(records, *task);
  if (!queued) return Failure(std::move(queued.error()));
  changed.due = DueAt(*queued, changed.priority, changed.deadline);
  if (Result<void> added = AddDependencies(records, changed, update.depends_on); !added) {
    return Failure(std::move(added.error()));
  }
  return Keep(records, *task, std::move(changed));
}

}  // namespace switchyard::orchestration
