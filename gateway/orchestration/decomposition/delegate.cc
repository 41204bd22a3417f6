#include "orchestration/decomposition/delegate.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/digest.h"
#include "orchestration/agents.h"
#include "orchestration/coordination/waits.h"
#include "orchestration/lanes.h"
#include "orchestration/moves.h"

namespace switchyard::orchestration {
namespace {

// In their order, which WordsOf() keeps and ToJson() would not.
std::string ListText(const std::vector<std::string>& words) {
  boost::json::array list;
  for (const std::string& word : words) list.emplace_back(word);
  return boost::json::serialize(list);
}

// None of the task: a depth of 0.
Result<Delegation> DelegationOf(Records& records, TaskId task) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT coordinator, agent, parent, depth, budget, handed_out, way, settled FROM delegation "
      "WHERE task = $1",
      {task});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Delegation{.task = task};
  const Database::Row& row = rows->front();
  return Delegation{.task = task,
                    .parent = row.Number(2),
                    .coordinator = row.Text(0),
                    .agent = row.Text(1),
                    .way = WordsOf(row.Text(6)),
                    .depth = row.Number(3),
                    .budget = row.Number(4),
                    .handed_out = row.Number(5),
                    .settled = row.Number(7) != 0};
}

// A part of a task is given on by who has that task.
Result<Task> ParentFor(Records& records, const DelegateRequest& request) {
  if (request.parent == 0) return Task();
  Result<Task> parent = Find(records, request.parent);
  if (!parent) return Failure(std::move(parent.error()).In("parent_task_id"));
  if (IsFinished(parent->status)) {
    return Refused("task " + ToText(parent->id) + " is " + std::string(ToString(parent->status)) +
                   ": nothing of it is delegated any more");
  }
  if (IsHeld(parent->status) && parent->assigned_to != request.coordinator) {
    return Forbidden("task " + ToText(parent->id) + " is with agent " + parent->assigned_to +
                     ", who alone delegates parts of it");
  }
  if (IsHeld(parent->status)) return parent;
  Result<Delegation> given = DelegationOf(records, parent->id);
  if (!given) return Failure(std::move(given.error()));
  if (given->depth == 0 || given->agent == request.coordinator ||
      given->coordinator == request.coordinator) {
    return parent;
  }
  return Forbidden("task " + ToText(parent->id) + " was given by agent " + given->coordinator +
                   " to " + given->agent + ": one of them delegates parts of it");
}

// The givers of a task before this one, who may be one of them and gives it on anew.
std::vector<std::string> GiversBefore(const Delegation& known, const std::string& coordinator) {
  if (known.depth == 0) return {};
  std::vector<std::string> givers = known.way;
  givers.push_back(known.coordinator);
  givers.erase(std::ranges::find(givers, coordinator), givers.end());
  return givers;
}

// Who gave on the task, and what it is a part of: the last one first.
std::vector<std::string> GiversOf(std::vector<std::string> way,
                                  const std::vector<Delegation>& chain) {
  std::ranges::reverse(way);
  for (const Delegation& one : chain) {
    way.push_back(one.coordinator);
    way.insert(way.end(), one.way.rbegin(), one.way.rend());
  }
  return way;
}

Result<void> RefuseReturn(Records& records, const DelegateRequest& request,
                          const std::vector<std::string>& givers) {
  if (request.agent == request.coordinator) {
    return Refused("agent " + request.agent + " cannot delegate to itself");
  }
  std::string way = request.coordinator + " -> " + request.agent;
  for (const std::string& giver : givers) {
    way.insert(0, giver + " -> ");
    if (giver != request.agent) continue;
    return Refused("it would go round in a circle: " + way + "; choose another agent");
  }
  if (std::cmp_greater_equal(givers.size(), kMostDelegations)) {
    return Refused(
        fmt::format("it was given on {} times, the most there may be: {}; do it, or "
                    "split it anew at the top",
                    givers.size(), way));
  }
  const std::string what = request.task == 0 ? "subtask " + request.name : ToText(request.task);
  Result<std::string> cycle =
      CycleBy(records, {.waiter = request.coordinator, .holder = request.agent, .about = what});
  if (!cycle) return Failure(std::move(cycle.error()));
  if (cycle->empty()) return {};
  return Refused("this would be a deadlock: " + *cycle +
                 "; release a lock first, or choose another agent");
}

