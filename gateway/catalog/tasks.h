// How an endpoint serves tasks (the extension io.modelcontextprotocol/tasks, TASKX): ids on their
// way out become the gateway's own, requests about a task go to the server that has it. One a
// worker and endpoint, part of its router; one thread: the worker's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/seal.h"
#include "catalog/task_ids.h"
#include "core/deps.h"
#include "core/service.h"

namespace switchyard::catalog {

class TaskRoutes {
 public:
  // Null when no such server is configured any more.
  using FindServer = std::function<std::shared_ptr<Service>(std::string_view server)>;

  TaskRoutes(const Sealer& sealer, const Deps& deps, FindServer find_server);

  // Names the target of a request about a task; of an id that is not the caller's it stays empty.
  void Resolve(Call& call) const;
  // The task that an id of the call's caller names.
  std::optional<TaskIds::Named> Find(const Call& call, std::string_view id) const;

  // tasks/get, update and cancel, and tasks/result, which waits for the end: legacy clients ask it.
  // kInvalid, in one text for all reasons, when the id is not the caller's.
  Task<Result<ReplyPtr>> Handle(Call& call);

  // `listening`: the reply to subscriptions/listen without its taskIds. kInvalid with -32021 when
  // there are some and the client did not declare the extension.
  // `keep`: what `listening` needs, for it may outlive the reply by a moment.
  Result<ReplyPtr> Listen(const Call& call, Result<ReplyPtr> listening,
                          std::shared_ptr<const void> keep) const;

  // Whether Forward() is needed for a tools/call; others cannot meet a task.
  static bool Concerns(const Call& call) {
    const Definition* tool = call.target.definition;
    const bool wants = call.client != nullptr && call.client->tasks == Tasks::kWanted;
    return tool != nullptr && tool->kind == ItemKind::kTool &&
           (tool->tasks != TaskSupport::kNone || wants);
  }
  // A tools/call to the server that call.target names.
  Task<Result<ReplyPtr>> Forward(Call& call, std::shared_ptr<Service> server);

 private:
  Task<Result<ReplyPtr>> Hold(Call& call, std::shared_ptr<Service> server);
  Task<Result<ReplyPtr>> ForwardUnlessInsisted(Call& call, std::shared_ptr<Service> server);

  const TaskIds ids_;
  const Deps deps_;
  const FindServer find_server_;
};

}  // namespace switchyard::catalog
