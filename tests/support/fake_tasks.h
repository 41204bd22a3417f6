// Tasks of a fake server, in the dialect of its era, strict about what it is asked. Tools that are
// called as tasks:
//
//   job {label}    ends at "release:LABEL" with the text "done LABEL"; "cancelled:LABEL" happens
//   when
//                  it is cancelled. Called plainly it answers "at once LABEL"
//   must {label}   the same, but only as a task
//   quick {label}  never becomes a task in the modern era, whatever the client accepts; in the
//   legacy
//                  era it cannot be called as one
//   inquire        only as a task: asks for a name, and ends with the answer, as JSON
//   tell           not a task: tells listeners (modern) of every task there is
//   flop           ends in a tool's error at once
//   crash          ends in a JSON-RPC error at once
//
// `--tasks` gives them to fake_stdio_server.
#pragma once

#include "support/surface.h"

namespace switchyard::tests {

void AddTasks(Surface& surface, Era era);

}  // namespace switchyard::tests
