// What ends by itself in coordination.
#pragma once

#include <cstdint>
#include <string>

#include "orchestration/records.h"

namespace switchyard::orchestration {

// Requests that nobody answered expire, idle sessions are closed, and what is too old is forgotten:
// so many of each at most. True: there may be more.
Result<bool> SweepCoordination(Records& records, std::int64_t limit = 100);

// An agent is not registered any more: nobody waits for it, and what was meant for it is nobody's.
Result<void> LeaveCoordination(Records& records, const std::string& agent);

// The wall clock jumped by so many milliseconds: what is open expires as if it had not.
Result<void> MoveCoordination(Records& records, std::int64_t by);

// Sessions and requests that are open.
struct CoordinationNumbers {
  std::int64_t sessions = 0, requests = 0;
};
Result<CoordinationNumbers> CoordinationOf(Records& records);

}  // namespace switchyard::orchestration
