#include "orchestration/desk.h"

#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/transact.h"
#include "orchestration/dependencies.h"
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
};

Desk::Desk(Database& database, const Clock& clock, telemetry::Metrics& metrics, Settings settings)
    : database_(database),
      clock_(clock),
      claims_(metrics.CounterOf("switchyard_orchestration_claims_total", {})),
      expired_(metrics.CounterOf("switchyard_orchestration_leases_expired_total", {})),
      dead_(metrics.CounterOf("switchyard_orchestration_dead_total", {})),
      oldest_(metrics.GaugeOf("switchyard_orchestration_oldest_pending_seconds", {})),
      listening_(metrics.GaugeOf("switchyard_orchestration_watches", {})),
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
  if (effects.ready > 0) waiters_.Wake(effects.ready);
  watches_.Changed(effects);
  if (effects.more) Tick();
}

Result<Rights> Desk::RightsOf(const Principal& caller, std::string_view tool) const {
  const std::shared_ptr<const Roles> roles = settings().roles;
  const Rights rights = roles == nullptr ? Rights() : Rights(*roles, caller);
  if (Result<void> may = MayUse(tool, rights, roles.get()); !may) {
    return Failure(std::move(may.error()));
  }
  return rights;
}

switchyard::Task<Result<Answer>> Desk::RunOnce(const Operation& operation,
                                               const std::string& caller, const Deps& deps) {
  auto work = [run = operation.run, rights = operation.rights, caller, now = WallNow(),
               settings = settings()](Database::Transaction& sql) -> Result<Outcome> {
    Records records{
        .sql = sql, .now = now, .settings = settings, .caller = caller, .rights = rights};
    Result<Answer> answer = run(records);
    if (!answer) return Failure(std::move(answer.error()));
    return Outcome{.answer = std::move(*answer), .effects = std::move(records.effects)};
  };
  // Others are told even if who asked is gone by then.
  Result<Outcome> outcome =
      co_await Transact<Outcome>(database_, deps.executor(), std::move(work),
                                 [this](const Outcome& kept) { Note(kept.effects); });
  if (!outcome) co_return Failure(std::move(outcome.error()));
  co_return std::move(outcome->answer);
}

switchyard::Task<Result<Answer>> Desk::Await(const Operation& operation, const std::string& caller,
                                             TimePoint until, const Deps& deps) {
  // Before it looks: what comes in between wakes it.
  Watches::Watch watch(watches_, deps.executor(), {Subject{.task = operation.awaits}});
  for (;;) {
    watch.Take();
    Result<Answer> answer = co_await RunOnce(operation, caller, deps);
    if (!answer || !answer->empty_handed || ending_) co_return answer;
    const bool woken = co_await watch.WaitUntil(until, deps.timers);
    if (!woken) co_return answer;
  }
}

switchyard::Task<Result<Answer>> Desk::Run(Operation operation, std::string caller,
                                           Deadline deadline, const Deps& deps) {
  if (operation.wait_ms == 0) {
    Result<Answer> answer = co_await RunOnce(operation, caller, deps);
    co_return answer;
  }
  deadline.ShrinkTo(deadline.never() ? deadline : Deadline(deadline.at() - kToAnswer));
  deadline.ShrinkTo(deps.clock.Now() + std::chrono::milliseconds(operation.wait_ms));
  if (operation.awaits != 0) {
    Result<Answer> answer = co_await Await(operation, caller, deadline.at(), deps);
    co_return answer;
  }
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
  watches_.WakeAll();
}

void Desk::Tick() {
  if (sweeping_.exchange(true)) return;
  struct Swept {
    Records::Effects effects;
    Numbers numbers;
    bool more = false;
  };
  const auto swept = std::make_shared<Swept>();
  const std::int64_t now = WallNow();
  const std::int64_t since = swept_at_.exchange(now);
  database_.Submit(
      [swept, now, since = watches_.size() == 0 ? -1 : since,
       settings = settings()](Database::Transaction& sql) -> Result<void> {
        Records records{.sql = sql, .now = now, .settings = settings, .caller = {}};
        Result<bool> more = Sweep(records);
        if (!more) return Failure(std::move(more.error()));
        Result<bool> releasing = GoOnReleasing(records);
        if (!releasing) return Failure(std::move(releasing.error()));
        if (since >= 0) {
          if (Result<void> away = NoteAway(records, since); !away) return away;
        }
        Result<QueueNumbers> queue = QueueOf(records);
        if (!queue) return Failure(std::move(queue.error()));
        Result<AgentNumbers> agents = AgentsOf(records);
        if (!agents) return Failure(std::move(agents.error()));
        *swept = {.effects = std::move(records.effects),
                  .numbers = {.queue = *queue, .agents = std::move(*agents)},
                  .more = *more || *releasing};
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
  listening_->Set(static_cast<std::int64_t>(watches_.size()));
  oldest_->Set(numbers.queue.oldest_pending_ms / 1000);
  for (std::size_t i = 0; i < kAgentStatuses.size(); ++i) {
    const auto found = numbers.agents.by_status.find(std::string(kAgentStatuses[i]));
    agents_[i]->Set(found == numbers.agents.by_status.end() ? 0 : found->second);
  }
}

}  // namespace switchyard::orchestration
