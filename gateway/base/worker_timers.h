// The timers of the thread that something happens to run on. A policy or a fetcher is one object
// for all workers, so it cannot be given a worker's Timers; they hang on the io_context as an Asio
// service.
#pragma once

#include "base/clock.h"
#include "base/task.h"
#include "base/timers.h"

namespace switchyard {

// Made at the first call for a context, with this clock. Lives as long as the context. Call on the
// context's thread.
Timers& TimersOf(const Executor& executor, const Clock& clock);

// As Timers::Disarm(), if there are any: what they are armed for would hold up the end of the loop.
void DisarmTimersOf(const Executor& executor);

}  // namespace switchyard
