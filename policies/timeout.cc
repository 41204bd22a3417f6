// timeout: {total: 60s}
//
// The longest that one attempt at a server may take, from here to its last message. Only shrinks
// the call's deadline, which the transport below enforces, and gives the client a message that
// names the server and the limit. Streams that are meant to last (subscriptions/listen) are exempt.
// 0 = none.
#include "config/section.h"
#include "policies/lib/settings.h"
#include "policies/registry.h"

namespace switchyard::policies::timeout {
namespace {

struct Config {
  Duration total = std::chrono::seconds(60);
};

// Shrinks the deadline for its lifetime: what comes after the attempt has the time it had before.
class Shrunk {
 public:
  Shrunk(Call& call, TimePoint at) : call_(&call), before_(call.deadline) {
    call.deadline.ShrinkTo(at);
  }
  Shrunk(Shrunk&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)), before_(other.before_) {}
  Shrunk& operator=(Shrunk&&) = delete;
  ~Shrunk() {
    if (call_ != nullptr) call_->deadline = before_;
  }
  // False: the caller's own deadline comes first.
  bool binds() const { return call_->deadline.at() < before_.at(); }

 private:
  Call* call_;
  Deadline before_;
};

class LimitedReply final : public Reply {
 public:
  LimitedReply(ReplyPtr inner, Shrunk shrunk, std::shared_ptr<const std::string> message)
      : shrunk_(std::move(shrunk)), inner_(std::move(inner)), message_(std::move(message)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next && next.error().code == Code::kDeadline && shrunk_.binds()) {
      next.error().message = *message_;
    }
    co_return next;
  }

 private:
  Shrunk shrunk_;
  ReplyPtr inner_;
  std::shared_ptr<const std::string> message_;
};

class Timeout final : public Policy {
 public:
  Timeout(Config config, const PolicyDeps& deps)
      : config_(config),
        clock_(deps.clock),
        message_(std::make_shared<const std::string>("server " + deps.name + ": no answer within " +
                                                     ShortDuration(config.total))) {}

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const bool exempt = call.method().route == mcp::Route::kListen;
    return config_.total == Duration::zero() || exempt ? next.Handle(call) : Limited(call, next);
  }

 private:
  Task<Result<ReplyPtr>> Limited(Call& call, Service& next) const {
    Shrunk shrunk(call, clock_.Now() + config_.total);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      if (reply.error().code == Code::kDeadline && shrunk.binds()) {
        reply.error().message = *message_;
      }
      co_return reply;
    }
    if ((*reply)->Whole() != nullptr) co_return reply;
    ReplyPtr limited =
        std::make_unique<LimitedReply>(std::move(*reply), std::move(shrunk), message_);
    co_return limited;
  }

  const Config config_;
  const Clock& clock_;
  const std::shared_ptr<const std::string> message_;  // also of replies that outlive the chain
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  if (auto total = section.Duration("total")) config->total = *total;
  return config;
}

std::shared_ptr<const Policy> Make(const void* config, const PolicyDeps& deps) {
  return std::make_shared<Timeout>(ValueOrDefault<Config>(config), deps);
}

}  // namespace switchyard::policies::timeout
