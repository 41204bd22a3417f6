// The orchestration service as a part of the gateway: its database in state.dir, the desk that its
// services on the workers share, and what of the configuration it goes by. Start, Reload and Close
// by the server's control; FaceOf, Tick and EndWaits from any thread in between.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "config/problem.h"
#include "core/agent_directory.h"
#include "core/deps.h"
#include "core/downstream.h"

namespace switchyard {

namespace fetch {
class Fetcher;
}
namespace orchestration {
class Desk;
struct Settings;
}  // namespace orchestration
namespace store {
class SqliteDatabase;
}
namespace telemetry {
class Metrics;
}

class OrchestrationRoom {
 public:
  // Both outlive it. `agents_changed`: see AgentDirectory.
  OrchestrationRoom(const Clock& clock, telemetry::Metrics& metrics,
                    std::function<void()> agents_changed = nullptr);
  ~OrchestrationRoom();  // Close()

  // Opens what is not open yet, if the configuration wants it, and changes nothing else: what was
  // opened stays until Close(). The directory is this process' own. An Error is kInvalid. The
  // fetcher is what calls ask models by, and outlives them. Its file is checked beside this, and
  // the service starts when that is over; only where rules go by what agents can do it is waited
  // for.
  Result<void> Open(const config::Config& config, fetch::Fetcher& fetcher);
  // What was opened goes by these limits from now on.
  void Configure(const config::Config& config, fetch::Fetcher& fetcher) const;
  // The gateway stops: nobody waits any more for a task to come.
  void EndWaits() const;
  // Answers what was submitted. Before the workers stop, for they are who is answered.
  void Close();

  // Makes the server's face on each worker, once it is configured; null: `server` is another one.
  // Not longer than this.
  using Face = std::function<std::shared_ptr<Downstream>(const Deps&)>;
  Face FaceOf(const config::Server& server) const;
  // About once a second.
  void Tick() const;
  // What agents can do, for rules that go by it.
  AgentDirectory& agents() { return agents_; }

 private:
  std::shared_ptr<orchestration::Desk> desk() const;
  Result<orchestration::Settings> SettingsOf(const config::Orchestration& config,
                                             fetch::Fetcher& fetcher) const;

  const Clock& clock_;
  telemetry::Metrics& metrics_;
  mutable AgentDirectory agents_;
  std::unique_ptr<store::SqliteDatabase> database_;
  mutable std::mutex mutex_;
  std::shared_ptr<orchestration::Desk> desk_;  // guarded by mutex_; null: nobody wants it
};

// For `switchyard check`: whether its file could be used. Changes nothing.
std::optional<config::Problem> OrchestrationProblem(const config::Config& config);

}  // namespace switchyard
