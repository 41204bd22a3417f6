#include <utility>

#include "config/read.h"
#include "config/rules.h"

namespace switchyard::config {
namespace {

// A policy's mapping, read for its problems and kept to be read again.
void ReadPolicy(Section& section, const PolicyKey& key, const PolicyStack& inherited,
                PolicyLevel& level) {
  if (const auto reason = key.not_at.find(level.level); reason != key.not_at.end()) {
    if (section.Has(key.name)) section.Error(key.name, "does nothing here: " + reason->second);
    return;
  }
  std::optional<Section> policy = section.Child(key.name);
  if (!policy) return;
  const EffectivePolicy farther = Resolve(key, inherited);
  Excerpt excerpt = policy->Keep();
  const auto parsed = key.parse(std::move(*policy), farther.settings.get());
  if (parsed != nullptr) level.by_name.emplace(key.name, std::move(excerpt));
}

}  // namespace

PolicyLevel ReadPolicies(Section& parent, std::span<const PolicyKey> keys,
                         const PolicyStack& inherited, PolicyLevel level) {
  std::optional<Section> section = parent.Child("policies");
  if (!section) return level;
  for (const PolicyKey& key : keys) ReadPolicy(*section, key, inherited, level);
  return level;
}

std::vector<PolicyLevel> ReadToolPolicies(Section& server, std::span<const PolicyKey> keys,
                                          const PolicyStack& inherited, const std::string& name) {
  std::vector<PolicyLevel> out;
  for (auto& [glob, section] : server.Children("tool_policies")) {
    if (!IsToolGlob(glob)) section.Error("", kToolGlobRule);
    PolicyLevel level{.level = Level::kTool, .name = name, .glob = glob, .by_name = {}};
    for (const PolicyKey& key : keys) ReadPolicy(section, key, inherited, level);
    section.Finish();
    out.push_back(std::move(level));
  }
  return out;
}

}  // namespace switchyard::config
