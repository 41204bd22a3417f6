// What a worker lends to the stages it builds. All of it outlives them.
#pragma once

#include "base/clock.h"
#include "base/task.h"
#include "base/timers.h"

namespace switchyard {

struct Deps {
  net::io_context& context;
  Timers& timers;
  const Clock& clock;
  unsigned worker = 0;  // index
  unsigned workers = 1;

  Executor executor() const { return context.get_executor(); }
};

}  // namespace switchyard
