// Looking tasks up by what they are: filtered by the database, in pages, newest first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestration/task.h"

namespace switchyard::orchestration {

struct TaskFilter {
  std::optional<Status> status = {};
  std::optional<Priority> priority = {};
  std::string task_type = {}, assigned_to = {};  // "" = any
  TaskId parent = 0;                             // 0 = any
  std::int64_t project = 0, goal = 0;            // 0 = any
  TaskId before = 0;                             // a cursor: ids below it; 0 = from the newest on
  std::int64_t limit = 10;
};
struct TaskPage {
  std::vector<Task> tasks = {};
  TaskId next = 0;  // the cursor of the next page; 0 = there is no more
};
// One filter is looked up in its index, and so is what an agent has. Of several others, so many
// tasks at most are looked at in a call: a page may then be short, or empty, and still have a next
// one. So is one of kMaxPage bytes.
inline constexpr std::int64_t kMostLookedAt = 50'000;
Result<TaskPage> Search(Records& records, const TaskFilter& filter);

}  // namespace switchyard::orchestration
