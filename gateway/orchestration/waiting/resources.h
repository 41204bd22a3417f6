// Tasks, agents and the queue as resources: JSON, the same views as those of the tools.
#pragma once

#include <set>
#include <string>

#include "orchestration/tool.h"
#include "orchestration/waiting/subject.h"

namespace switchyard::orchestration {

const std::string& ResourceList();  // JSON: an array of those that have a URI
const std::string& TemplateList();  // JSON: an array of URI templates

// Gives what its tool would: get_task_status, get_agent_health, get_queue_metrics.
Result<Operation> ReadOf(const Subject& subject);

// Which of them there are; at most as many as a listen may name.
Result<std::set<Subject>> Existing(Records& records, const std::set<Subject>& subjects);

}  // namespace switchyard::orchestration
