// The orchestration service as a server behind the gateway, like any other one: policies, budgets,
// audit and metrics apply to it. It lives on each worker; what it keeps is at the desk that all of
// them share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/deps.h"
#include "core/downstream.h"
#include "orchestration/desk.h"

namespace switchyard::orchestration {

inline constexpr std::string_view kServerName = "orchestration";

class Service final : public Downstream {
 public:
  Service(std::shared_ptr<Desk> desk, const Deps& deps) : desk_(std::move(desk)), deps_(deps) {}

  std::string_view name() const override { return kServerName; }
  switchyard::Task<Result<ServerFacts>> Connect() override;
  switchyard::Task<Result<ReplyPtr>> Handle(Call& call) override;
  switchyard::Task<void> Close() override { co_return; }

 private:
  switchyard::Task<Result<ReplyPtr>> CallTool(Call& call);
  switchyard::Task<Result<ReplyPtr>> HandleOther(Call& call);  // than of tools
  // Has a model asked for what the operation wishes. A reply: its client is to be asked.
  switchyard::Task<Result<ReplyPtr>> Plan(const Call& call, Operation& operation);
  switchyard::Task<Result<ReplyPtr>> Read(const Call& call);
  // Requests about a task that is followed; call.target.name is its id.
  switchyard::Task<Result<ReplyPtr>> ShowTask(const Call& call);
  switchyard::Task<Result<ReplyPtr>> CancelTask(const Call& call);

  const std::shared_ptr<Desk> desk_;
  const Deps deps_;
};

}  // namespace switchyard::orchestration
