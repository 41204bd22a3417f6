// Which parts a task has, and who gets those that are ready.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "orchestration/agents.h"
#include "orchestration/decomposition/decompose.h"
#include "orchestration/lanes.h"
#include "orchestration/moves.h"
#include "orchestration/routing.h"

namespace switchyard::orchestration {
namespace {

Result<void> AddIds(std::vector<TaskId>& ids, Result<Database::Rows> rows) {
  if (!rows) return Failure(std::move(rows.error()));
  for (const Database::Row& row : *rows) ids.push_back(row.Number(0));
  return {};
}

// Whom tasks may be handed to, read once for all tasks: they may be many on both sides.
Result<std::vector<Agent>> CrewOf(Records& records, const std::vector<std::string>& among) {
  if (among.empty()) return FindAgents(records, {.limit = kMaxAgents});
  std::vector<Agent> crew;
  for (const std::string& id : among) {
    Result<Agent> agent = FindAgent(records, id);
    if (!agent && agent.error().code == Code::kNotFound) continue;
    if (!agent) return Failure(std::move(agent.error()));
    crew.push_back(std::move(*agent));
  }
  return crew;
}

}  // namespace

Result<std::vector<TaskId>> ChildrenOf(Records& records, TaskId parent, std::int64_t limit) {
  std::vector<TaskId> ids;
  Result<void> done =
      AddIds(ids, records.sql.Query("SELECT id FROM task WHERE parent = $1 ORDER BY id LIMIT $2",
                                    {parent, limit}));
  if (!done) return Failure(std::move(done.error()));
  return ids;
}

Result<std::vector<TaskId>> PendingOf(Records& records, TaskId parent, std::int64_t limit) {
  std::vector<TaskId> ids;
  Result<void> done = AddIds(
      ids, records.sql.Query("SELECT id FROM task WHERE parent = $1 AND finished_at = 0 AND status "
                             "= 0 AND waits_for = 0 ORDER BY id LIMIT $2",
                             {parent, limit}));
  const std::int64_t room = limit - static_cast<std::int64_t>(ids.size());
  if (done && room > 0) {
    done = AddIds(ids, records.sql.Query(
                           "SELECT id FROM task WHERE parent = $1 AND finished_at = 0 AND status = "
                           "0 AND waits_for > 0 ORDER BY waits_for, id LIMIT $2",
                           {parent, room}));
  }
  if (!done) return Failure(std::move(done.error()));
  return ids;
}

Result<std::vector<Handed>> HandOutTasks(Records& records, const HandOut& wanted) {
  Result<std::vector<Agent>> crew = CrewOf(records, wanted.among);
  if (!crew) return Failure(std::move(crew.error()));
  std::vector<Handed> handed;
  for (const TaskId id : wanted.tasks) {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    Handed one{.task = id};
    if (!task->ready()) {
      one.why = task->status == Status::kPending ? "waits for " + std::to_string(task->waits_for) +
                                                       (task->waits_for == 1 ? " other" : " others")
                                                 : std::string(ToString(task->status));
      handed.push_back(std::move(one));
      continue;
    }
    Result<std::string> near = GroupAbove(records, *task);
    if (!near) return Failure(std::move(near.error()));
    const std::optional<Candidate> best = BestOf(
        records, *crew, {.requirements = WordsOf(task->requirements), .near = std::move(*near)});
    if (!best) {
      one.why = "no capable agent is available";
      handed.push_back(std::move(one));
      continue;
    }
    Result<Task> given = Assign(records, id, best->agent.id, wanted.lease_ms);
    if (!given) return Failure(std::move(given.error()));
    ++std::ranges::find(*crew, best->agent.id, &Agent::id)->active;
    one.agent = given->assigned_to;
    one.fence = given->fence;
    one.why = best->why;
    handed.push_back(std::move(one));
  }
  return handed;
}

}  // namespace switchyard::orchestration
