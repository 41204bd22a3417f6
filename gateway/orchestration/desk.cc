#include "orchestration/desk.h"

#include <chrono>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/transact.h"
#include "orchestration/moves.h"
#include "orchestration/size.h"
#include "orchestration/statistics.h"
#include "telemetry/metrics.h"

namespace switchyard::orchestration {
namespace {

// An answer still has to reach its client within the deadline.
constexpr Duration kToAnswer = std::chrono::milliseconds(200);

// Of operations that wait for the database.
constexpr std::size_t kMostHeld = std::size_t{64} << 20;

struct Outcome {
  Answer answer;
  Records::Effects effects;
};

// A part of what waits, as long as it does.
class Share {
 public:
  Share(std::atomic<std::size_t>& sum, std::size_t bytes) : sum_(sum), bytes_(bytes) {}
  Share(const Share&) = delete;
  ~Share() { sum_ -= bytes_; }

 private:
  std::atomic<std::size_t>& sum_;
  const std::size_t bytes_;
};

std::int64_t SteadyOf(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now().time_since_epoch())
      .count();
}

std::shared_ptr<Share> ShareOf(std::atomic<std::size_t>& sum, std::size_t bytes) {
  if (sum.fetch_add(bytes) + bytes <= kMostHeld) return std::make_shared<Share>(sum, bytes);
  sum -= bytes;
  return nullptr;
}

}  // namespace

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
        [&desk = desk_, effects, give_up = std::move(give_up_), caller = std::move(caller_),
         settings = desk_.settings()](Database::Transaction& sql) {
          Records records{.sql = sql, .now = desk.Now(), .settings = *settings, .caller = caller};
          Result<void> done = give_up(records);
          *effects = std::move(records.effects);
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

Desk::Desk(Database& database, const Clock& clock, telemetry::Metrics& metrics, Settings settings,
           AgentDirectory* agents)
    : database_(database),
      clock_(clock),
      vouching_(agents),
      to_wall_(ToWall()),
      claims_(metrics.CounterOf("switchyard_orchestration_claims_total", {})),
      expired_(metrics.CounterOf("switchyard_orchestration_leases_expired_total", {})),
      dead_(metrics.CounterOf("switchyard_orchestration_dead_total", {})),
      sent_(metrics.CounterOf("switchyard_orchestration_messages_sent_total", {})),
      read_(metrics.CounterOf("switchyard_orchestration_messages_read_total", {})),
      throttled_(metrics.CounterOf("switchyard_orchestration_messages_throttled_total", {})),
      forced_(metrics.CounterOf("switchyard_orchestration_locks_forced_total", {})),
      claim_seconds_(metrics.HistogramOf("switchyard_orchestration_claim_seconds",
                                         telemetry::Histogram::kOfMachines)),
      pending_seconds_(metrics.HistogramOf("switchyard_orchestration_pending_seconds")),
      oldest_(metrics.GaugeOf("switchyard_orchestration_oldest_pending_seconds", {})),
      sessions_(metrics.GaugeOf("switchyard_orchestration_sessions_open", {})),
      requests_(metrics.GaugeOf("switchyard_orchestration_assistance_open", {})),
      listening_(metrics.GaugeOf("switchyard_orchestration_watches", {})),
      locks_held_(metrics.GaugeOf("switchyard_orchestration_locks", {"held"})),
      locks_waiting_(metrics.GaugeOf("switchyard_orchestration_locks", {"waiting"})),
      projects_(metrics.GaugeOf("switchyard_orchestration_projects_open", {})),
      bytes_(metrics.GaugeOf("switchyard_orchestration_bytes", {})),
      bytes_limit_(metrics.GaugeOf("switchyard_orchestration_bytes_limit", {})),
      settings_(std::make_shared<const Settings>(std::move(settings))) {
  vouching_.Trust(*settings_);
  Renew();
  for (int status = 0; status < kStatuses; ++status) {
    for (int priority = 0; priority < kPriorities; ++priority) {
      tasks_.push_back(metrics.GaugeOf("switchyard_orchestration_tasks",
                                       {std::string(ToString(static_cast<Status>(status))),
                                        std::string(ToString(static_cast<Priority>(priority)))}));
    }
  }
  for (const std::string_view status : kShownStatuses) {
    agents_.push_back(metrics.GaugeOf("switchyard_orchestration_agents", {std::string(status)}));
  }
}

std::shared_ptr<const Settings> Desk::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Desk::Change(Settings settings) {
  vouching_.Trust(settings);
  auto changed = std::make_shared<const Settings>(std::move(settings));
  const std::lock_guard lock(mutex_);
  settings_.swap(changed);
  census_.Changed();  // who is away goes by them
}

std::int64_t Desk::Steady() const { return SteadyOf(clock_); }

std::int64_t Desk::ToWall() const {
  for (;;) {
    const std::int64_t steady = Steady();
    const auto wall = clock_.WallNow().time_since_epoch();
    // A pause between the two looks is no jump.
    if (Steady() - steady > kJump / 2) continue;
    return std::chrono::duration_cast<std::chrono::milliseconds>(wall).count() - steady;
  }
}

// The first of all that the database is asked. It may have to be checked before.
void Desk::Renew() {
  const auto vouched = std::make_shared<Vouched>();
  database_.Submit(
      [vouching = vouching_, vouched, &clock = clock_, to_wall = to_wall_.load(),
       settings = settings()](Database::Transaction& sql) -> Result<void> {
        const std::int64_t now = SteadyOf(clock) + to_wall;
        Records records{.sql = sql, .now = now, .settings = *settings, .caller = {}};
        Result<void> read = vouching.Read(records, *vouched);
        return read ? GoOnWithLeases(records) : read;
      },
      [vouching = vouching_, vouched](const Result<void>& kept) {
        if (!kept) spdlog::error("orchestration: {}", kept.error().message);
        if (kept) vouching.Publish(*vouched);
      });
}

void Desk::Note(const Records::Effects& effects) {
  if (effects.claimed > 0) claims_.Add(static_cast<std::uint64_t>(effects.claimed));
  for (const std::int64_t waited : effects.pending) {
    pending_seconds_.Observe(std::chrono::milliseconds(waited));
  }
  if (effects.expired > 0) expired_.Add(static_cast<std::uint64_t>(effects.expired));
  if (effects.dead > 0) dead_.Add(static_cast<std::uint64_t>(effects.dead));
  if (effects.sent > 0) sent_.Add(static_cast<std::uint64_t>(effects.sent));
  if (effects.read > 0) read_.Add(static_cast<std::uint64_t>(effects.read));
  if (effects.forced > 0) forced_.Add(static_cast<std::uint64_t>(effects.forced));
  if (effects.ready > 0) waiters_.Wake(effects.ready);
  for (const std::string& line : effects.lines) lines_.Wake(line);
  vouching_.Publish(effects);
  watches_.Changed(effects);
  if (!effects.agents.empty()) census_.Changed();
  // What waited for what is completed; all else can wait for its second.
  if (effects.more) Look({.releasing = true});
}

Result<Rights> Desk::RightsOf(const Principal& caller, std::string_view tool) const {
  const std::shared_ptr<const Settings> settings = this->settings();
  const Roles* const roles = settings->roles.get();
  const Rights rights = roles == nullptr ? Rights() : Rights(*roles, caller);
  if (Result<void> may = MayUse(tool, rights, roles); !may) {
    return Failure(std::move(may.error()));
  }
  return rights;
}

switchyard::Task<Result<void>> Desk::Opened(const Deps& deps) {
  Result<bool> opened = co_await Transact<bool>(
      database_, deps.executor(), [](Database::Transaction&) -> Result<bool> { return true; });
  if (!opened) co_return Failure(std::move(opened.error()));
  co_return Result<void>();
}

switchyard::Task<Result<Answer>> Desk::RunOnce(Operation operation, std::string caller,
                                               Deadline deadline, const Deps& deps) {
  auto share = ShareOf(held_, operation.bytes);
  if (share == nullptr) {
    co_return Failure(Error{.code = Code::kRateLimited,
                            .retryable = true,
                            .message = "server orchestration: calls of more than " +
                                       std::to_string(kMostHeld) +
                                       " bytes wait for its records already; try again in a "
                                       "moment"});
  }
  // The time is asked for when it runs: one before it may have moved the leases.
  auto work = [this, share = std::move(share), run = std::move(operation.run),
               rights = operation.rights, caller = std::move(caller),
               settings = settings()](Database::Transaction& sql) -> Result<Outcome> {
    Records records{
        .sql = sql, .now = Now(), .settings = *settings, .caller = caller, .rights = rights};
    Result<Answer> answer = run(records);
    if (!answer) return Failure(std::move(answer.error()));
    return Outcome{.answer = std::move(*answer), .effects = std::move(records.effects)};
  };
  // Others are told even if who asked is gone by then.
  auto kept = [this, begun = clock_.Now()](const Outcome& done) {
    if (done.effects.claimed > 0) claim_seconds_.Observe(clock_.Now() - begun);
    Note(done.effects);
  };
  Patience patience{.until = deadline.at(), .only_heard = operation.only_heard};
  if (!deadline.never()) patience.timers = &deps.timers;
  Result<Outcome> outcome = co_await Transact<Outcome>(database_, deps.executor(), std::move(work),
                                                       std::move(kept), patience);
  if (!outcome) {
    const Error& why = outcome.error();
    if (why.origin == Origin::kClient && why.code == Code::kRateLimited) throttled_.Add();
    if (why.origin == Origin::kGateway && why.code == Code::kTooLarge) {
      co_return Failure(AtHardBound(*settings()));
    }
    co_return Failure(std::move(outcome.error()));
  }
  co_return std::move(outcome->answer);
}

switchyard::Task<Result<Answer>> Desk::Await(const Operation& operation, const std::string& caller,
                                             TimePoint until, Deadline deadline, const Deps& deps) {
  // Before it looks: what comes in between wakes it.
  Watches::Watch watch(watches_, deps.executor(), {Subject{.task = operation.awaits}});
  for (;;) {
    watch.Take();
    Result<Answer> answer = co_await RunOnce(operation, caller, deadline, deps);
    if (!answer || !answer->empty_handed || ending_) co_return answer;
    const bool woken = co_await watch.WaitUntil(until, deps.timers);
    if (!woken) co_return answer;
  }
}

// Most wait for nothing, and need no frame for that.
switchyard::Task<Result<Answer>> Desk::Run(Operation operation, std::string caller,
                                           Deadline deadline, const Deps& deps) {
  const bool waits = operation.wait_ms != 0;
  return waits ? RunUntil(std::move(operation), std::move(caller), deadline, deps)
               : RunOnce(std::move(operation), std::move(caller), deadline, deps);
}

// `deadline` is the call's own: it waits shorter.
switchyard::Task<Result<Answer>> Desk::RunUntil(Operation operation, std::string caller,
                                                Deadline deadline, const Deps& deps) {
  const Result<Places::Place> place = places_.Take(caller);
  if (!place) co_return Failure(place.error());
  const Deadline whole = deadline;
  deadline.ShrinkTo(deadline.never() ? deadline : Deadline(deadline.at() - kToAnswer));
  deadline.ShrinkTo(deps.clock.Now() + std::chrono::milliseconds(operation.wait_ms));
  if (operation.awaits != 0) {
    Result<Answer> answer = co_await Await(operation, caller, deadline.at(), whole, deps);
    co_return answer;
  }
  // In the line before it looks: what comes in between wakes it.
  const std::shared_ptr<Waiters> line =
      operation.line.empty() ? nullptr : lines_.Of(operation.line);
  Waiters::Ticket ticket(line == nullptr ? waiters_ : *line, deps.timers, deps.executor());
  Leaving leaving(*this, operation, caller);
  for (bool woken = false;;) {
    Result<Answer> answer = co_await RunOnce(operation, caller, whole, deps);
    if (answer && !answer->empty_handed) leaving.Answered();
    if (answer && answer->took) {
      ticket.Took();
    } else if (woken) {
      ticket.PassOn();
    }
    if (!answer || !answer->empty_handed || ending_) co_return answer;
    woken = co_await ticket.Wait(deadline.at());
    if (!woken) co_return answer;
  }
}

void Desk::EndWaits() {
  ending_ = true;
  waiters_.Wake(std::numeric_limits<std::int64_t>::max());
  lines_.WakeAll();
  watches_.WakeAll();
}

}  // namespace switchyard::orchestration
