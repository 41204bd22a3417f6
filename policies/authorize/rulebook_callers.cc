// Which rules of a rulebook hold for a caller, and would with other scopes.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/endpoint_path.h"
#include "policies/authorize/rulebook.h"

namespace switchyard::policies::authorize {
namespace {

std::span<const std::string> WordsIn(const AgentDirectory::WordsPtr& agents) {
  return agents == nullptr ? std::span<const std::string>() : *agents;
}

}  // namespace

AgentDirectory::WordsPtr Rulebook::AgentsOf(const Principal& caller) const {
  return agents_ == nullptr ? nullptr : agents_->CapabilitiesOf(caller);
}

std::uint64_t Rulebook::AgentsVersion() const {
  return agents_ == nullptr ? 0 : agents_->version();
}

RuleSet Rulebook::Judge(const Principal& principal, const AgentDirectory::WordsPtr& agents,
                        std::string_view endpoint) const {
  const std::string path = config::PathOfEndpoint(endpoint);
  const std::span<const std::string> words = WordsIn(agents);
  std::vector<bool> holds(whos_.size());
  for (std::size_t i = 0; i < whos_.size(); ++i) holds[i] = whos_[i]->Holds(principal, words);
  RuleSet set(rules_.size());
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (holds[who_of_[i]] && rules_[i]->what.IsAtEndpoint(path)) set.Add(i);
  }
  return set;
}

std::shared_ptr<const RuleSet> Rulebook::RulesFor(const Caller& caller,
                                                  std::string_view endpoint) const {
  Shard& shard = shards_.at((reinterpret_cast<std::uintptr_t>(caller.get()) / 64) % kShards);
  // Before what it stands for is asked for: what changes in between is asked for again.
  const std::uint64_t version = AgentsVersion();
  const auto find = [&](const Known& known) -> std::shared_ptr<const RuleSet> {
    for (const auto& [name, set] : known.by_endpoint) {
      if (name == endpoint) return set;
    }
    return nullptr;
  };
  {
    const std::lock_guard lock(shard.mutex);
    const auto known = shard.known.find(caller.get());
    if (known != shard.known.end() && known->second.version == version) {
      if (auto set = find(known->second)) return set;
    }
  }
  const AgentDirectory::WordsPtr agents = AgentsOf(*caller);
  {
    // Mostly the agents of somebody else are others.
    const std::lock_guard lock(shard.mutex);
    const auto known = shard.known.find(caller.get());
    if (known != shard.known.end() && known->second.agents == agents) {
      known->second.version = version;
      if (auto set = find(known->second)) return set;
    }
  }
  auto set = std::make_shared<const RuleSet>(Judge(*caller, agents, endpoint));
  const std::lock_guard lock(shard.mutex);
  if (shard.known.size() >= kMaxCallers / kShards) shard.known.clear();
  Known& known = shard.known[caller.get()];
  known.caller = caller;
  if (known.agents != agents) known.by_endpoint.clear();
  known.agents = agents;
  known.version = version;
  if (find(known) == nullptr) known.by_endpoint.emplace_back(endpoint, set);
  return set;
}

std::vector<std::string> Rulebook::ScopesFor(const RuleSet& of_server, const Principal& caller,
                                             std::string_view endpoint,
                                             const Question& question) const {
  const std::string path = config::PathOfEndpoint(endpoint);
  const AgentDirectory::WordsPtr agents = AgentsOf(caller);
  std::vector<std::string> fewest;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = *rules_[i];
    if (rule.effect == Effect::kDeny || !rule.what.uses[BitOf(question.use)]) continue;
    if (!of_server.Has(i) || !rule.what.Has(question.kind, question.name)) continue;
    if (!rule.what.IsAtEndpoint(path)) continue;
    auto scopes = rule.who.ScopesToHold(caller, WordsIn(agents));
    if (!scopes || scopes->empty() || rule.who.Holds(caller, WordsIn(agents))) continue;
    if (!fewest.empty() && fewest.size() <= scopes->size()) continue;
    if (rule.when.Judge(question.arguments, question.now) != Holds::kYes) continue;
    fewest = std::move(*scopes);
  }
  return fewest;
}

}  // namespace switchyard::policies::authorize
