#include "orchestration/wait_graph.h"

#include <array>
#include <set>
#include <utility>

#include "orchestration/locks/locks.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {
namespace {

constexpr std::array<WaitSource, 2> kSources = {AwaitedLocks, AwaitedWork};

constexpr std::size_t kMostTasksSearched = 200;

struct Step {
  std::string agent = {}, what = {};
  std::size_t from = 0;  // the step before it; the first one is its own
};

std::string Told(const std::vector<Step>& steps, std::size_t last, std::string_view end,
                 std::string_view what) {
  std::string circle = " -> " + std::string(end) + " (" + std::string(what) + ")";
  std::size_t at = last;
  for (; at != 0; at = steps[at].from) {
    circle = " -> " + steps[at].agent + " (" + steps[at].what + ")" + circle;
  }
  return steps[0].agent + circle;
}

Result<std::vector<Awaits>> AwaitedNow(Records& records, std::string_view agent) {
  std::vector<Awaits> all;
  for (const WaitSource source : kSources) {
    Result<std::vector<Awaits>> some = source(records, agent);
    if (!some) return some;
    std::ranges::move(*some, std::back_inserter(all));
  }
  return all;
}

// The ids of one column of a statement.
Result<void> Append(Records& records, std::string_view sql, const Database::Parameter& parameter,
                    std::vector<TaskId>& into) {
  Result<Database::Rows> rows = records.sql.Query(sql, {parameter});
  if (!rows) return Failure(std::move(rows.error()));
  for (const Database::Row& row : *rows) into.push_back(row.Number(0));
  return {};
}

}  // namespace

Result<std::string> CircleOf(Records& records, std::string_view agent,
                             const std::vector<Awaits>& wanted) {
  std::vector<Step> steps{{.agent = std::string(agent)}};
  std::set<std::string, std::less<>> seen{steps[0].agent};
  for (std::size_t at = 0; at < steps.size() && at < kMostAgentsSearched; ++at) {
    Result<std::vector<Awaits>> next =
        at == 0 ? Result<std::vector<Awaits>>(wanted) : AwaitedNow(records, steps[at].agent);
    if (!next) return Failure(std::move(next.error()));
    for (Awaits& one : *next) {
      if (one.agent == agent) return Told(steps, at, agent, one.what);
      if (!seen.insert(one.agent).second) continue;
      steps.push_back({.agent = std::move(one.agent), .what = std::move(one.what), .from = at});
    }
  }
  return std::string();
}

Result<std::vector<Awaits>> AwaitedWork(Records& records, std::string_view agent) {
  std::vector<TaskId> held, open;
  Result<void> read =
      Append(records, "SELECT id FROM task WHERE assigned_to = $1 AND lease_until > 0 LIMIT 100",
             agent, held);
  for (const TaskId task : held) {
    if (!read) break;
    read = Append(records, "SELECT id FROM task WHERE parent = $1 LIMIT 100", task, open);
  }
  if (!read) return Failure(std::move(read.error()));
  std::vector<Awaits> awaited;
  std::set<TaskId> seen(open.begin(), open.end());
  for (std::size_t at = 0; at < open.size() && at < kMostTasksSearched; ++at) {
    Result<Task> task = Find(records, open[at]);
    if (!task && task.error().code == Code::kNotFound) continue;
    if (!task) return Failure(std::move(task.error()));
    if (IsHeld(task->status) && task->assigned_to != agent) {
      awaited.push_back({.agent = task->assigned_to, .what = ToText(task->id)});
    }
    if (task->status != Status::kPending || task->waits_for == 0) continue;
    std::vector<TaskId> needs;
    read =
        Append(records, "SELECT needs FROM dependency WHERE task = $1 LIMIT 100", task->id, needs);
    if (!read) return Failure(std::move(read.error()));
    for (const TaskId id : needs) {
      if (seen.insert(id).second) open.push_back(id);
    }
  }
  return awaited;
}

}  // namespace switchyard::orchestration
