// Which task waits for which. There are no cycles: what would close one is refused, naming it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "orchestration/task.h"

namespace switchyard::orchestration {

// Adds those that are not completed to what `task` waits for, and counts them. kInvalid: one is the
// task itself, would make a cycle, or is one too many. Known ones are left alone.
Result<void> AddDependencies(Records& records, Task& task, const std::vector<TaskId>& needs);

// kInvalid: it could not be made to wait for so many more that nobody knows yet; changes nothing.
Result<void> RefuseMoreNeeds(Records& records, const Task& task, std::size_t more);

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

// Bytes of results that an answer may have, and that may be read for it: what does not fit is known
// only then. Each result counts as some more than it has, so that their number is bounded, too.
struct ResultRoom {
  std::size_t given = std::size_t{256} << 10, read = kMaxPage;
};
struct NeededResult {
  TaskId task = 0;
  std::string result = {};  // JSON; "" = it has none, or
  bool omitted = false;     // there was no room for it
};
// What NeededBy() gives, with what came of it. Takes from the room.
Result<std::vector<NeededResult>> ResultsNeededBy(Records& records, TaskId task, ResultRoom& room);

}  // namespace switchyard::orchestration
