// What the policies go by for a call: for each policy, by its place in policies/order.def, the
// settings of the nearest levels of the configuration that speak for the call (a tool's globs, its
// server, its endpoint, global), found out once when the catalog is built.
//
// Immutable; safe to read from any thread. Owned by the catalog or the server's route; a call
// borrows it in its Target, for as long as the Target's pin.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/policy_key.h"

namespace switchyard {

class PolicySet {
 public:
  static constexpr std::size_t kMostPolicies = 64;
  using Slots = std::bitset<kMostPolicies>;

  // Null entries: nothing was said, and the policy has nothing else to keep. `off`: those that do
  // nothing with what goes by this set (Policy::IsOff). `sight_key`: see there.
  explicit PolicySet(std::vector<std::shared_ptr<const void>> by_slot, Slots off = {},
                     std::uint64_t sight_key = 0)
      : owned_(std::move(by_slot)), off_(off), sight_key_(sight_key) {}

  const void* At(std::size_t slot) const {
    return slot < owned_.size() ? owned_[slot].get() : nullptr;
  }
  bool IsOff(std::size_t slot) const { return off_[slot]; }
  // Two sets that differ in it show what goes by them to other callers, perhaps (Policy::SightKey).
  std::uint64_t sight_key() const { return sight_key_; }

 private:
  const std::vector<std::shared_ptr<const void>> owned_;
  const Slots off_;
  const std::uint64_t sight_key_;
};

// The place of calls: an endpoint ("" = /mcp), a server ("" = none is meant) and a tool by the
// server's own name (absent = none that is known).
struct PolicyPlace {
  std::string_view endpoint;
  std::string_view server;
  std::optional<std::string_view> tool = std::nullopt;
};

// Never null. Thread-safe.
using FindPolicySet = std::function<std::shared_ptr<const PolicySet>(const PolicyPlace&)>;

// Whom the settings of one policy are for: what a policy counts by, so that a limit set for some
// tools counts these tools alone. Borrowed for the length of one call of Policy::Bind().
struct PolicyScope {
  using Level = config::Level;
  Level level = Level::kGlobal;  // the nearest that says something of the policy; none = global
  std::string_view endpoint;     // as in PolicyPlace
  std::string_view server;
  std::string_view glob;  // over the server's own tool names; of kTool only
  // The other members of the server's group: what is written to one of them is written to all.
  std::span<const std::string> peers = {};

  enum class Counts : std::uint8_t {
    kAsSet,      // as far as the level reaches: a global limit is one for all servers
    kPerServer,  // never across servers
  };
  // The same text for whatever shares a count; stays the same across a reload.
  std::string Key(Counts counts) const;
  // In words, to follow "busy: ": `server billing`, `tools delete_* of server billing`.
  std::string Words() const;
};

}  // namespace switchyard
