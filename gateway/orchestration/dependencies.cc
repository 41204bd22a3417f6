#include "orchestration/dependencies.h"

#include <algorithm>
#include <map>
#include <utility>

namespace switchyard::orchestration {
namespace {

// What so many wait for, in turn, is not made to wait itself: whether that closes a cycle would
// cost everybody more than it is worth, for others wait meanwhile.
constexpr std::int64_t kMostSearched = 1000;

constexpr std::int64_t kMostNeeded = 100;

// To look up a result costs as much as to read so many bytes, about.
constexpr std::size_t kLookedUp = 16 * 1024;

Result<std::vector<TaskId>> NeedsOf(Records& records, TaskId task) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT needs FROM dependency WHERE task = $1 ORDER BY needs", {task});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<TaskId> needs;
  needs.reserve(rows->size());
  for (const Database::Row& row : *rows) needs.push_back(row.Number(0));
  return needs;
}

std::string CycleOf(TaskId task, TaskId needs, const std::map<TaskId, TaskId>& waits_for) {
  std::string cycle = ToText(task);
  for (TaskId step = needs; step != task; step = waits_for.at(step)) cycle += " -> " + ToText(step);
  return cycle + " -> " + ToText(task);
}

// Whether one of them waits for `task` already, in turn. It is asked from the task on: a new one
// has nobody who waits for it, and who waits for what is not over is not over either.
Result<void> RefuseCycle(Records& records, TaskId task, const std::vector<TaskId>& needs) {
  std::map<TaskId, TaskId> waits_for{{task, 0}};
  std::vector<TaskId> open{task};
  for (std::size_t at = 0; at < open.size(); ++at) {
    if (at > 0 && std::ranges::find(needs, open[at]) != needs.end()) {
      return Refused("depends_on would make a cycle: " + CycleOf(task, open[at], waits_for));
    }
    Result<Database::Rows> rows =
        records.sql.Query("SELECT task FROM dependency WHERE needs = $1 ORDER BY task LIMIT $2",
                          {open[at], kMostSearched});
    if (!rows) return Failure(std::move(rows.error()));
    for (const Database::Row& row : *rows) {
      if (waits_for.try_emplace(row.Number(0), open[at]).second) open.push_back(row.Number(0));
    }
    if (std::cmp_greater_equal(open.size(), kMostSearched)) {
      return Refused("more than " + std::to_string(kMostSearched) + " tasks wait for task " +
                     ToText(task) + " in turn; create another one that waits, in its stead");
    }
  }
  return {};
}

std::unexpected<Error> TooManyNeeds() {
  return Refused("depends_on: a task waits for at most " + std::to_string(kMaxList));
}

// That it waited for one that is completed. Of very many the first hundred are kept.
Result<void> NoteNeeded(Records& records, TaskId task, TaskId needs) {
  return records.sql.Execute(
      "INSERT INTO needed (task, needs) SELECT $1, $2 WHERE (SELECT count(*) FROM needed WHERE "
      "task = $1) < $3 ON CONFLICT (task, needs) DO NOTHING",
      {task, needs, kMostNeeded});
}

// Up to kReleasedAtOnce of those that wait for it. True: there are more.
Result<bool> ReleaseSome(Records& records, TaskId task) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT task FROM dependency WHERE needs = $1 ORDER BY task LIMIT $2",
                        {task, kReleasedAtOnce});
  if (!rows) return Failure(std::move(rows.error()));
  for (const Database::Row& row : *rows) {
    Result<Task> waiting = Find(records, row.Number(0));
    if (!waiting) return Failure(std::move(waiting.error()));
    Task after = *waiting;
    --after.waits_for;
    Result<void> done = Store(records, *waiting, std::move(after));
    if (done) {
      done = records.sql.Execute("DELETE FROM dependency WHERE task = $1 AND needs = $2",
                                 {row.Number(0), task});
    }
    if (done) done = NoteNeeded(records, row.Number(0), task);
    if (!done) return Failure(std::move(done.error()));
  }
  return std::cmp_equal(rows->size(), kReleasedAtOnce);
}

}  // namespace

