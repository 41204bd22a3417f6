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
  Task<Result<ServerFacts>> Connect() override;
  Task<Result<ReplyPtr>> Handle(Call& call) override;
  Task<void> Close() override { co_return; }

 private:
  Task<Result<ReplyPtr>> CallTool(Call& call);

  const std::shared_ptr<Desk> desk_;
  const Deps deps_;
};

}  // namespace switchyard::orchestration
