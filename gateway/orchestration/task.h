// A task as it is stored, and its reading and writing. Every change of a state goes through
// Store(): it keeps the tallies, what is ready and what agents have in step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/agents.h"
#include "orchestration/lifecycle.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {

using TaskId = std::int64_t;  // counts from 1

// "task_00000012": short, for agents pay for it by the token, and told apart from other ids.
std::string ToText(TaskId id);
Result<TaskId> TaskIdOf(std::string_view text);  // kInvalid

struct Task {
  TaskId id = 0;
  Status status = Status::kPending;
  Priority priority = Priority::kMedium;
  std::int64_t lane = 0, due = 0, waits_for = 0;
  std::string task_type = {}, content = {};
  std::string requirements = "[]";  // JSON, sorted, none twice
  TaskId parent = 0;                // 0 = none
  std::string creator = {}, idempotency = {}, digest = {};
  std::int64_t created_at = 0, deadline = 0;
  std::int64_t attempts = 0, max_attempts = 0;
  std::string assigned_to = {};  // "" = nobody; of a finished one who had it last
  std::int64_t assigned_at = 0, started_at = 0, finished_at = 0;
  std::int64_t lease_until = 0, lease_ms = 0;  // 0 = there is no lease
  std::int64_t fence = 0;
  // Another caller than its agent's gave it to it, and the agent did nothing about it so far.
  bool pushed = false;
  bool taken_back = false;                // ever: who had it then may not know
  std::string result = {}, metrics = {};  // JSON; "" = none
  std::string error = {};
  std::int64_t project = 0, goal = 0;  // that it belongs to (projects/efforts.h); 0 = none

  bool ready() const { return status == Status::kPending && waits_for == 0; }
};

Result<Task> Find(Records& records, TaskId id);  // kNotFound
Result<std::vector<Task>> ReadTasks(Records& records, std::string_view sql,
                                    std::span<const Database::Parameter> parameters);
// The columns that ReadTasks() wants, for its SELECT.
std::string_view TaskColumns();
// What an answer that shows all of it has of it, about.
std::size_t BytesOf(const Task& task);

// kInvalid: there are too many kinds of tasks for another one. Store() gives the same for one that
// was over.
Result<void> Insert(Records& records, Task task);
// Writes `after` over `before`, which is what is stored. `ending`: how it ended for who had it and
// has it no more.
Result<void> Store(Records& records, const Task& before, Task after, const Ending& ending = {});
// Of one that is over; its id, status and priority do. Its place in the tallies goes with it.
Result<void> Erase(Records& records, const Task& task);

}  // namespace switchyard::orchestration
