// What becomes of definitions that are pinned, told to the audit log: what the gateway decided of
// them, and what people did to the pins file meanwhile. Pure but for the sink; null = nobody is
// told.
#pragma once

#include <string>

#include "audit/event.h"
#include "pins/book.h"
#include "pins/judge.h"

namespace switchyard {

// One that the gateway found not to be as it should: quarantined, or warned of.
void RecordVerdict(audit::Sink* sink, audit::WallTime now, const std::string& server,
                   const pins::Verdict& verdict, const pins::Book& book);

// What somebody accepted or unpinned in the file between the two readings of it.
void RecordChoices(audit::Sink* sink, audit::WallTime now, const pins::Book& before,
                   const pins::Book& after);

}  // namespace switchyard
