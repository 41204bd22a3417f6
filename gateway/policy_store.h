// What policies keep: in memory and, where `state.dir` is set, what is durable also in there.
// Thread-safe as its Store is; Open and Close are called before the first call and after the last.
#pragma once

#include <optional>

#include "approvals/desk.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "config/problem.h"
#include "store/ledger.h"
#include "store/memory.h"
#include "store/state_directory.h"

namespace switchyard {

class PolicyStore {
 public:
  PolicyStore(config::State settings, const Clock& clock);

  Store& store();
  // Both outlive this.
  void ReportTo(telemetry::Metrics& metrics) const { memory_.ReportTo(metrics); }
  // Takes the directory and reads what is there, and has the desk read and keep approvals in it.
  // An Error is kInvalid.
  Result<void> Open(telemetry::Metrics& metrics, approvals::Desk& desk);
  void Close();

  // Now and then, from any thread: forgets some of what changes no answer any more.
  void Sweep(TimePoint now) { memory_.Sweep(now); }

  // None of it changes as long as the process lives: puts it back, and says so.
  void Keep(config::State& wanted) const;

 private:
  const config::State settings_;
  store::MemoryStore memory_;
  std::optional<store::StateDirectory> directory_;
  store::Ledger ledger_;
};

// For `switchyard check`: whether what is in state.dir could be used. Changes nothing, and may be
// asked while a gateway uses it.
std::optional<config::Problem> StateProblem(const config::Config& config);

}  // namespace switchyard
