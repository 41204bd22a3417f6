#include "orchestration/dependencies.h"

#include <algorithm>
#include <map>
#include <utility>

namespace switchyard::orchestration {
namespace {

// A search that goes on for so long is given up: what it would refuse is rarer than what it costs.
constexpr std::size_t kMostSearched = 10'000;

Result<std::vector<TaskId>> NeedsOf(Records& records, TaskId task) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT needs FROM dependency WHERE task = $1 ORDER BY needs", {task});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<TaskId> needs;
  needs.reserve(rows->size());
  for (const Database::Row& row : *rows) needs.push_back(row.Number(0));
  return needs;
}

// The way from `from` along what is waited for to `to`; empty: there is none.
Result<std::vector<TaskId>> WayBetween(Records& records, TaskId from, TaskId to) {
  std::map<TaskId, TaskId> came_from{{from, 0}};
  std::vector<TaskId> open{from};
  for (std::size_t at = 0; at < open.size(); ++at) {
    if (open[at] == to) {
      std::vector<TaskId> way;
      for (TaskId step = to; step != 0; step = came_from.at(step)) way.push_back(step);
      std::ranges::reverse(way);
      return way;
    }
    if (open.size() > kMostSearched) {
      return Refused("what it would wait for waits for more than " + std::to_string(kMostSearched) +
                     " tasks in turn; depend on fewer");
    }
    Result<std::vector<TaskId>> needs = NeedsOf(records, open[at]);
    if (!needs) return needs;
    for (const TaskId next : *needs) {
      if (came_from.try_emplace(next, open[at]).second) open.push_back(next);
    }
  }
  return std::vector<TaskId>();
}

Result<void> RefuseCycle(Records& records, TaskId task, TaskId needs) {
  if (task == needs) return Refused("task " + ToText(task) + " cannot depend on itself");
  Result<std::vector<TaskId>> way = WayBetween(records, needs, task);
  if (!way) return Failure(std::move(way.error()));
  if (way->empty()) return {};
  std::string cycle = ToText(task);
  for (const TaskId step : *way) cycle += " -> " + ToText(step);
  return Refused("depends_on would make a cycle: " + cycle);
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
    if (!done) return Failure(std::move(done.error()));
  }
  return std::cmp_equal(rows->size(), kReleasedAtOnce);
}

}  // namespace

Result<void> AddDependencies(Records& records, Task& task, const std::vector<TaskId>& needs) {
  Result<std::vector<TaskId>> known = NeedsOf(records, task.id);
  if (!known) return Failure(std::move(known.error()));
  for (const TaskId other : needs) {
    if (std::ranges::find(*known, other) != known->end()) continue;
    Result<Task> found = Find(records, other);
    if (!found) return Failure(std::move(found.error()).In("depends_on"));
    if (Result<void> sound = RefuseCycle(records, task.id, other); !sound) return sound;
    // It never becomes anything else, and those that wait for it may be about to be released.
    if (found->status == Status::kCompleted) continue;
    if (known->size() >= kMaxList) {
      return Refused("depends_on: a task waits for at most " + std::to_string(kMaxList));
    }
    Result<void> added = records.sql.Execute("INSERT INTO dependency (task, needs) VALUES ($1, $2)",
                                             {task.id, other});
    if (!added) return added;
    known->push_back(other);
    ++task.waits_for;
  }
  return {};
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

}  // namespace switchyard::orchestration
