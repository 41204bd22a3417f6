// Giving a task on to another agent. Who gives it on answers for it, so the chain of those who did
// is kept: it has no circles and an end, and nobody gives away more time or budget than he has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestration/task.h"

namespace switchyard::orchestration {

inline constexpr std::int64_t kMostDelegations = 5;  // one after the other
inline constexpr std::int64_t kMaxBudget = 1'000'000'000'000;

struct DelegateRequest {
  std::string coordinator = {}, agent = {};
  TaskId task = 0;               // 0 = it is made
  std::string name = {};         // of one that is made: a repeated call means the same one
  std::string description = {};  // of one that is made
  std::string context = {};      // JSON; "" = none
  TaskId parent = 0;
  std::int64_t deadline = 0, budget = 0, lease_ms = 0;  // 0 = as the parent's, or none
};
struct Delegated {
  Task task = {};
  std::int64_t depth = 0, budget = 0;
};
Result<Delegated> Delegate(Records& records, const DelegateRequest& request);

struct Delegation {
  TaskId task = 0, parent = 0;
  std::string coordinator = {}, agent = {};
  std::vector<std::string> way = {};  // who gave it on before the coordinator, the first one first
  std::int64_t depth = 0, budget = 0, handed_out = 0;
  bool settled = false;  // its budget is spent, or is its parent's again
};
// Of the task, then of its parent, and so on up; empty: nobody gave it on.
Result<std::vector<Delegation>> ChainOf(Records& records, TaskId task);

inline constexpr std::int64_t kMostLineage = 100;  // results that one result is made of
// The result of `task` was made of those of these.
Result<void> KeepLineage(Records& records, TaskId task, const std::vector<TaskId>& sources);
Result<std::vector<TaskId>> MadeOf(Records& records, TaskId task, std::int64_t limit);
Result<std::vector<TaskId>> UsedBy(Records& records, TaskId task, std::int64_t limit);

}  // namespace switchyard::orchestration