Result<void> AddDependencies(Records& records, Task& task, const std::vector<TaskId>& needs) {
  if (needs.empty()) return {};
  Result<std::vector<TaskId>> known = NeedsOf(records, task.id);
  if (!known) return Failure(std::move(known.error()));
  std::vector<TaskId> unfinished;  // among those that are new
  for (const TaskId other : needs) {
    if (std::ranges::find(*known, other) != known->end()) continue;
    if (other == task.id) return Refused("task " + ToText(other) + " cannot depend on itself");
    Result<Task> found = Find(records, other);
    if (!found) return Failure(std::move(found.error()).In("depends_on"));
    // It never becomes anything else, and those that wait for it may be about to be released.
    if (found->status == Status::kCompleted) {
      if (Result<void> noted = NoteNeeded(records, task.id, other); !noted) return noted;
      continue;
    }
    if (known->size() >= kMaxList) return TooManyNeeds();
    Result<void> added = records.sql.Execute("INSERT INTO dependency (task, needs) VALUES ($1, $2)",
                                             {task.id, other});
    if (!added) return added;
    known->push_back(other);
    ++task.waits_for;
    unfinished.push_back(other);
  }
  return unfinished.empty() ? Result<void>() : RefuseCycle(records, task.id, unfinished);
}

Result<void> RefuseMoreNeeds(Records& records, const Task& task, std::size_t more) {
  Result<std::vector<TaskId>> known = NeedsOf(records, task.id);
  if (!known) return Failure(std::move(known.error()));
  if (known->size() + more > kMaxList) return TooManyNeeds();
  return more == 0 ? Result<void>() : RefuseCycle(records, task.id, {});
}

Result<void> Release(Records& records, TaskId task) {
  Result<bool> more = ReleaseSome(records, task);
  if (!more) return Failure(std::move(more.error()));
  if (!*more) return {};
  records.effects.more = true;
  return records.sql.Execute("INSERT INTO releasing (task) VALUES ($1)", {task});
}

Result<bool> GoOnReleasing(Records& records) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT task FROM releasing ORDER BY task LIMIT 1");
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return false;
  const TaskId task = rows->front().Number(0);
  Result<bool> more = ReleaseSome(records, task);
  if (!more || *more) return more;
  Result<void> over = records.sql.Execute("DELETE FROM releasing WHERE task = $1", {task});
  if (!over) return Failure(std::move(over.error()));
  return true;  // others may follow
}

Result<std::vector<Awaited>> AwaitedBy(Records& records, TaskId task, std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id, status FROM task WHERE id IN (SELECT needs FROM dependency WHERE task = $1) AND "
      "status <> 3 ORDER BY id LIMIT $2",
      {task, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Awaited> awaited;
  awaited.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    awaited.push_back({.task = row.Number(0), .status = static_cast<Status>(row.Number(1))});
  }
  return awaited;
}

Result<std::vector<TaskId>> NeededBy(Records& records, TaskId task) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT needs FROM needed WHERE task = $1 ORDER BY needs", {task});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<TaskId> needed;
  needed.reserve(rows->size());
  for (const Database::Row& row : *rows) needed.push_back(row.Number(0));
  return needed;
}

Result<std::vector<NeededResult>> ResultsNeededBy(Records& records, TaskId task, ResultRoom& room) {
  Result<std::vector<TaskId>> ids = NeededBy(records, task);
  if (!ids) return Failure(std::move(ids.error()));
  std::vector<NeededResult> results;
  for (const TaskId id : *ids) {
    NeededResult one{.task = id, .omitted = room.read == 0};
    if (!one.omitted) {
      Result<Database::Rows> rows =
          records.sql.Query("SELECT result FROM task WHERE id = $1", {id});
      if (!rows) return Failure(std::move(rows.error()));
      if (rows->empty()) continue;  // it is forgotten by now
      one.result = rows->front().Text(0);
      room.read -= std::min(room.read, one.result.size() + kLookedUp);
      one.omitted = one.result.size() > room.given;
      if (one.omitted) one.result.clear();
      room.given -= one.result.size();
    }
    results.push_back(std::move(one));
  }
  return results;
}

}  // namespace switchyard::orchestration
