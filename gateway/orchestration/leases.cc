#include <span>
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/sweep.h"
#include "orchestration/locks/locks.h"
#include "orchestration/moves.h"
#include "orchestration/shares.h"

namespace switchyard::orchestration {
namespace {

using Parameter = Database::Parameter;

// After a start an agent has at least so long for its first word.
constexpr std::int64_t kLeastLeft = 2'000;

// Back to the queue, or over when it was tried as often as it may be. `counts`: as an attempt, and
// against the agent.
Result<void> TakeBack(Records& records, const Task& task, const std::string& why, bool counts) {
  Task back = task;
  back.lease_until = 0;
  back.pushed = false;
  back.taken_back = true;
  ++back.fence;
  back.error = why;
  // Who leaves in good time has not tried it, and so it is not the last attempt either.
  if (!counts) --back.attempts;
  const bool dead = counts && back.attempts >= back.max_attempts;
  back.status = dead ? Status::kFailed : Status::kPending;
  if (dead) back.finished_at = records.now;
  if (!dead) back.assigned_to.clear();
  if (dead) ++records.effects.dead;
  return Store(records, task, std::move(back),
               {.how = counts ? Ending::How::kExpired : Ending::How::kNotByIt});
}

Result<std::size_t> TakeBackExpired(Records& records, std::int64_t limit) {
  // One at a time: their contents may be large.
  Result<Database::Rows> ids =
      records.sql.Query("SELECT id FROM task WHERE lease_until <= $1 ORDER BY lease_until LIMIT $2",
                        {records.now, limit});
  if (!ids) return Failure(std::move(ids.error()));
  for (const Database::Row& row : *ids) {
    Result<Task> task = Find(records, row.Number(0));
    if (!task) return Failure(std::move(task.error()));
    ++records.effects.expired;
    Result<void> back = CountUp(records, "expired");
    if (back) {
      // What others gave it is neither its failure nor a try of the task unless it knew of it.
      back = TakeBack(records, *task,
                      "the lease of agent " + task->assigned_to + " ran out: it said nothing for " +
                          std::to_string(task->lease_ms) + " ms",
                      !task->pushed);
    }
    if (!back) return Failure(std::move(back.error()));
  }
  return ids->size();
}

Result<void> KeepAlive(Records& records) {
  return records.sql.Execute("UPDATE counter SET value = $1 WHERE name = 'alive_at'",
                             {records.now});
}

// Those that wait for what will never be completed, and soon nobody can look up; up to
// kReleasedAtOnce. Gives how many.
Result<std::int64_t> GiveUpWaiting(Records& records, const Task& gone) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM task WHERE id IN (SELECT task FROM dependency WHERE needs = $1 ORDER BY task "
      "LIMIT $2)",
      TaskColumns());
  const Parameter parameters[] = {gone.id, kReleasedAtOnce};
  Result<std::vector<Task>> waiting = ReadTasks(records, kSql, parameters);
  if (!waiting) return Failure(std::move(waiting.error()));
  for (const Task& task : *waiting) {
    Result<void> done = records.sql.Execute("DELETE FROM dependency WHERE task = $1 AND needs = $2",
                                            {task.id, gone.id});
    Task over = task;
    if (task.status == Status::kPending) {
      over.status = Status::kCancelled;
      over.finished_at = records.now;
      over.error = fmt::format("{}, which it waited for, was {} and is forgotten by now",
                               ToText(gone.id), ToString(gone.status));
    }
    if (done) done = Store(records, task, std::move(over));
    if (!done) return Failure(std::move(done.error()));
  }
  return static_cast<std::int64_t>(waiting->size());
}

// Those that waited for it are still being told.
Result<bool> IsReleasing(Records& records, TaskId task) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT task FROM releasing WHERE task = $1", {task});
  if (!rows) return Failure(std::move(rows.error()));
  return !rows->empty();
}

Result<std::size_t> Forget(Records& records, std::int64_t limit) {
  // What Erase() wants of them, and not their results.
  Result<Database::Rows> tasks = records.sql.Query(
      "SELECT id, status, priority, creator FROM task WHERE finished_at > 0 AND finished_at <= $1 "
      "ORDER BY finished_at LIMIT $2",
      {records.now - records.settings.retain_ms, limit});
  if (!tasks) return Failure(std::move(tasks.error()));
  std::int64_t told = 0;
  for (const Database::Row& row : *tasks) {
    const Task task{.id = row.Number(0),
                    .status = static_cast<Status>(row.Number(1)),
                    .priority = static_cast<Priority>(row.Number(2))};
    if (task.status == Status::kCompleted) {
      Result<bool> busy = IsReleasing(records, task.id);
      if (!busy) return Failure(std::move(busy.error()));
      if (*busy) continue;
    } else {
      Result<std::int64_t> now = GiveUpWaiting(records, task);
      if (!now) return Failure(std::move(now.error()));
      told += *now;
      if (told >= kReleasedAtOnce) return static_cast<std::size_t>(limit);  // it stays till then
    }
    Result<void> gone = Erase(records, task);
    if (gone) gone = CountTaskOf(records, row.Text(3), -1);
    if (!gone) return Failure(std::move(gone.error()));
  }
  return tasks->size();
}

}  // namespace

