#include "orchestration/desk.h"

#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/transact.h"
#include "orchestration/coordination/sweep.h"
#include "orchestration/moves.h"
#include "orchestration/statistics.h"
#include "telemetry/metrics.h"

namespace switchyard::orchestration {
namespace {

constexpr std::array<std::string_view, 5> kAgentStatuses = {"available", "idle", "working",
                                                            "offline", "error"};
// An answer still has to reach its client within the deadline.
constexpr Duration kToAnswer = std::chrono::milliseconds(200);

struct Outcome {
  Answer answer;
  Records::Effects effects;
};

}  // namespace

struct Desk::Numbers {
  QueueNumbers queue;
  AgentNumbers agents;
  CoordinationNumbers coordination;
};

Desk::Desk(Database& database, const Clock& clock, telemetry::Metrics& metrics, Settings settings)
    : database_(database),
      clock_(clock),
      claims_(metrics.CounterOf("switchyard_orchestration_claims_total", {})),
      expired_(metrics.CounterOf("switchyard_orchestration_leases_expired_total", {})),
      dead_(metrics.CounterOf("switchyard_orchestration_dead_total", {})),
      sent_(metrics.CounterOf("switchyard_orchestration_messages_sent_total", {})),
      read_(metrics.CounterOf("switchyard_orchestration_messages_read_total", {})),
      throttled_(metrics.CounterOf("switchyard_orchestration_messages_throttled_total", {})),
      oldest_(metrics.GaugeOf("switchyard_orchestration_oldest_pending_seconds", {})),
      sessions_(metrics.GaugeOf("switchyard_orchestration_sessions_open", {})),
      requests_(metrics.GaugeOf("switchyard_orchestration_assistance_open", {})),
      settings_(std::move(settings)) {
  for (int status = 0; status < kStatuses; ++status) {
    for (int priority = 0; priority < kPriorities; ++priority) {
      tasks_.push_back(metrics.GaugeOf("switchyard_orchestration_tasks",
                                       {std::string(ToString(static_cast<Status>(status))),
                                        std::string(ToString(static_cast<Priority>(priority)))}));
    }
  }
  for (const std::string_view status : kAgentStatuses) {
    agents_.push_back(metrics.GaugeOf("switchyard_orchestration_agents", {std::string(status)}));
  }
}

Settings Desk::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Desk::Change(Settings settings) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
}

std::int64_t Desk::WallNow() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch())
      .count();
}

void Desk::Note(const Records::Effects& effects) {
  if (effects.claimed > 0) claims_.Add(static_cast<std::uint64_t>(effects.claimed));
  if (effects.expired > 0) expired_.Add(static_cast<std::uint64_t>(effects.expired));
  if (effects.dead > 0) dead_.Add(static_cast<std::uint64_t>(effects.dead));
  if (effects.sent > 0) sent_.Add(static_cast<std::uint64_t>(effects.sent));
  if (effects.read > 0) read_.Add(static_cast<std::uint64_t>(effects.read));
  if (effects.ready > 0) waiters_.Wake(effects.ready);
}

switchyard::Task<Result<Answer>> Desk::RunOnce(const Operation& operation,
                                               const std::string& caller, const Deps& deps) {
  auto work = [run = operation.run, caller, now = WallNow(),
               settings = settings()](Database::Transaction& sql) -> Result<Outcome> {
    Records records{.sql = sql, .now = now, .settings = settings, .caller = caller};
    Result<Answer> answer = run(records);
    if (!answer) return Failure(std::move(answer.error()));
    return Outcome{.answer = std::move(*answer), .effects = records.effects};
  };
  Result<Outcome> outcome = co_await Transact<Outcome>(database_, deps.executor(), std::move(work));
  if (!outcome) {
    const Error& why = outcome.error();
    if (why.origin == Origin::kClient && why.code == Code::kRateLimited) throttled_.Add();
    co_return Failure(std::move(outcome.error()));
  }
  Note(outcome->effects);
  co_return std::move(outcome->answer);
}

switchyard::Task<Result<Answer>> Desk::Run(Operation operation, std::string caller,
                                           Deadline deadline, const Deps& deps) {
  if (operation.wait_ms == 0) {
    Result<Answer> answer = co_await RunOnce(operation, caller, deps);
    co_return answer;
  }
  deadline.ShrinkTo(deadline.never() ? deadline : Deadline(deadline.at() - kToAnswer));
  deadline.ShrinkTo(deps.clock.Now() + std::chrono::milliseconds(operation.wait_ms));
  // In the line before it looks: what comes in between wakes it.
  Waiters::Ticket ticket(waiters_, deps.timers, deps.executor());
  for (bool woken = false;;) {
    Result<Answer> answer = co_await RunOnce(operation, caller, deps);
    if (!answer || !answer->empty_handed || ending_) co_return answer;
    if (woken) ticket.PassOn();
    woken = co_await ticket.Wait(deadline.at());
    if (!woken) co_return answer;
  }
}

void Desk::EndWaits() {
  ending_ = true;
  waiters_.Wake(std::numeric_limits<std::int64_t>::max());
}

void Desk::Tick() {
  if (sweeping_.exchange(true)) return;
  struct Swept {
    Records::Effects effects;
    Numbers numbers;
    bool more = false;
  };
  const auto swept = std::make_shared<Swept>();
  database_.Submit(
      [swept, now = WallNow(), settings = settings()](Database::Transaction& sql) -> Result<void> {
        Records records{.sql = sql, .now = now, .settings = settings, .caller = {}};
        Result<bool> more = Sweep(records);
        if (!more) return Failure(std::move(more.error()));
        Result<QueueNumbers> queue = QueueOf(records);
        if (!queue) return Failure(std::move(queue.error()));
        Result<AgentNumbers> agents = AgentsOf(records);
        if (!agents) return Failure(std::move(agents.error()));
        Result<bool> old = SweepCoordination(records);
        if (!old) return Failure(std::move(old.error()));
        Result<CoordinationNumbers> coordination = CoordinationOf(records);
        if (!coordination) return Failure(std::move(coordination.error()));
        *swept = {.effects = records.effects,
                  .numbers = {.queue = *queue,
                              .agents = std::move(*agents),
                              .coordination = *coordination},
                  .more = *more || *old};
        return {};
      },
      [this, swept](Result<void> kept) {
        sweeping_ = false;
        if (!kept) {
          spdlog::error("orchestration: {}: {}", kept.error().message, kept.error().detail);
          return;
        }
        Note(swept->effects);
        Publish(swept->numbers);
        if (swept->more) Tick();
      });
}

void Desk::Publish(const Numbers& numbers) {
  std::size_t place = 0;
  for (const auto& by_priority : numbers.queue.tasks) {
    for (const std::int64_t count : by_priority) tasks_[place++]->Set(count);
  }
  sessions_->Set(numbers.coordination.sessions);
  requests_->Set(numbers.coordination.requests);
  oldest_->Set(numbers.queue.oldest_pending_ms / 1000);
  for (std::size_t i = 0; i < kAgentStatuses.size(); ++i) {
    const auto found = numbers.agents.by_status.find(std::string(kAgentStatuses[i]));
    agents_[i]->Set(found == numbers.agents.by_status.end() ? 0 : found->second);
  }
}

}  // namespace switchyard::orchestration
