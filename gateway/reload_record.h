// What a reload changed, for the log of the process and the audit log.
#pragma once

#include "audit/event.h"
#include "base/clock.h"
#include "config/config.h"

namespace switchyard {

// After it holds. Also one that changed nothing is told.
void TellReload(audit::Sink& sink, const Clock& clock, const config::Config& before,
                const config::Config& after);

}  // namespace switchyard
