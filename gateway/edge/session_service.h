// What serves a message of a legacy session: its endpoint, or what stands in front of it for the
// messages that only sessions know (subscriptions, tasks, the log level). The same for every way in
// which such a message comes: alone, in a batch, over a channel. One a call; one thread.
#pragma once

#include <functional>
#include <memory>

#include "core/service.h"
#include "edge/sessions.h"

namespace switchyard::edge {

class SessionService final : public Service {
 public:
  // The endpoint for what outlives the call, null = it is gone; asked for only where it is needed.
  using Shared = std::function<std::shared_ptr<Service>()>;

  // `call` is of this session, which is held; the rest outlives this.
  SessionService(const Call& call, Service& endpoint, const std::shared_ptr<Session>& session,
                 Sessions& sessions, const Shared& shared);

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    return front_ != nullptr ? front_->Handle(call) : endpoint_.Handle(call);
  }

 private:
  Service& endpoint_;
  std::unique_ptr<Service> front_;  // null: any session's call
};

}  // namespace switchyard::edge
