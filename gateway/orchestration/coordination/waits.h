// Who waits for whom. A wait that would close a cycle is refused and the cycle is named: none of
// its agents would ever go on. Locks and requests for assistance write their waits here; that an
// agent which has a task waits for those who have its parts, or what these depend on, is read off
// the tasks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {

enum class WaitKind : std::uint8_t {
  kLock,        // until the holder lets go of something
  kAssistance,  // until the holder answers
};

struct Wait {
  std::string waiter = {}, holder = {};  // ids of agents
  WaitKind kind = WaitKind::kLock;
  std::string about = {};  // what is waited for, as refusals name it: "lock src/main.c"
  std::int64_t until = 0;  // when it ends by itself, milliseconds since 1970; 0 = it does not
};

// kInvalid, and nothing is added: it would close a cycle, which the message names, or so many wait
// for one another that nobody can tell. One that is there already stays, with the new end.
Result<void> AddWait(Records& records, const Wait& wait);
// "a waits for b (lock x), b waits for a (assistance_00000001)"; "" = it would close none.
// kInvalid: so many wait for one another that nobody can tell.
//
// An agent that waits for a part of its task can still answer, but lets go of nothing: such a wait
// counts where its holder is to let go, not where it is to answer.
Result<std::string> CycleBy(Records& records, const Wait& wait);

// For several holders, of whom `wait` names none, in place of those that there were by its name. Of
// more than a hundred the first hundred are kept: a cycle through others ends with `until`.
Result<void> AddWaits(Records& records, const Wait& wait, const std::vector<std::string>& holders);

// Those of an agent that are not over; the first hundred.
Result<std::vector<Wait>> WaitsOf(Records& records, std::string_view agent);

// For all holders.
Result<void> EndWait(Records& records, std::string_view waiter, std::string_view about);
// For all who wait for this one.
Result<void> EndWaitsFor(Records& records, std::string_view holder, std::string_view about);
// Of an agent that is gone, in both directions.
Result<void> EndWaitsOf(Records& records, std::string_view agent);

}  // namespace switchyard::orchestration
