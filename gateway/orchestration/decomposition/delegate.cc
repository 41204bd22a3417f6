#include "orchestration/decomposition/delegate.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/digest.h"
#include "orchestration/agents.h"
#include "orchestration/coordination/waits.h"
#include "orchestration/moves.h"

namespace switchyard::orchestration {
namespace {

constexpr std::int64_t kMostLineage = 100;

// None of the task: a depth of 0.
Result<Delegation> DelegationOf(Records& records, TaskId task) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT coordinator, agent, parent, depth, budget, handed_out FROM delegation WHERE task = "
      "$1",
      {task});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Delegation{.task = task};
  const Database::Row& row = rows->front();
  return Delegation{.task = task,
                    .parent = row.Number(2),
                    .coordinator = row.Text(0),
                    .agent = row.Text(1),
                    .depth = row.Number(3),
                    .budget = row.Number(4),
                    .handed_out = row.Number(5)};
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
  return parent;
}

Result<void> RefuseReturn(Records& records, const DelegateRequest& request,
                          const std::vector<Delegation>& chain) {
  if (request.agent == request.coordinator) {
    return Refused("agent " + request.agent + " cannot delegate to itself");
  }
  std::string way = request.coordinator + " -> " + request.agent;
  for (const Delegation& one : chain) {
    way.insert(0, one.coordinator + " -> ");
    if (one.coordinator != request.agent) continue;
    return Refused("it would go round in a circle: " + way + "; choose another agent");
  }
  if (std::cmp_greater_equal(chain.size(), kMostDelegations)) {
    return Refused(
        fmt::format("it was given on {} times, the most there may be: {}; do it, or "
                    "split it anew at the top",
                    chain.size(), way));
  }
  const std::string what = request.task == 0 ? "subtask " + request.name : ToText(request.task);
  Result<std::string> cycle =
      CycleBy(records, {.waiter = request.coordinator, .holder = request.agent, .about = what});
  if (!cycle) return Failure(std::move(cycle.error()));
  if (cycle->empty()) return {};
  return Refused("this would be a deadlock: " + *cycle +
                 "; release a lock first, or choose another agent");
}

// What there is for it of what the parent has.
Result<std::int64_t> BudgetFor(Records& records, const DelegateRequest& request,
                               const std::vector<Delegation>& chain, std::int64_t had) {
  if (chain.empty() || chain.front().budget == 0) return request.budget;
  const Delegation& parent = chain.front();
  const std::int64_t left = parent.budget - parent.handed_out + had;
  const std::int64_t budget = request.budget == 0 ? left : request.budget;
  if (budget > left || budget == 0) {
    return Refused(fmt::format("budget must be at most {}: what is left of that of {}", left,
                               ToText(parent.task)));
  }
  Result<void> taken =
      records.sql.Execute("UPDATE delegation SET handed_out = handed_out + $1 WHERE task = $2",
                          {budget - had, parent.task});
  if (!taken) return Failure(std::move(taken.error()));
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
  if (request.task != 0 && request.parent == 0) {
    Result<Task> task = Find(records, request.task);
    if (!task) return Failure(std::move(task.error()));
    request.parent = task->parent;
  }
  Result<Task> parent = ParentFor(records, request);
  if (!parent) return Failure(std::move(parent.error()));
  Result<std::vector<Delegation>> chain = ChainOf(records, request.parent);
  if (!chain) return Failure(std::move(chain.error()));
  if (Result<void> fine = RefuseReturn(records, request, *chain); !fine) {
    return Failure(std::move(fine.error()));
  }
  Result<Task> task = MakeOrFind(records, request, *parent);
  if (!task) return Failure(std::move(task.error()));
  Result<Delegation> before = DelegationOf(records, task->id);
  if (!before) return Failure(std::move(before.error()));
  if (IsHeld(task->status) && task->assigned_to == request.agent && before->depth != 0 &&
      before->coordinator == request.coordinator) {
    // A call that is repeated.
    return Delegated{.task = std::move(*task), .depth = before->depth, .budget = before->budget};
  }
  task = Assign(records, task->id, request.agent, request.lease_ms);
  if (!task) return Failure(std::move(task.error()));
  const bool same = before->depth != 0 && before->parent == request.parent;
  Result<std::int64_t> budget = BudgetFor(records, request, *chain, same ? before->budget : 0);
  if (!budget) return Failure(std::move(budget.error()));
  const auto depth = static_cast<std::int64_t>(chain->size()) + 1;
  Result<void> kept = records.sql.Execute(
      "INSERT INTO delegation (task, coordinator, agent, parent, depth, budget, handed_out, at) "
      "VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (task) DO UPDATE SET coordinator = "
      "excluded.coordinator, agent = excluded.agent, parent = excluded.parent, depth = "
      "excluded.depth, budget = excluded.budget, at = excluded.at",
      {task->id, request.coordinator, request.agent, request.parent, depth, *budget, records.now});
  if (!kept) return Failure(std::move(kept.error()));
  return Delegated{.task = std::move(*task), .depth = depth, .budget = *budget};
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
