// What all workers share of the orchestration service: the database, the limits, who waits for a
// task, what is counted, and the time. One a process; outlives the services, and what it submitted
// to the database. Thread-safe.
//
// Its time is that of the wall clock as long as that runs as a clock does. Where it jumps, by hand
// or because the machine slept, leases jump with it at the next Tick(): agents lose none by that.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "core/agent_directory.h"
#include "core/database.h"
#include "core/deps.h"
#include "core/principal.h"
#include "orchestration/census.h"
#include "orchestration/lines.h"
#include "orchestration/records.h"
#include "orchestration/tool.h"
#include "orchestration/vouching.h"
#include "orchestration/waiters.h"
#include "orchestration/waiting/places.h"
#include "orchestration/waiting/watches.h"

namespace switchyard::telemetry {
class Counter;
class Gauge;
class Histogram;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::orchestration {

// How agents are counted, see Agent::StatusAt().
inline constexpr std::array<std::string_view, 5> kShownStatuses = {"available", "idle", "working",
                                                                   "offline", "error"};
// A wall clock that is off by more milliseconds since the last look was set; by less, it is
// adjusted.
inline constexpr std::int64_t kJump = 2000;

class Desk {
 public:
  // All outlive it; the database is closed by its end. Leases go on from now: nobody could renew
  // them.
  // `agents` is told what agents can do; null: nobody asks.
  Desk(Database& database, const Clock& clock, telemetry::Metrics& metrics, Settings settings,
       AgentDirectory* agents = nullptr);

  // Runs it and answers after the commit; one that may wait does, until there is something or the
  // time is over. kDeadline where the database does not answer by then; kRateLimited where too much
  // waits for it, or too many wait here. On the thread of `deps`.
  switchyard::Task<Result<Answer>> Run(Operation operation, std::string caller, Deadline deadline,
                                       const Deps& deps);

  // Once the records can be used; an Error where they cannot until the gateway starts again. On the
  // thread of `deps`.
  switchyard::Task<Result<void>> Opened(const Deps& deps);

  // About once a second, from any thread: takes back what nobody keeps alive, forgets what is over
  // for long, and has the metrics know.
  void Tick();

  // The gateway stops: polls that wait are answered with what there is. Any thread.
  void EndWaits();

  // Of later operations.
  void Change(Settings settings);
  std::size_t waiting() const { return waiters_.size(); }
  // What the configuration gives this caller; kForbidden unless it may use the tool.
  Result<Rights> RightsOf(const Principal& caller, std::string_view tool) const;
  // Models that split tasks; null = none.
  std::shared_ptr<const Planners> planners() const { return settings()->planners; }
  // For who wants to hear of changes (waiting/listen.h).
  Watches& watches() { return watches_; }

 private:
  struct Numbers;
  class Leaving;
  // What a look at the clock does; each part is bounded, and what has more is done once more.
  struct Round {
    bool tasks = false, releasing = false, others = false;
    bool numbers = false;  // for the metrics, and who has gone away: once a second is enough
    Census::Count agents = Census::Count::kNo;  // among the numbers
    bool any() const { return tasks || releasing || others; }
  };
  struct Looked;

  switchyard::Task<Result<Answer>> Await(const Operation& operation, const std::string& caller,
                                         TimePoint until, Deadline deadline, const Deps& deps);
  switchyard::Task<Result<Answer>> RunOnce(Operation operation, std::string caller,
                                           Deadline deadline, const Deps& deps);
  switchyard::Task<Result<Answer>> RunUntil(Operation operation, std::string caller,
                                            Deadline deadline, const Deps& deps);
  void Renew();
  void Look(Round round);
  Result<Looked> LookAround(Database::Transaction& sql, Round round, std::int64_t now,
                            std::int64_t jump, std::int64_t since, const Settings& settings);
  std::shared_ptr<const Settings> settings() const;
  std::int64_t Steady() const;  // milliseconds
  std::int64_t Now() const { return Steady() + to_wall_; }
  std::int64_t ToWall() const;  // from the steady clock's time, by what the wall clock shows now
  void Note(const Records::Effects& effects);
  void Publish(const Numbers& numbers);
  void TellIfFull(std::int64_t bytes, std::int64_t limit);

  Database& database_;
  const Clock& clock_;
  const Vouching vouching_;
  Waiters waiters_;
  Places places_;
  Lines lines_;  // of those who wait for something else than tasks
  Watches watches_;
  Census census_;
  std::atomic<std::int64_t> swept_at_ = -1;  // milliseconds since 1970; -1 = never
  std::atomic<bool> sweeping_{false}, ending_{false};
  std::atomic<std::int64_t> to_wall_;           // changed by Look() alone
  std::atomic<std::int64_t> forgets_from_ = 0;  // by the steady clock; nothing is forgotten before
  std::atomic<std::size_t> held_ = 0;           // bytes of operations that wait
  bool full_ = false;                           // the log says so; of Publish() alone
  telemetry::Counter &claims_, &expired_, &dead_, &sent_, &read_, &throttled_, &forced_;
  telemetry::Histogram &claim_seconds_, &pending_seconds_;
  std::vector<std::shared_ptr<telemetry::Gauge>> tasks_, agents_;
  std::shared_ptr<telemetry::Gauge> oldest_, sessions_, requests_, listening_;
  std::shared_ptr<telemetry::Gauge> locks_held_, locks_waiting_, projects_, bytes_, bytes_limit_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> settings_;  // guarded by mutex_; never null
};

}  // namespace switchyard::orchestration
