// Who is to do a task: agents ranked by how well they did, how free they are, how close they fit,
// how fast they are, and whether they are of the team that is at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/agents.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

struct Choice {
  std::vector<std::string> requirements = {}, excluded = {};
  std::string group = {};  // nobody else's agents; "" = anybody's
  std::string near = {};   // the group whose agents come first where all else is alike; "" = none
};

struct Candidate {
  Agent agent = {};
  std::int64_t score = 0;  // thousandths
  std::string why = {};    // what of it decided: "0 of 10 tasks, 100% success, fits 1 of 2, 40 ms"
};
// Who can do it now, the best first; of equals the one with less to do, then by id.
Result<std::vector<Candidate>> Rank(Records& records, const Choice& choice, std::size_t limit);
// The best of these, by the same order; nullopt: none of them can do it now.
std::optional<Candidate> BestOf(const Records& records, const std::vector<Agent>& agents,
                                const Choice& choice);

// The group of the agent that has what the task is a part of; "" = there is none.
Result<std::string> GroupAbove(Records& records, const Task& task);

}  // namespace switchyard::orchestration
