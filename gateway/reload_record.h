// What a reload changed, for the log of the process and the audit log.
#pragma once

#include "audit/log.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

namespace switchyard {

// Opens the log, and notes as its first record of the gateway which configuration it started with:
// what was changed while it did not run shows there.
Result<void> StartAudit(audit::Log& log, const Clock& clock, const config::Config& config);

// Has the log go by `after`. One that is turned off by that is told of it before, for it is the
// last that it hears; of one that then cannot be turned off, that nothing came of it.
Result<void> SwitchAudit(audit::Log& log, const Clock& clock, const config::Config& before,
                         const config::Config& after);

// After it holds. Also one that changed nothing is told.
void TellReload(audit::Sink& sink, const Clock& clock, const config::Config& before,
                const config::Config& after);

}  // namespace switchyard
