#include "policy_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace switchyard {

PolicyTable::PolicyTable(const config::Config& config, std::vector<config::PolicyKey> keys,
                         Policies policies)
    : keys_(std::move(keys)),
      policies_(std::move(policies)),
      global_(config.policies),
      parsed_(keys_.size()) {
  for (const auto& [name, endpoint] : config.endpoints) {
    if (endpoint.policies.by_name.empty()) continue;
    endpoints_.emplace(name, Endpoint{.level = endpoint.policies, .servers = endpoint.servers});
  }
  for (const auto& [name, server] : config.servers) {
    if (!server.enabled) continue;
    servers_.emplace(name,
                     Server{.level = server.policies, .tools = server.tool_policies, .peers = {}});
  }
  for (const auto& [name, group] : config.groups) {
    for (const std::string& member : group.servers) {
      const auto server = servers_.find(member);
      if (server == servers_.end()) continue;
      std::ranges::copy_if(group.servers, std::back_inserter(server->second.peers),
                           [&member](const std::string& other) { return other != member; });
    }
  }
  BindAll();
}

void PolicyTable::BindAll() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Key, Slots>> bound;
  const auto add = [this, &bound](const std::string& endpoint, const std::string& server,
                                  const config::PolicyStack& globs) {
    Key key(endpoint, server, globs);
    Slots slots = Bind(key);
    bound.emplace_back(std::move(key), std::move(slots));
  };
  const auto bind = [this, &add](const std::string& endpoint, const std::string& server) {
    add(endpoint, server, {});
    for (const config::PolicyLevel& tools : servers_.at(server).tools) {
      if (!tools.by_name.empty()) add(endpoint, server, {&tools});
    }
  };
  add("", "", {});
  for (const auto& [server, levels] : servers_) bind("", server);
  for (const auto& [name, endpoint] : endpoints_) {
    add(name, "", {});
    for (const auto& [server, levels] : servers_) {
      const std::vector<std::string>& chosen = endpoint.servers;
      const bool serves = chosen.empty() || std::ranges::find(chosen, server) != chosen.end();
      if (serves) bind(name, server);
    }
  }
  // Not before all are bound: a rule at one place may be what another is not off for, as for the
  // other members of a group.
  for (auto& [key, slots] : bound) {
    if (sets_.size() < kMaxSets) sets_.try_emplace(std::move(key), Make(std::move(slots)));
  }
}

std::shared_ptr<const PolicySet> PolicyTable::For(const PolicyPlace& place) const {
  // Endpoints that say nothing share what is bound for /mcp.
  const auto endpoint = endpoints_.find(place.endpoint);
  const auto server = servers_.find(place.server);
  config::PolicyStack globs;
  if (server != servers_.end() && place.tool) {
    globs = config::ToolLevelsFor(server->second.tools, *place.tool);
  }
  const std::lock_guard lock(mutex_);
  return Set(endpoint == endpoints_.end() ? "" : endpoint->first,
             server == servers_.end() ? "" : server->first, globs);
}

std::shared_ptr<const PolicySet> PolicyTable::Set(const std::string& endpoint,
                                                  const std::string& server,
                                                  const config::PolicyStack& globs) const {
  Key key(endpoint, server, globs);
  const auto known = sets_.find(key);
  if (known != sets_.end()) return known->second;
  std::shared_ptr<const PolicySet> made = Make(Bind(key));
  if (sets_.size() < kMaxSets) sets_.emplace(std::move(key), made);
  return made;
}

PolicyTable::Slots PolicyTable::Bind(const Key& key) const {
  const auto& [endpoint, server, globs] = key;
  std::span<const std::string> peers;
  config::PolicyStack stack = {&global_};
  if (const auto at = endpoints_.find(endpoint); at != endpoints_.end()) {
    stack.push_back(&at->second.level);
  }
  if (const auto to = servers_.find(server); to != servers_.end()) {
    stack.push_back(&to->second.level);
    peers = to->second.peers;
  }
  stack.insert(stack.end(), globs.begin(), globs.end());
  Slots by_slot;
  by_slot.reserve(policies_.size());
  for (std::size_t slot = 0; slot < policies_.size(); ++slot) {
    const config::EffectivePolicy policy = ParsedFor(slot, stack);
    PolicyScope scope{.endpoint = endpoint, .server = server, .glob = {}, .peers = peers};
    if (policy.nearest != nullptr) {
      scope.level = policy.nearest->level;
      scope.glob = policy.nearest->glob;
    }
    by_slot.push_back(policies_[slot]->Bind(policy.settings, scope));
  }
  return by_slot;
}

std::shared_ptr<const PolicySet> PolicyTable::Make(Slots slots) const {
  PolicySet::Slots off;
  const PolicySet bound(slots);
  std::uint64_t sight_key = 0;
  for (std::size_t slot = 0; slot < policies_.size(); ++slot) {
    off[slot] = policies_[slot]->IsOff(bound);
    sight_key = sight_key * 31 + policies_[slot]->SightKey(bound);
  }
  return std::make_shared<const PolicySet>(std::move(slots), off, sight_key);
}

// The same mappings on top of each other are read once, whoever's calls they are for.
config::EffectivePolicy PolicyTable::ParsedFor(std::size_t slot,
                                               const config::PolicyStack& stack) const {
  std::vector<const config::Excerpt*> mappings;
  for (const config::PolicyLevel* level : stack) {
    if (const config::Excerpt* said = level->Find(keys_[slot].name)) mappings.push_back(said);
  }
  Parsed& parsed = parsed_[slot];
  const auto known = parsed.find(mappings);
  if (known != parsed.end()) return known->second;
  config::EffectivePolicy made = config::Resolve(keys_[slot], stack);
  if (parsed.size() < kMaxSets) parsed.emplace(std::move(mappings), made);
  return made;
}

}  // namespace switchyard
