// Tasks as legacy clients know them (L-TASK = 2025-11-25/basic/utilities/tasks), made of the
// extension that is spoken inside. protocol 6.5-G.
//
// Stands between a legacy client's call and its endpoint, for calls that have to do with tasks. One
// a call; one thread.
#pragma once

#include <memory>
#include <string>

#include "core/service.h"
#include "edge/sessions.h"
#include "edge/task_board.h"

namespace switchyard::edge {

class LegacyTasks final : public Service {
 public:
  // `sessions` has a board.
  LegacyTasks(Service& inner, std::shared_ptr<Session> session, Sessions& sessions);

  // Whether a call of this session goes through here.
  static bool Concerns(const Call& call, const Sessions& sessions);

  Task<Result<ReplyPtr>> Handle(Call& call) override;

 private:
  Task<Result<ReplyPtr>> Create(Call& call);
  Task<Result<ReplyPtr>> Get(Call& call);
  Task<Result<ReplyPtr>> AwaitResult(Call& call);
  Task<Result<ReplyPtr>> Cancel(Call& call);
  Result<ReplyPtr> List(const Call& call) const;

  mcp::Message Created(const Call& call, const mcp::Message& result);
  mcp::Message Finished(const Call& call, const mcp::Message& result);
  mcp::Message Shown(const std::string& id, const mcp::Message& result);
  std::optional<TaskBoard::Entry> Known(const std::string& id) const;

  Service& inner_;
  const std::shared_ptr<Session> session_;
  Sessions& sessions_;
  TaskBoard& board_;
};

}  // namespace switchyard::edge