// What parts had that failed or were cancelled is there again; of completed ones it is spent. So
// many at a time, the oldest first.
Result<std::int64_t> TakeBackBudgets(Records& records, TaskId parent) {
  Result<Database::Rows> over = records.sql.Query(
      "SELECT part.task, part.budget, task.status FROM (SELECT task, budget FROM delegation WHERE "
      "parent = $1 AND settled = 0 ORDER BY task LIMIT 1000) AS part CROSS JOIN task WHERE task.id "
      "= part.task AND task.finished_at > 0",
      {parent});
  if (!over) return Failure(std::move(over.error()));
  std::int64_t back = 0;
  for (const Database::Row& row : *over) {
    if (static_cast<Status>(row.Number(2)) != Status::kCompleted) back += row.Number(1);
    Result<void> settled =
        records.sql.Execute("UPDATE delegation SET settled = 1 WHERE task = $1", {row.Number(0)});
    if (!settled) return Failure(std::move(settled.error()));
  }
  Result<void> done = records.sql.Execute(
      "UPDATE delegation SET handed_out = handed_out - $1 WHERE task = $2", {back, parent});
  if (!done) return Failure(std::move(done.error()));
  return back;
}

// What there is for it of what the parent has, of which the task had a share before.
Result<std::int64_t> FromParent(Records& records, const Delegation& parent, std::int64_t wanted,
                                std::int64_t had) {
  std::int64_t left = parent.settled ? 0 : parent.budget - parent.handed_out + had;
  if (!parent.settled && (wanted == 0 || wanted > left)) {
    Result<std::int64_t> back = TakeBackBudgets(records, parent.task);
    if (!back) return back;
    left += *back;
  }
  const std::int64_t budget = wanted == 0 ? left : wanted;
  if (budget > left || budget <= 0) {
    return Refused(fmt::format("budget must be at most {}: what is left of that of {}",
                               std::max<std::int64_t>(left, 0), ToText(parent.task)));
  }
  Result<void> taken =
      records.sql.Execute("UPDATE delegation SET handed_out = handed_out + $1 WHERE task = $2",
                          {budget - had, parent.task});
  if (!taken) return Failure(std::move(taken.error()));
  return budget;
}

// `before`: how the task was given on the last time; `anew`: by who gives it now, or by nobody.
Result<std::int64_t> BudgetFor(Records& records, const DelegateRequest& request,
                               const std::vector<Delegation>& chain, const Delegation& before,
                               bool anew) {
  std::int64_t budget = request.budget == 0 ? before.budget : request.budget;
  if (!anew && before.budget != 0 && budget > before.budget) {
    return Refused(fmt::format("budget must be at most {}: what agent {} gave it", before.budget,
                               before.coordinator));
  }
  if (!chain.empty() && chain.front().budget != 0) {
    Result<std::int64_t> share =
        FromParent(records, chain.front(), budget, before.settled ? 0 : before.budget);
    if (!share) return share;
    budget = *share;
  }
  if (budget != 0 && budget < before.handed_out) {
    return Refused(fmt::format("budget must be at least {}: parts of it have so much already",
                               before.handed_out));
  }
  return budget;
}

std::string WithContext(const std::string& text, const std::string& context) {
  return context.empty() ? text : text + "\n\nContext: " + context;
}

std::int64_t Narrower(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

Result<Task> MakeOrFind(Records& records, const DelegateRequest& request, const Task& parent) {
  if (request.task == 0) {
    NewTask task{.content = WithContext(request.description, request.context),
                 .task_type = parent.id == 0 ? "general" : parent.task_type,
                 .priority = parent.id == 0 ? Priority::kMedium : parent.priority,
                 .parent = parent.id,
                 .deadline = Narrower(request.deadline, parent.deadline)};
    // Names of subtasks are of their coordinator.
    task.agent = request.coordinator;
    task.idempotency = "delegate " + Sha256(request.name).substr(0, 32);
    task.digest = Sha256(task.content + "\n" + ToText(parent.id)).substr(0, 32);
    return Create(records, task);
  }
  Result<Task> task = Find(records, request.task);
  if (!task) return task;
  const std::int64_t deadline =
      Narrower(Narrower(request.deadline, parent.deadline), task->deadline);
  if (request.context.empty() && deadline == task->deadline) return task;
  if (IsHeld(task->status)) return task;
  Update update;
  if (!request.context.empty()) {
    update.content = WithContext(task->content, request.context);
    if (update.content->size() > kMaxContent) {
      return Refused(fmt::format("the task with contextual_data must have at most {} bytes, got {}",
                                 kMaxContent, update.content->size()));
    }
  }
  update.deadline = deadline;
  return Change(records, request.task, std::move(update));
}

Result<std::vector<TaskId>> Ids(Result<Database::Rows> rows) {
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<TaskId> ids;
  ids.reserve(rows->size());
  for (const Database::Row& row : *rows) ids.push_back(row.Number(0));
  return ids;
}

Result<Delegated> Give(Records& records, const DelegateRequest& request, Task task,
                       const std::vector<Delegation>& chain) {
  Result<Delegation> before = DelegationOf(records, task.id);
  if (!before) return Failure(std::move(before.error()));
  if (IsHeld(task.status) && task.assigned_to == request.agent && before->depth != 0 &&
      before->coordinator == request.coordinator) {
    // A call that is repeated.
    return Delegated{.task = std::move(task), .depth = before->depth, .budget = before->budget};
  }
  Result<Task> given = Assign(records, task.id, request.agent, request.lease_ms);
  if (!given) return Failure(std::move(given.error()));
  const std::vector<std::string> way = GiversBefore(*before, request.coordinator);
  Result<std::int64_t> budget = BudgetFor(records, request, chain, *before, way.empty());
  if (!budget) return Failure(std::move(budget.error()));
  const auto depth = static_cast<std::int64_t>(GiversOf(way, chain).size()) + 1;
  Result<void> kept = records.sql.Execute(
      "INSERT INTO delegation (task, coordinator, agent, parent, depth, budget, handed_out, at, "
      "way, settled) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, 0) ON CONFLICT (task) DO UPDATE "
      "SET coordinator = excluded.coordinator, agent = excluded.agent, depth = excluded.depth, "
      "budget = excluded.budget, at = excluded.at, way = excluded.way, settled = 0",
      {task.id, request.coordinator, request.agent, request.parent, depth, *budget, records.now,
       ListText(way)});
  if (!kept) return Failure(std::move(kept.error()));
  return Delegated{.task = std::move(*given), .depth = depth, .budget = *budget};
}

}  // namespace

