// timeout: {total: 60s, idle: 0s}
//
// total: the longest that one attempt at a server may take, from here to its last message. Only
// shrinks the call's deadline, which the transport below enforces. idle: the longest that an
// attempt may take from one message to the next, or to its first; progress, like any other message
// of the reply, gives it the time anew, and never moves total. Either gives the client a message
// that names the server and the limit. Streams that are meant to last (subscriptions/listen) are
// exempt. 0 = none.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/section.h"
#include "policies/lib/race.h"
#include "policies/lib/settings.h"
#include "policies/registry.h"

namespace switchyard::policies::timeout {
namespace {

struct Config {
  Duration total = std::chrono::seconds(60);
  Duration idle{};

  bool off() const { return total == Duration::zero() && idle == Duration::zero(); }
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

std::string NoAnswer(const Call& call, Duration total) {
  return fmt::format("server {}: no answer within {}", call.target.server, ShortDuration(total));
}

// Of one attempt.
class Limits {
 public:
  Limits(const Config& config, const Clock& clock, Call& call)
      : config_(config),
        clock_(&clock),
        call_(&call),
        shrunk_(call,
                config.total > Duration::zero() ? clock.Now() + config.total : TimePoint::max()),
        silent_until_(clock.Now() + config.idle) {}

  // What comes next from below, or an Error when there is silence for too long.
  template <class T>
  Task<Result<T>> Watch(Task<Result<T>> task) {
    const bool watched = config_.idle > Duration::zero();
    return watched ? Watched<T>(std::move(task)) : std::move(task);
  }
  // Says which limit it was, if it was one of these.
  void Explain(Error& error) const {
    const bool bound = config_.total > Duration::zero() && shrunk_.binds();
    if (error.code == Code::kDeadline && bound && !silent_) {
      error.message = NoAnswer(*call_, config_.total);
    }
  }

  void Heard() { heard_ = true; }
  // Silence is counted while somebody listens: a slow client is not the server's.
  void Listen() {
    if (heard_) silent_until_ = clock_->Now() + config_.idle;
  }

 private:
  template <class T>
  Task<Result<T>> Watched(Task<Result<T>> task) {
    std::optional<Result<T>> next = co_await Within(std::move(task), silent_until_, *clock_);
    if (next) co_return std::move(*next);
    silent_ = true;
    co_return Failure(
        Code::kDeadline, Origin::kServer,
        fmt::format("server {}: no {} for {}", call_->target.server,
                    heard_ ? "further message" : "message", ShortDuration(config_.idle)));
  }

  Config config_;
  const Clock* clock_;
  const Call* call_;
  Shrunk shrunk_;
  TimePoint silent_until_;
  bool heard_ = false;   // a message
  bool silent_ = false;  // for too long
};

class LimitedReply final : public Reply {
 public:
  LimitedReply(ReplyPtr inner, Limits limits)
      : limits_(std::move(limits)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    limits_.Listen();
    Result<std::optional<mcp::Message>> next = co_await limits_.Watch(inner_->Next());
    if (!next) limits_.Explain(next.error());
    limits_.Heard();
    co_return next;
  }

 private:
  Limits limits_;
  ReplyPtr inner_;
};

class Timeout final : public Policy {
 public:
  explicit Timeout(const PolicyDeps& deps) : settings_(deps), clock_(deps.clock) {}

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Config& config = settings_(call);
    const bool exempt = call.method().route == mcp::Route::kListen;
    return config.off() || exempt ? next.Handle(call) : Limited(call, next, config);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).off(); }

 private:
  Task<Result<ReplyPtr>> Limited(Call& call, Service& next, const Config& config) const {
    Limits limits(config, clock_, call);
    Result<ReplyPtr> reply = co_await limits.Watch(next.Handle(call));
    if (!reply) limits.Explain(reply.error());
    if (!reply || (*reply)->Whole() != nullptr) co_return reply;
    ReplyPtr limited = std::make_unique<LimitedReply>(std::move(*reply), std::move(limits));
    co_return limited;
  }

  const SettingsOf<Config> settings_;
  const Clock& clock_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.Take("total", config->total);
  section.Take("idle", config->idle);
  section.IsOnUnsaid();
  if (config->off()) section.IsOff("total: 0s, idle: 0s");
  if (config->total > Duration::zero() && config->idle > config->total) {
    section.Error("idle", fmt::format("is longer than total, so it would never be reached: {} > {}",
                                      ShortDuration(config->idle), ShortDuration(config->total)));
  }
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Timeout>(deps);
}

}  // namespace switchyard::policies::timeout
