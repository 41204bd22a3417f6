// The policies that exist, in the order of order.def: their keys for the configuration reader, the
// policies themselves, and how each finds what it goes by for a call.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/policy_key.h"
#include "core/call.h"
#include "core/policy.h"

namespace switchyard {
class AccountVersions;
class AgentDirectory;
class Sealer;
class Store;
}  // namespace switchyard

namespace switchyard::approvals {
class Desk;
}

namespace switchyard::audit {
class Sink;
}

namespace switchyard::fetch {
class Fetcher;
}

namespace switchyard::telemetry {
class CallLog;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::policies {

class States;

// What policies learn of one another, none of which knows the others.
struct Between {
  // What a call costs at least, in millionths; nullopt: nobody has priced it. Set by budget.
  std::function<std::optional<std::int64_t>(const Call&)> price = nullptr;
  // Whether any rule of authorize ever wanted an approval; it says of which call in its notes.
  std::atomic<bool> approvals{false};
};

// What policies may use. All of it outlives them.
struct PolicyDeps {
  const Clock& clock;
  telemetry::Metrics& metrics;
  telemetry::CallLog* call_log = nullptr;    // null = no lines
  std::function<double()> random = nullptr;  // in [0, 1), any thread; null = the thread's own
  Store* store = nullptr;                    // of the process; null only in tests that need none
  States* states = nullptr;                  // null = nothing is shared or outlives a reload
  const Sealer* sealer = nullptr;            // of what clients are handed and bring back
  switchyard::audit::Sink* audit = nullptr;  // null = no records
  fetch::Fetcher* fetcher = nullptr;         // null only in tests that need none
  switchyard::approvals::Desk* approvals = nullptr;  // null = nobody can approve anything
  AgentDirectory* agents = nullptr;                  // null = nobody knows what agents can do
  const AccountVersions* accounts = nullptr;   // of callers at servers; null = they never change
  std::shared_ptr<Between> between = nullptr;  // MakePolicies() sets it; null: they know nothing
  // Lists are to be built anew: Policy::OutageOf() answers otherwise. Thread-safe, returns at once.
  std::function<void()> outages_changed = nullptr;  // null = nobody keeps lists
  std::size_t slot = 0;  // the policy's own place in order.def; MakePolicies() sets it
};

// How a policy reads its settings in Handle(): `const Config& config = settings_(call)`. T is what
// its Bind() gives (by default what its Parse() gives) and has a default constructor for calls that
// nobody said anything of. Costs three loads. What it gives lives as long as the call's target.
template <class T>
class SettingsOf {
 public:
  explicit SettingsOf(const PolicyDeps& deps) : slot_(deps.slot) {}

  const T& operator()(const Call& call) const {
    return call.target.policies == nullptr ? defaults_ : (*this)(*call.target.policies);
  }
  const T& operator()(const PolicySet& policies) const {
    const void* found = policies.At(slot_);
    return found == nullptr ? defaults_ : *static_cast<const T*>(found);
  }

 private:
  const std::size_t slot_;
  const T defaults_{};
};

// For config::Load: every policy's key, in the order of order.def.
std::vector<config::PolicyKey> PolicyKeys();

using Policies = std::vector<std::shared_ptr<const Policy>>;

// All of them, by slot. Made once a process; shared by all workers, endpoints and servers.
Policies MakePolicies(PolicyDeps deps);

// Those of one stage, outermost first: what a Chain is made of.
std::vector<PlacedPolicy> ChainOf(Stage stage, const Policies& all);

// What the first of them says that says anything: see Policy.
std::optional<Outage> OutageOf(const Policies& all, const PolicySet& set, std::string_view tool);
std::optional<std::string> StateWithin(const Policies& all, std::string_view state);
bool StandsIn(const Policies& all, const PolicySet& set);  // whether any of them does
// What none of them hides from a caller. They outlive it.
FindSight SightsOf(const Policies& all);
// What all of them bring for clients to use.
BuiltinTools ToolsOf(const Policies& all);

}  // namespace switchyard::policies
