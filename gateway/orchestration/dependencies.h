// Which task waits for which. There are no cycles: what would close one is refused, naming it.
#pragma once

#include <vector>

#include "orchestration/task.h"

namespace switchyard::orchestration {

// Adds them to what `task` waits for and counts those that are not completed. kInvalid: one is the
// task itself, would make a cycle, or is one too many. Known ones are left alone.
Result<void> AddDependencies(Records& records, Task& task, const std::vector<TaskId>& needs);

// `task` was completed: those that waited for nothing else become ready.
Result<void> Release(Records& records, TaskId task);

// What it still waits for, up to `limit`, with their states.
struct Awaited {
  TaskId task;
  Status status;
};
Result<std::vector<Awaited>> AwaitedBy(Records& records, TaskId task, std::int64_t limit);

}  // namespace switchyard::orchestration
