// Lanes: tasks of one type that need the same capabilities, as long as they are not over. The order
// of the queue is within and over them: by `due`, then by id.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestration/lifecycle.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {

// Of this type and these requirements (JSON, sorted), for a task that is not over; made if there is
// none. It stays as long as there are tasks of its kind that are not over. kInvalid: there are
// kMaxLanes that are in use, or the caller has its share of them (shares.h).
Result<std::int64_t> LaneFor(Records& records, const std::string& task_type,
                             const std::string& requirements);

// Its type and its requirements, as LaneFor() has them.
using KindOfTask = std::pair<std::string, std::string>;
// kInvalid where there is no room for tasks of all these kinds; changes nothing.
Result<void> RefuseKinds(Records& records, const std::set<KindOfTask>& kinds);

// The same of so many tasks at all (shares.h): what makes several asks once, before it writes.
Result<void> RefuseTasks(Records& records, std::int64_t more, const std::set<KindOfTask>& kinds);

// When a task is due if nothing else is said: the lower its priority, the later, and never before
// it was created. A task that waits gets ahead of all that come so much later, whatever their
// priority and deadline, so none starves; and what orders the queue never changes, so that an index
// has it.
std::int64_t DueAt(std::int64_t created_at, Priority priority, std::int64_t deadline);

struct Wanted {
  std::string_view task_type = {};                         // "" = any
  const std::vector<std::string>* capabilities = nullptr;  // sorted; null = whatever they need
  std::int64_t limit = 10;
};
// The ids of the first ready tasks, in the order of the queue.
Result<std::vector<std::int64_t>> FirstReady(Records& records, const Wanted& wanted);

// JSON of a list of strings, sorted and each once; and back.
std::string ToJson(std::vector<std::string> words);
std::vector<std::string> WordsOf(std::string_view json);
// Of sorted lists.
bool Covers(const std::vector<std::string>& capabilities, const std::vector<std::string>& needed);

}  // namespace switchyard::orchestration
