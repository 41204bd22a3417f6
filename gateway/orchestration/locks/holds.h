// The rows of locks and lines, for the files of this folder: reading, and the writing that keeps
// the counters in step and has the next in line woken.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/locks/locks.h"

namespace switchyard::orchestration {

struct InLineRow {
  std::string agent = {};
  std::int64_t place = 0, ticket = 0;
  bool shared = false;
};

Result<void> InsertHold(Records& records, const Hold& hold);
Result<void> UpdateHold(Records& records, const Hold& hold);
// Wakes nobody: whoever calls does, when all is done.
Result<void> EraseHold(Records& records, const Hold& hold);

// Those in line before the file that did not give up yet, the first one first.
Result<std::vector<InLineRow>> LineBefore(Records& records, std::string_view path,
                                          std::int64_t limit);
Result<std::optional<InLineRow>> PlaceOf(Records& records, std::string_view path,
                                         std::string_view agent);
// At its end, also when the agent is in it.
Result<void> EnterLine(Records& records, const LockRequest& request, const Place& place);
// The place of another call of the agent.
Result<void> TakeOver(Records& records, const LockRequest& request, const Place& place);
Result<void> LeaveLine(Records& records, std::string_view path, std::string_view agent);

// Drops what is over, of this file alone, and wakes the next one.
Result<void> DropExpired(Records& records, std::string_view path);
// Has the one woken that may have it now, if there is one.
Result<void> WakeNext(Records& records, std::string_view path);

}  // namespace switchyard::orchestration
