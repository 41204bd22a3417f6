// Who says what of policies, and what comes of it for a call. Four levels, key by key, the nearest
// wins:
//
//   policies                              all calls
//   endpoints.<e>.policies                calls that come in at /mcp/<e>
//   servers.<s>.policies                  calls that go to the server
//   servers.<s>.tool_policies.<glob>      calls of those of its tools; of several globs that match,
//                                         the more specific is nearer (base/glob.h), then the later
//
// Each policy's mapping is kept as it stands in the file and read level by level, on what the
// levels before it gave, for each combination of levels that is asked for.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/policy_key.h"
#include "config/section.h"

namespace switchyard::config {

struct Config;

// What stands at one place. Copies share what they hold; safe to read from any thread.
struct PolicyLevel {
  Level level = Level::kGlobal;
  std::string name = {};  // of the endpoint or server
  std::string glob = {};  // of kTool
  std::map<std::string, Excerpt> by_name = {};

  const Excerpt* Find(const std::string& policy) const {
    const auto found = by_name.find(policy);
    return found == by_name.end() ? nullptr : &found->second;
  }
};

// Farthest first. Pointers into the configuration.
using PolicyStack = std::vector<const PolicyLevel*>;

// The levels that speak for the calls of a place: those that say something of any policy. An empty
// name is nobody; `tool` is the server's own name, empty = no tool that is known.
PolicyStack LevelsFor(const Config& config, std::string_view endpoint, std::string_view server,
                      std::string_view tool);
// Of the globs of one server, farthest first.
PolicyStack ToolLevelsFor(const std::vector<PolicyLevel>& globs, std::string_view tool);

// One value of a policy as it is in effect, and who gave it.
struct EffectiveValue {
  std::string key;
  std::string value;
  const PolicyLevel* level = nullptr;  // null = the default
  std::string path;                    // of the key in the file
  Mark at;
};

struct EffectivePolicy {
  std::shared_ptr<const void> settings;  // null when no level names it
  const PolicyLevel* nearest = nullptr;  // that names it
  std::vector<EffectiveValue> values;    // when asked for
  std::string why_off;                   // the same; "" = it does something
};

enum class WithValues : bool { kNo, kYes };

// Problems, where given, are added to `problems`: what a level says may contradict another one.
EffectivePolicy Resolve(const PolicyKey& key, std::span<const PolicyLevel* const> levels,
                        WithValues with_values = WithValues::kNo, Problems* problems = nullptr);

// Reads all combinations of levels that a call can meet, for the problems that are in none alone.
// Each level was read by itself before.
void CheckCombinations(const Config& config, std::span<const PolicyKey> keys, Problems& problems);

// What is said at some level and good for nothing there, since another policy is off for all calls
// of it (PolicyKey::needs).
void CheckNeeds(const Config& config, std::span<const PolicyKey> keys, Problems& problems);

}  // namespace switchyard::config
