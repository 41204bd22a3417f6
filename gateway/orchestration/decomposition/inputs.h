// Arguments that only the tools of this folder have, which take more than one form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestration/arguments.h"
#include "orchestration/batch.h"
#include "orchestration/decomposition/merge.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

inline constexpr std::size_t kMaxModels = 100;

// available_models: ids, or objects with an id and capabilities.
struct Models {
  std::vector<std::string> agents = {};        // sorted; empty = whoever there is
  std::vector<std::string> capabilities = {};  // sorted; of those that say theirs
  bool nameless = false;                       // one of them says no id
};
Models ModelsIn(Arguments& arguments);

// subtasks: ids of tasks, or objects that have one as task_id or id, each once; or what is to be
// made, as decompose_task shows it.
struct Subtasks {
  std::vector<TaskId> tasks = {};
  Batch parts = {};
};
Subtasks SubtasksIn(Arguments& arguments);

// results: values, or objects with task_id (or subtask_id) and result; nullopt = not given.
std::optional<std::vector<Source>> ResultsIn(Arguments& arguments);

}  // namespace switchyard::orchestration
