// What all workers share of the orchestration service: the database, the limits, who waits for a
// task, and what is counted. One a process; outlives the services. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "core/database.h"
#include "core/deps.h"
#include "core/principal.h"
#include "orchestration/lines.h"
#include "orchestration/records.h"
#include "orchestration/tool.h"
#include "orchestration/waiters.h"

namespace switchyard::telemetry {
class Counter;
class Gauge;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::orchestration {

class Desk {
 public:
  // All outlive it.
  Desk(Database& database, const Clock& clock, telemetry::Metrics& metrics, Settings settings);

  // Runs it and answers after the commit; one that may wait does, until there is something or the
  // time is over. On the thread of `deps`.
  switchyard::Task<Result<Answer>> Run(Operation operation, std::string caller, Deadline deadline,
                                       const Deps& deps);

  // About once a second, from any thread: takes back what nobody keeps alive, forgets what is over
  // for long, and has the metrics know.
  void Tick();

  // Whether it may take locks away from agents of others.
  bool MayForce(const Principal& caller) const;

  // The gateway stops: polls that wait are answered with what there is. Any thread.
  void EndWaits();

  // Of later operations.
  void Change(Settings settings);
  std::size_t waiting() const { return waiters_.size(); }

 private:
  struct Numbers;
  class Leaving;

  switchyard::Task<Result<Answer>> RunOnce(const Operation& operation, const std::string& caller,
                                           const Deps& deps);
  Settings settings() const;
  std::int64_t WallNow() const;
  void Note(const Records::Effects& effects);
  void Publish(const Numbers& numbers);

  Database& database_;
  const Clock& clock_;
  Waiters waiters_;
  Lines lines_;  // of those who wait for something else than tasks
  std::atomic<bool> sweeping_{false}, ending_{false};
  telemetry::Counter &claims_, &expired_, &dead_, &forced_;
  std::vector<std::shared_ptr<telemetry::Gauge>> tasks_, agents_;
  std::shared_ptr<telemetry::Gauge> oldest_, locks_held_, locks_waiting_, projects_;

  mutable std::mutex mutex_;
  Settings settings_;  // guarded by mutex_
};

}  // namespace switchyard::orchestration