Result<std::int64_t> Renew(Records& records, std::string_view agent, TaskId id,
                           std::int64_t fence) {
  if (id == 0) {
    Result<Database::Rows> rows = records.sql.Query(
        "UPDATE task SET lease_until = $1 + lease_ms WHERE assigned_to = $2 AND status IN (1, 2) "
        "AND lease_until IS NOT NULL RETURNING id",
        {records.now, agent});
    if (!rows) return Failure(std::move(rows.error()));
    return static_cast<std::int64_t>(rows->size());
  }
  Result<Task> task = Find(records, id);
  if (!task) return Failure(std::move(task.error()));
  const bool late = fence != 0 && fence != task->fence;
  if (late || !IsHeld(task->status) || task->assigned_to != agent) {
    return Refused("task " + ToText(id) + " is not with agent " + std::string(agent) +
                   ", or no longer: it is " + std::string(ToString(task->status)) +
                   "; drop this work");
  }
  // By its name: the agent knows of it.
  Result<void> renewed =
      records.sql.Execute("UPDATE task SET lease_until = $1, pushed = 0 WHERE id = $2",
                          {records.now + task->lease_ms, id});
  if (!renewed) return Failure(std::move(renewed.error()));
  return 1;
}

Result<std::int64_t> ReturnAll(Records& records, const std::string& agent, const std::string& why) {
  Result<Database::Rows> ids = records.sql.Query(
      "SELECT id FROM task WHERE assigned_to = $1 AND status IN (1, 2) AND lease_until IS NOT NULL",
      {agent});
  if (!ids) return Failure(std::move(ids.error()));
  for (const Database::Row& row : *ids) {
    Result<Task> task = Find(records, row.Number(0));
    if (!task) return Failure(std::move(task.error()));
    if (Result<void> back = TakeBack(records, *task, why, false); !back) {
      return Failure(std::move(back.error()));
    }
  }
  return static_cast<std::int64_t>(ids->size());
}

Result<bool> ReturnExpired(Records& records, std::int64_t limit) {
  Result<std::size_t> back = TakeBackExpired(records, limit);
  if (!back) return Failure(std::move(back.error()));
  return std::cmp_equal(*back, limit);
}

Result<bool> Sweep(Records& records, std::int64_t limit) {
  Result<std::size_t> back = TakeBackExpired(records, limit);
  if (!back) return Failure(std::move(back.error()));
  Result<std::size_t> gone = Forget(records, limit);
  if (!gone) return Failure(std::move(gone.error()));
  Result<std::size_t> silent = ForgetAgents(records, limit);
  if (!silent) return Failure(std::move(silent.error()));
  return std::cmp_equal(*back, limit) || std::cmp_equal(*gone, limit) ||
         std::cmp_equal(*silent, limit);
}

Result<void> GoOnWithLeases(Records& records) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT value FROM counter WHERE name = 'alive_at'");
  if (!rows) return Failure(std::move(rows.error()));
  const std::int64_t alive = rows->empty() ? 0 : rows->front().Number(0);
  Result<void> done = records.sql.Execute(
      "UPDATE task SET lease_until = $1 + CASE WHEN lease_until - $2 >= lease_ms OR lease_ms <= $3 "
      "THEN lease_ms WHEN lease_until - $2 > $3 THEN lease_until - $2 ELSE $3 END WHERE "
      "lease_until IS NOT NULL",
      {records.now, alive, kLeastLeft});
  if (done) done = GoOnWithLocks(records, alive, kLeastLeft);
  return done ? KeepAlive(records) : done;
}

Result<void> NoteAlive(Records& records) {
  Result<Database::Rows> held =
      records.sql.Query("SELECT id FROM task WHERE lease_until > 0 ORDER BY lease_until LIMIT 1");
  if (held && held->empty()) {
    held = records.sql.Query(
        "SELECT fence FROM file_hold WHERE lease_until > 0 ORDER BY lease_until LIMIT 1");
  }
  if (!held) return Failure(std::move(held.error()));
  return held->empty() ? Result<void>() : KeepAlive(records);
}

Result<void> MoveLeases(Records& records, std::int64_t by) {
  // With what they are measured from: how long a task took is told by its start.
  Result<void> moved = records.sql.Execute(
      "UPDATE task SET lease_until = lease_until + $1, assigned_at = assigned_at + $1, started_at "
      "= CASE WHEN started_at > 0 THEN started_at + $1 ELSE 0 END WHERE lease_until IS NOT NULL",
      {by});
  if (moved) {
    moved = records.sql.Execute("UPDATE agent SET heartbeat_at = heartbeat_at + $1", {by});
  }
  if (moved) moved = MoveLocks(records, by);
  return moved ? MoveCoordination(records, by) : moved;
}

}  // namespace switchyard::orchestration
