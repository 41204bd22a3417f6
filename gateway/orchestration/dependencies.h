// Which task waits for which. There are no cycles: what would close one is refused, naming it.
#pragma once

#include <vector>

#include "orchestration/task.h"

namespace switchyard::orchestration {

// Adds those that are not completed to what `task` waits for, and counts them. kInvalid: one is the
// task itself, would make a cycle, or is one too many. Known ones are left alone.
Result<void> AddDependencies(Records& records, Task& task, const std::vector<TaskId>& needs);

// `task` was completed: those that waited for nothing else become ready. Of many a part at a time:
// the rest is remembered with it, and goes on with GoOnReleasing(), also after a restart.
Result<void> Release(Records& records, TaskId task);
// A part of what is left. True: there is more.
Result<bool> GoOnReleasing(Records& records);

// What it still waits for, up to `limit`, with their states.
struct Awaited {
  TaskId task;
  Status status;
};
Result<std::vector<Awaited>> AwaitedBy(Records& records, TaskId task, std::int64_t limit);

// What it waited for, or was made after, that is completed: those whose results it may want. At
// most a hundred.
Result<std::vector<TaskId>> NeededBy(Records& records, TaskId task);

}  // namespace switchyard::orchestration
