#include "orchestration/desk.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/transact.h"
#include "orchestration/locks/locks.h"
#include "orchestration/moves.h"
#include "orchestration/projects/efforts.h"
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
  std::map<std::string, std::int64_t> counters;
};

// What a call that waits leaves behind unless it was answered with what it waited for: nothing.
class Desk::Leaving {
 public:
  // `operation` is copied when there is something to undo.
  Leaving(Desk& desk, const Operation& operation, const std::string& caller)
      : desk_(desk), give_up_(operation.give_up), caller_(caller) {}
  Leaving(const Leaving&) = delete;
  ~Leaving() {
    if (!give_up_) return;
    const auto effects = std::make_shared<Records::Effects>();
    desk_.database_.Submit(
        [effects, give_up = std::move(give_up_), caller = std::move(caller_), now = desk_.WallNow(),
         settings = desk_.settings()](Database::Transaction& sql) {
          Records records{.sql = sql, .now = now, .settings = settings, .caller = caller};
          Result<void> done = give_up(records);
          *effects = records.effects;
          return done;
        },
        // What cannot be undone goes with its time.
        [&desk = desk_, effects](const Result<void>& kept) {
          if (kept) desk.Note(*effects);
        });
  }
  void Answered() { give_up_ = nullptr; }

 private:
  Desk& desk_;
  std::function<Result<void>(Records&)> give_up_;
  std::string caller_;
};

Desk::Desk(Database& database, const Clock& clock, telemetry::Metrics& metrics, Settings settings)
    : database_(database),
      clock_(clock),
      claims_(metrics.CounterOf("switchyard_orchestration_claims_total", {})),
      expired_(metrics.CounterOf("switchyard_orchestration_leases_expired_total", {})),
      dead_(metrics.CounterOf("switchyard_orchestration_dead_total", {})),
      forced_(metrics.CounterOf("switchyard_orchestration_locks_forced_total", {})),
      oldest_(metrics.GaugeOf("switchyard_orchestration_oldest_pending_seconds", {})),
      locks_held_(metrics.GaugeOf("switchyard_orchestration_locks", {"held"})),
      locks_waiting_(metrics.GaugeOf("switchyard_orchestration_locks", {"waiting"})),
      projects_(metrics.GaugeOf("switchyard_orchestration_projects_open", {})),
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

bool Desk::MayForce(const Principal& caller) const {
  const auto has = [&caller](const std::string& word) {
    return std::ranges::find(caller.roles, word) != caller.roles.end() ||
           std::ranges::find(caller.scopes, word) != caller.scopes.end();
  };
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(settings_.force_release, has);
}

void Desk::Note(const Records::Effects& effects) {
  if (effects.claimed > 0) claims_.Add(static_cast<std::uint64_t>(effects.claimed));
  if (effects.expired > 0) expired_.Add(static_cast<std::uint64_t>(effects.expired));
  if (effects.dead > 0) dead_.Add(static_cast<std::uint64_t>(effects.dead));
  if (effects.forced > 0) forced_.Add(static_cast<std::uint64_t>(effects.forced));
  if (effects.ready > 0) waiters_.Wake(effects.ready);
  for (const std::string& line : effects.lines) lines_.Wake(line);
}

switchyard::Task<Result<Answer>> Desk::RunOnce(const Operation& operation,
                                               const std::string& caller, const Deps& deps) {
  auto work = [run = operation.run, caller, now = WallNow(), settings = settings(),
               may_force = operation.may_force](Database::Transaction& sql) -> Result<Outcome> {
    Records records{.sql = sql, .now = now, .settings = settings, .caller = caller};
    records.may_force = may_force;
    Result<Answer> answer = run(records);
    if (!answer) return Failure(std::move(answer.error()));
    return Outcome{.answer = std::move(*answer), .effects = records.effects};
  };
  Result<Outcome> outcome = co_await Transact<Outcome>(database_, deps.executor(), std::move(work));
  if (!outcome) co_return Failure(std::move(outcome.error()));
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
  const std::shared_ptr<Waiters> line =
      operation.line.empty() ? nullptr : lines_.Of(operation.line);
  Waiters::Ticket ticket(line == nullptr ? waiters_ : *line, deps.timers, deps.executor());
  Leaving leaving(*this, operation, caller);
  for (bool woken = false;;) {
    Result<Answer> answer = co_await RunOnce(operation, caller, deps);
    if (answer && !answer->empty_handed) leaving.Answered();
    if (!answer || !answer->empty_handed || ending_) co_return answer;
    if (woken) ticket.PassOn();
    woken = co_await ticket.Wait(deadline.at());
    if (!woken) co_return answer;
  }
}

void Desk::EndWaits() {
  ending_ = true;
  waiters_.Wake(std::numeric_limits<std::int64_t>::max());
  lines_.WakeAll();
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
        Result<bool> locks = SweepLocks(records);
        if (!locks) return Failure(std::move(locks.error()));
        Result<bool> efforts = SweepEfforts(records);
        if (!efforts) return Failure(std::move(efforts.error()));
        *more = *more || *locks || *efforts;
        Result<QueueNumbers> queue = QueueOf(records);
        if (!queue) return Failure(std::move(queue.error()));
        Result<AgentNumbers> agents = AgentsOf(records);
        if (!agents) return Failure(std::move(agents.error()));
        Result<std::map<std::string, std::int64_t>> counters = CountersOf(records);
        if (!counters) return Failure(std::move(counters.error()));
        *swept = {.effects = records.effects,
                  .numbers = {.queue = *queue,
                              .agents = std::move(*agents),
                              .counters = std::move(*counters)},
                  .more = *more};
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
  const auto counter = [&numbers](const char* name) {
    const auto found = numbers.counters.find(name);
    return found == numbers.counters.end() ? 0 : found->second;
  };
  locks_held_->Set(counter("locks_held"));
  locks_waiting_->Set(counter("locks_waiting"));
  projects_->Set(counter("projects_open"));
  oldest_->Set(numbers.queue.oldest_pending_ms / 1000);
  for (std::size_t i = 0; i < kAgentStatuses.size(); ++i) {
    const auto found = numbers.agents.by_status.find(std::string(kAgentStatuses[i]));
    agents_[i]->Set(found == numbers.agents.by_status.end() ? 0 : found->second);
  }
}

}  // namespace switchyard::orchestration
