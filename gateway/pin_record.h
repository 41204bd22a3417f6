// What becomes of definitions that are pinned, told to the audit log: what the gateway decided of
// them, and what people did to the pins file meanwhile. Pure but for the sink; null = nobody is
// told.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "audit/event.h"
#include "pins/book.h"
#include "pins/judge.h"

namespace switchyard {

// Those of one judgement that the gateway found not to be as they should, and did not before:
// quarantined, or warned of. A server says how many there are, so at most kMostVerdicts of them
// have a record; the last of these says how many more there were (left_out).
inline constexpr std::size_t kMostVerdicts = 20;
void RecordVerdicts(audit::Sink* sink, audit::WallTime now, const std::string& server,
                    std::span<const pins::Verdict> verdicts, const pins::Book& book);

// What somebody accepted or unpinned in the file between the two readings of it.
void RecordChoices(audit::Sink* sink, audit::WallTime now, const pins::Book& before,
                   const pins::Book& after);

}  // namespace switchyard
