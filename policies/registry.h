// The policies that exist, in the order of order.def: their keys for the configuration reader, and
// the chain of one endpoint (kCall) or one server (kServer).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "core/policy.h"

namespace switchyard::telemetry {
class CallLog;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::policies {

// What policies may use. All of it outlives them.
struct PolicyDeps {
  std::string name;  // of the server (kServer) or the endpoint ("" = /mcp; kCall)
  const Clock& clock;
  telemetry::Metrics& metrics;
  telemetry::CallLog* call_log = nullptr;  // null = no lines
};

// For config::Load: key and parser of every policy, in the order of order.def.
std::vector<config::PolicyKey> PolicyKeys();

// What applies at a level: its own settings, else those of the enclosing level.
config::PolicySettings Effective(const config::PolicySettings& enclosing,
                                 const config::PolicySettings& own);

// The policies of a stage, outermost first; one that `settings` does not name gets its defaults.
// Made once per endpoint or server and shared by all workers: a policy's counters are those of the
// whole process. A policy outlives the calls that wait in its Handle(), not the Replies it gave.
std::vector<std::shared_ptr<const Policy>> MakeChain(Stage stage,
                                                     const config::PolicySettings& settings,
                                                     const PolicyDeps& deps);

}  // namespace switchyard::policies
