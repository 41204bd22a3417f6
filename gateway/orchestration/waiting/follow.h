// Tasks of ours as tasks of MCP (the extension io.modelcontextprotocol/tasks, TASKX = ext-tasks
// specification): a client follows one until it is over.
//
//   pending, assigned, in_progress = working    completed = completed    cancelled = cancelled
//   failed = completed, with a result that is a tool's error: failed is for what no tool said
//
// One that is queued again after its end is working again; whoever saw its end looks no more.
#pragma once

#include <boost/json.hpp>

#include "orchestration/records.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

// A Task of TASKX; of one that is over, unless `brief`, with its result.
boost::json::object Followed(const Task& task, const Settings& settings, bool brief);

}  // namespace switchyard::orchestration
