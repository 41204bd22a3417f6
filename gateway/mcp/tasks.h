// Tasks in both dialects: the words of the extension io.modelcontextprotocol/tasks, which is the
// form inside the gateway, and of the experimental tasks of 2025-11-25. Pure functions.
// TASKX = ext-tasks specification; L-TASK = 2025-11-25/basic/utilities/tasks.
#pragma once

#include <string>
#include <string_view>

#include "mcp/message.h"
#include "mcp/raw_object.h"

namespace switchyard::mcp {

inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";
inline constexpr std::string_view kRelatedTask = "io.modelcontextprotocol/related-task";

// Whether raw ClientCapabilities or ServerCapabilities have the extension.
bool DeclaresTasks(std::string_view capabilities);
// The same capabilities with the extension among their extensions.
std::string WithTasks(std::string_view capabilities);
// `data` of the error -32021 that names the extension.
std::string_view TasksRequired();
// Whether an error's `data.requiredCapabilities` names the extension.
bool NamesTasks(std::string_view raw_error);

// Whether raw ServerCapabilities of 2025-11-25 offer tools/call as tasks.
bool OffersLegacyTasks(std::string_view capabilities);

// completed, failed or cancelled.
bool IsTerminal(std::string_view status);

// A Task of 2025-11-25 as the extension's, members in place; what else there is stays. The outcome
// of one that has ended is not in it (L-TASK: tasks/result).
RawObject ToModernTask(const RawObject& legacy);
// The extension's task as one of 2025-11-25: nothing but a Task's members. A tool's error counts as
// failed there.
RawObject ToLegacyTask(const RawObject& modern);

// The id that `_meta` of a request's or notification's params names as related task; "" = none.
std::string RelatedTaskOf(const Message& message);
// An object (params or a result) whose `_meta` names the task, and one whose `_meta` does not.
void SetRelatedTask(RawObject& object, std::string_view task_id);
void RemoveRelatedTask(RawObject& object);

}  // namespace switchyard::mcp
