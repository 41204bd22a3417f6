// concurrency: {max_in_flight: 64, queue: 256, queue_timeout: 5s}
//
// Caps the attempts in flight at one server, over all workers. A slot is held until the last
// message of the reply. Who finds no slot waits in a bounded queue; who finds no place there, or
// waits too long, is told at once which server is busy and when to come back. Streams that are
// meant to last (subscriptions/listen) and notifications take no slot. max_in_flight 0 = no cap.
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "config/section.h"
#include "policies/lib/gate.h"
#include "policies/lib/settings.h"
#include "policies/registry.h"

namespace switchyard::policies::concurrency {
namespace {

struct Config {
  std::size_t max_in_flight = 64;
  std::size_t queue = 256;
  Duration queue_timeout = std::chrono::seconds(5);
};

class Concurrency final : public Policy {
 public:
  Concurrency(Config config, const PolicyDeps& deps)
      : config_(config),
        server_(deps.name),
        clock_(deps.clock),
        gate_(std::make_shared<Gate>(config.max_in_flight, config.queue)) {}

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const mcp::Route route = call.method().route;
    const bool exempt = route == mcp::Route::kListen || route == mcp::Route::kNotification;
    return config_.max_in_flight == 0 || exempt ? next.Handle(call) : Counted(call, next);
  }

 private:
  Task<Result<ReplyPtr>> Counted(Call& call, Service& next) const {
    std::optional<Gate::Permit> permit = Gate::TryEnter(gate_);
    if (!permit) {
      const TimePoint own = clock_.Now() + config_.queue_timeout;
      const TimePoint until = std::min(own, call.deadline.at());
      std::expected<Gate::Permit, Gate::Refusal> entry = co_await Gate::Enter(gate_, until, clock_);
      if (!entry) co_return Failure(Refused(entry.error(), until < own));
      permit.emplace(std::move(*entry));
    }
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return reply;
    ReplyPtr held = HoldUntilEnd(std::move(*reply), std::move(*permit));
    co_return held;
  }

  Error Refused(Gate::Refusal refusal, bool out_of_time) const {
    Error error{.code = Code::kRateLimited, .retryable = true, .message = {}};
    if (refusal == Gate::Refusal::kTimedOut && out_of_time) {
      error.code = Code::kDeadline;
      error.message = fmt::format("server {}: out of time while {} calls were in flight", server_,
                                  config_.max_in_flight);
      return error;
    }
    const std::string retry = ShortDuration(config_.queue_timeout);
    error.message =
        refusal == Gate::Refusal::kQueueFull
            ? fmt::format("server {}: busy with {} calls and {} waiting, try again in {}", server_,
                          config_.max_in_flight, config_.queue, retry)
            : fmt::format("server {}: busy with {} calls, no slot within {}, try again in {}",
                          server_, config_.max_in_flight, retry, retry);
    error.data = fmt::format(
        R"({{"retryAfterMs":{}}})",
        std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue_timeout).count());
    return error;
  }

  const Config config_;
  const std::string server_;
  const Clock& clock_;
  const std::shared_ptr<Gate> gate_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  if (auto cap = section.Integer("max_in_flight", 0, 1'000'000)) {
    config->max_in_flight = static_cast<std::size_t>(*cap);
  }
  if (auto queue = section.Integer("queue", 0, 1'000'000)) {
    config->queue = static_cast<std::size_t>(*queue);
  }
  if (auto timeout = section.Duration("queue_timeout")) config->queue_timeout = *timeout;
  return config;
}

std::shared_ptr<const Policy> Make(const void* config, const PolicyDeps& deps) {
  return std::make_shared<Concurrency>(ValueOrDefault<Config>(config), deps);
}

}  // namespace switchyard::policies::concurrency
