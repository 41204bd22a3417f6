// How tasks and agents read in answers: as few words as they can do with. What clients gave as JSON
// is in there verbatim (verbatim.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "orchestration/agents.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

// "id" in lists, "task_id" where it is the subject.
enum class As : bool { kItem, kSubject };
// What may be asked for.
std::span<const std::string_view> TaskFields();
// The same of a second name ("description"); any other one as it is. A view has what was asked for
// under the name by which it was.
std::string_view FieldMeant(std::string_view name);
// With `fields`, those of them that it has; else what is usually wanted.
boost::json::object View(const Task& task, As as, const std::vector<std::string>& fields);
boost::json::object View(const Agent& agent, std::int64_t now, const Settings& settings);
// Those of these that it has; AgentFields() are all that may be asked for. `current` is the task
// that it is at; 0 = none.
boost::json::object View(const Agent& agent, TaskId current, std::int64_t now,
                         const Settings& settings, const std::vector<std::string>& fields);
std::span<const std::string_view> AgentFields();

// "task_00000001 completed"
std::string Line(const Task& task);
// "1 task", "2 tasks"
std::string Many(std::size_t count, std::string_view one);

boost::json::array ToArray(const std::vector<std::string>& words);

// Thousandths as a number with two places: 0.85.
double Rate(std::int64_t thousandths);

}  // namespace switchyard::orchestration
