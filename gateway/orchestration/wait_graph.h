// Agents that wait for agents: for the lock that another one has, for the subtask that another one
// does. A wait that would close a circle never ends, so it is refused before it begins, and the
// refusal names the circle.
//
// Whom an agent waits for is asked of sources, one a kind of wait; they are listed in
// wait_graph.cc. A new kind of wait is a function and a line there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {

struct Awaits {
  std::string agent = {};  // who is waited for
  std::string what = {};   // for what, in a few words: "lock src/a.cc", "task_00000012"
};

// Whom `agent` waits for now; bounded.
using WaitSource = Result<std::vector<Awaits>> (*)(Records& records, std::string_view agent);

// The circle that there would be if `agent` waited for these, too:
// "a -> b (lock src/x.cc) -> a (task_00000003)"; "": there is none. Looks at so many agents at
// most: a circle through more of them is not found, but ends with the time of one of its waits.
inline constexpr std::size_t kMostAgentsSearched = 500;
Result<std::string> CircleOf(Records& records, std::string_view agent,
                             const std::vector<Awaits>& wanted);

// Agents that have the unfinished children of what `agent` has, or what those children wait for.
Result<std::vector<Awaits>> AwaitedWork(Records& records, std::string_view agent);

}  // namespace switchyard::orchestration
