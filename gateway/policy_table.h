// One configuration's settings of all policies, for every place that a call can have: resolved once
// for each endpoint, server and set of a server's globs, and then shared. Whatever a scope counts
// in is bound at once, so that a table that takes another's place while both live keeps its counts.
// Thread-safe; not on the way of a call (what it gives out is).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "config/config.h"
#include "core/policy.h"
#include "core/policy_set.h"

namespace switchyard {

class PolicyTable {
 public:
  using Policies = std::vector<std::shared_ptr<const Policy>>;

  // `keys` and `policies` by slot.
  PolicyTable(const config::Config& config, std::vector<config::PolicyKey> keys, Policies policies);

  // Never null. A place that is not configured is like one that says nothing.
  std::shared_ptr<const PolicySet> For(const PolicyPlace& place) const;

 private:
  // Beyond so many, sets are made for each tool: what a server lists cannot fill the memory.
  static constexpr std::size_t kMaxSets = 100'000;

  struct Endpoint {
    config::PolicyLevel level;
    std::vector<std::string> servers;  // empty = all
  };
  struct Server {
    config::PolicyLevel level;
    std::vector<config::PolicyLevel> tools;
    std::vector<std::string> peers;  // in its group
  };
  using Key = std::tuple<std::string, std::string, config::PolicyStack>;  // endpoint, server, globs
  using Slots = std::vector<std::shared_ptr<const void>>;
  using Parsed = std::map<std::vector<const config::Excerpt*>, config::EffectivePolicy>;

  void BindAll();
  std::shared_ptr<const PolicySet> Set(const std::string& endpoint, const std::string& server,
                                       const config::PolicyStack& globs) const;
  Slots Bind(const Key& key) const;
  std::shared_ptr<const PolicySet> Make(Slots slots) const;
  config::EffectivePolicy ParsedFor(std::size_t slot, const config::PolicyStack& stack) const;

  const std::vector<config::PolicyKey> keys_;
  const Policies policies_;
  const config::PolicyLevel global_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;  // those that say something
  std::map<std::string, Server, std::less<>> servers_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  mutable std::map<Key, std::shared_ptr<const PolicySet>> sets_;
  mutable std::vector<Parsed> parsed_;  // by slot
};

}  // namespace switchyard
