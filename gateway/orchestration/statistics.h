// Aggregates: of counters that are kept as tasks move, never counted out of tasks. Agents, who are
// few, the engine counts; for the metrics not more often than they change (census.h).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestration/lifecycle.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {

struct QueueNumbers {
  std::array<std::array<std::int64_t, kPriorities>, kStatuses> tasks{};
  std::int64_t oldest_pending_ms = 0;  // age of the oldest; 0 = none is pending

  std::int64_t Of(Status status) const;
  std::int64_t active() const;        // pending, assigned, in progress
  std::int64_t success_rate() const;  // of those that ended, in thousandths; 1000 = none ended
};
Result<QueueNumbers> QueueOf(Records& records);

struct AgentNumbers {
  std::int64_t total = 0;
  std::int64_t success_rate = 1000;  // the mean over agents that ended tasks, in thousandths
  std::int64_t evaluated = 0;        // agents whose contributions somebody evaluated
  std::int64_t quality = 1000;       // the mean over these, in thousandths
  std::map<std::string, std::int64_t> by_status;
};
Result<AgentNumbers> AgentsOf(Records& records);
// By how many agents have them, the commonest first; cut.
Result<std::vector<std::pair<std::string, std::int64_t>>> SkillsOf(Records& records);

// All counters by name.
Result<std::map<std::string, std::int64_t>> CountersOf(Records& records);

struct RoutingNumbers {
  std::int64_t routed = 0, unrouted = 0, assigned = 0, expired = 0;
  std::int64_t assignment_rate() const;  // in thousandths
};
Result<RoutingNumbers> RoutingOf(Records& records);

}  // namespace switchyard::orchestration
