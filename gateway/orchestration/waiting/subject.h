// What can be watched and read as a resource: a task, an agent, or the queue as a whole.
//
//   orchestration://tasks/task_00000012   orchestration://agents/python_expert
//   orchestration://queue
//
// A value; pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "orchestration/task.h"

namespace switchyard::orchestration {

// Neither = the queue.
struct Subject {
  TaskId task = 0;
  std::string agent = {};

  auto operator<=>(const Subject&) const = default;
};

inline constexpr std::string_view kQueueUri = "orchestration://queue";

// nullopt: a URI of nothing that there could be. Ids of agents are percent-encoded (RFC 3986, 2.1)
// where they have to be, and may be elsewhere.
std::optional<Subject> SubjectOf(std::string_view uri);

}  // namespace switchyard::orchestration