Result<std::vector<Delegation>> ChainOf(Records& records, TaskId task) {
  std::vector<Delegation> chain;
  while (task != 0 && std::cmp_less_equal(chain.size(), kMostDelegations)) {
    Result<Delegation> one = DelegationOf(records, task);
    if (!one) return Failure(std::move(one.error()));
    if (one->depth == 0) break;
    task = one->parent;
    chain.push_back(std::move(*one));
  }
  return chain;
}

Result<Delegated> Delegate(Records& records, const DelegateRequest& given) {
  DelegateRequest request = given;
  if (Result<Agent> who = ActAs(records, request.coordinator); !who) {
    return Failure(std::move(who.error()));
  }
  Delegation before;
  if (request.task != 0) {
    Result<Task> task = Find(records, request.task);
    if (!task) return Failure(std::move(task.error()));
    if (request.parent != 0 && request.parent != task->parent) {
      return Refused(ToText(task->id) + " is no part of " + ToText(request.parent) +
                     "; leave parent_task_id out");
    }
    request.parent = task->parent;
    Result<Delegation> known = DelegationOf(records, task->id);
    if (!known) return Failure(std::move(known.error()));
    before = std::move(*known);
  }
  Result<Task> parent = ParentFor(records, request);
  if (!parent) return Failure(std::move(parent.error()));
  Result<std::vector<Delegation>> chain = ChainOf(records, request.parent);
  if (!chain) return Failure(std::move(chain.error()));
  const std::vector<std::string> givers =
      GiversOf(GiversBefore(before, request.coordinator), *chain);
  if (Result<void> fine = RefuseReturn(records, request, givers); !fine) {
    return Failure(std::move(fine.error()));
  }
  Result<Task> task = MakeOrFind(records, request, *parent);
  if (!task) return Failure(std::move(task.error()));
  return Give(records, request, std::move(*task), *chain);
}

Result<void> KeepLineage(Records& records, TaskId task, const std::vector<TaskId>& sources) {
  Result<std::vector<TaskId>> known = MadeOf(records, task, kMostLineage + 1);
  if (!known) return Failure(std::move(known.error()));
  for (const TaskId source : sources) {
    if (std::ranges::find(*known, source) != known->end()) continue;
    if (source == task) return Refused("the result of a task is not made of itself");
    if (std::cmp_greater_equal(known->size(), kMostLineage)) {
      return Refused(fmt::format("a result is made of at most {} others", kMostLineage));
    }
    Result<void> kept =
        records.sql.Execute("INSERT INTO lineage (task, source) VALUES ($1, $2)", {task, source});
    if (!kept) return kept;
    known->push_back(source);
  }
  return {};
}

Result<std::vector<TaskId>> MadeOf(Records& records, TaskId task, std::int64_t limit) {
  return Ids(records.sql.Query(
      "SELECT source FROM lineage WHERE task = $1 ORDER BY source LIMIT $2", {task, limit}));
}

Result<std::vector<TaskId>> UsedBy(Records& records, TaskId task, std::int64_t limit) {
  return Ids(records.sql.Query("SELECT task FROM lineage WHERE source = $1 ORDER BY task LIMIT $2",
                               {task, limit}));
}

}  // namespace switchyard::orchestration
