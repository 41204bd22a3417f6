// Looking tasks up by what they are: filtered by the database, in pages, newest first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/task.h"

namespace switchyard::orchestration {

// One filter is looked up in its index, and so is what an agent has. Of several others, the one
// that finds least as a rule (a parent, a goal, ... a state) is looked up, and so many of what it
// finds are looked at in a call at most: a page may then be short, or empty, and still have a next
// one. One of kMaxPage bytes is short, too.
inline constexpr std::int64_t kMostLookedAt = 5'000;

struct TaskFilter {
  std::optional<Status> status = {};
  std::optional<Priority> priority = {};
  std::string task_type = {}, assigned_to = {};  // "" = any
  TaskId parent = 0;                             // 0 = any
  std::int64_t project = 0, goal = 0;            // 0 = any
  TaskId before = 0;                             // a cursor: ids below it; 0 = from the newest on
  std::int64_t limit = 10;
  std::int64_t most_looked_at = kMostLookedAt;
};
struct TaskPage {
  std::vector<Task> tasks = {};
  TaskId next = 0;  // the cursor of the next page; 0 = there is no more
};
// Who goes on until there is no next page gets all that was there from the beginning to the end.
Result<TaskPage> Search(Records& records, const TaskFilter& filter);

}  // namespace switchyard::orchestration
