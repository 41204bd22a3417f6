#include "config/policy_levels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/glob.h"
#include "config/config.h"
#include "config/redact.h"
#include "config/remembered.h"
#include "config/tree.h"

namespace switchyard::config {
namespace {

// A file that multiplies endpoints by servers by globs is read this often, not for hours.
constexpr std::size_t kMaxCombinations = 20'000;

void Push(PolicyStack& stack, const PolicyLevel& level) {
  if (!level.by_name.empty()) stack.push_back(&level);
}

// `rules[` of rules[0].limit: what belongs to one list.
std::string_view ListOf(std::string_view path) {
  const std::size_t bracket = path.find('[');
  return bracket == std::string_view::npos ? std::string_view() : path.substr(0, bracket + 1);
}

bool Serves(const Endpoint& endpoint, const std::string& server) {
  return endpoint.servers.empty() ||
         std::ranges::find(endpoint.servers, server) != endpoint.servers.end();
}

// What one level noted, over what those before it did.
void Merge(std::vector<EffectiveValue>& values, std::vector<Reading> readings,
           const PolicyLevel* level, const std::string& root) {
  std::vector<std::string> lists;  // given here, so that nothing of an earlier one is left
  for (const Reading& reading : readings) {
    const std::string_view list = ListOf(reading.path);
    if (!list.empty() && reading.given) lists.emplace_back(list);
  }
  std::erase_if(values, [&lists](const EffectiveValue& value) {
    return std::ranges::any_of(lists, [&](const auto& l) { return value.key.starts_with(l); });
  });
  for (Reading& reading : readings) {
    auto known = std::ranges::find(values, reading.path, &EffectiveValue::key);
    if (known != values.end() && !reading.given) continue;
    if (known == values.end()) {
      EffectiveValue value;
      value.key = reading.path;
      known = values.insert(known, std::move(value));
    }
    known->value = std::move(reading.value);
    if (!reading.given) continue;
    known->level = level;
    known->path = root + "." + reading.path;
    known->at = reading.at;
  }
}

// However its reader notes it. A query of a URL is as good as a secret.
std::string FitToShow(std::string_view value, const Excerpt& excerpt) {
  return RedactUrl(excerpt.environment->Hide(value, Text::kValue));
}

}  // namespace

std::string_view ToString(Level level) {
  switch (level) {
    case Level::kGlobal: return "global";
    case Level::kEndpoint: return "endpoint";
    case Level::kServer: return "server";
    case Level::kTool: return "tool";
  }
  return "global";
}

PolicyStack ToolLevelsFor(const std::vector<PolicyLevel>& globs, std::string_view tool) {
  PolicyStack found;
  for (const PolicyLevel& level : globs) {
    if (GlobMatches(level.glob, tool)) Push(found, level);
  }
  std::ranges::sort(found, [](const PolicyLevel* a, const PolicyLevel* b) {
    if (IsMoreSpecific(b->glob, a->glob)) return true;
    return !IsMoreSpecific(a->glob, b->glob) && a < b;  // as they stand in the file
  });
  return found;
}

PolicyStack LevelsFor(const Config& config, std::string_view endpoint, std::string_view server,
                      std::string_view tool) {
  PolicyStack stack;
  Push(stack, config.policies);
  const auto at = config.endpoints.find(std::string(endpoint));
  if (at != config.endpoints.end()) Push(stack, at->second.policies);
  const auto to = config.servers.find(std::string(server));
  if (to == config.servers.end()) return stack;
  Push(stack, to->second.policies);
  if (tool.empty()) return stack;
  const PolicyStack tools = ToolLevelsFor(to->second.tool_policies, tool);
  stack.insert(stack.end(), tools.begin(), tools.end());
  return stack;
}

EffectivePolicy Resolve(const PolicyKey& key, std::span<const PolicyLevel* const> levels,
                        WithValues with_values, Problems* problems) {
  EffectivePolicy out;
  if (with_values == WithValues::kYes) {
    Document nothing(Excerpt::Nothing());
    key.parse(std::move(*nothing.Root()), nullptr);
    Merge(out.values, nothing.readings(), nullptr, "");
    out.why_off = nothing.why_off();
    if (out.why_off.empty() && !nothing.on_unsaid()) out.why_off = "nothing sets it";
  }
  for (const PolicyLevel* level : levels) {
    const Excerpt* excerpt = level->Find(key.name);
    if (excerpt == nullptr) continue;
    Document document(*excerpt);
    std::shared_ptr<const void> settings =
        key.parse(std::move(*document.Root()), out.settings.get());
    if (problems != nullptr) problems->Add(document.problems());
    if (with_values == WithValues::kYes) {
      std::vector<Reading> readings = document.readings();
      for (Reading& reading : readings) reading.value = FitToShow(reading.value, *excerpt);
      Merge(out.values, std::move(readings), level, excerpt->path);
      out.why_off = document.why_off();
    }
    if (settings != nullptr) out.settings = std::move(settings);
    out.nearest = level;
  }
  return out;
}

namespace {

// Whether any call that goes by a level finds what a policy needs of another one.
class NeedCheck {
 public:
  NeedCheck(const Config& config, const Need& need, const PolicyKey& other, std::size_t& left)
      : config_(config), need_(need), other_(other), left_(left) {}

  bool IsMetSomewhere(const PolicyLevel& level) const {
    if (level.level != Level::kEndpoint && IsMetAt("", level)) return true;
    return std::ranges::any_of(config_.endpoints, [&](const auto& endpoint) {
      const bool is_his = level.level != Level::kEndpoint || &endpoint.second.policies == &level;
      return is_his && IsMetAt(endpoint.first, level);
    });
  }

 private:
  bool IsMetAt(const std::string& endpoint, const PolicyLevel& level) const {
    const bool of_one = level.level == Level::kServer || level.level == Level::kTool;
    return std::ranges::any_of(config_.servers, [&](const auto& server) {
      return (!of_one || server.first == level.name) && IsMetBy(endpoint, server.second, level);
    });
  }

  // Which globs fit the same tools is not asked: any of them may.
  bool IsMetBy(const std::string& endpoint, const Server& server, const PolicyLevel& level) const {
    PolicyStack stack = LevelsFor(config_, endpoint, server.name, "");
    if (level.level == Level::kTool) stack.push_back(&level);
    if (IsMet(stack)) return true;
    return std::ranges::any_of(server.tool_policies, [&](const PolicyLevel& tools) {
      stack.push_back(&tools);
      const bool met = IsMet(stack);
      stack.pop_back();
      return met;
    });
  }

  bool IsMet(const PolicyStack& stack) const {
    if (left_ == 0) return true;  // nobody can tell
    --left_;
    return need_.is_met(Resolve(other_, stack).settings.get());
  }

  const Config& config_;
  const Need& need_;
  const PolicyKey& other_;
  std::size_t& left_;
};

template <class Act>
void ForEachLevel(const Config& config, Act act) {
  act(config.policies);
  for (const auto& [name, endpoint] : config.endpoints) act(endpoint.policies);
  for (const auto& [name, server] : config.servers) {
    act(server.policies);
    for (const PolicyLevel& tools : server.tool_policies) act(tools);
  }
}

}  // namespace

void CheckNeeds(const Config& config, std::span<const PolicyKey> keys, Problems& problems) {
  if (config.servers.empty()) return;  // nobody is called
  std::size_t left = kMaxCombinations;
  for (const PolicyKey& key : keys) {
    const Need& need = key.needs;
    const auto other = std::ranges::find(keys, need.other, &PolicyKey::name);
    if (need.key.empty() || other == keys.end()) continue;
    const NeedCheck check(config, need, *other, left);
    ForEachLevel(config, [&](const PolicyLevel& level) {
      const Excerpt* const excerpt = level.Find(key.name);
      const Entry* const entry = excerpt == nullptr ? nullptr : excerpt->map->Find(need.key);
      if (entry == nullptr) return;
      const EffectivePolicy own = Resolve(key, std::array{&level});
      if (own.settings == nullptr || !need.exists(own.settings.get())) return;
      if (check.IsMetSomewhere(level)) return;
      problems.Error(entry->value->at, excerpt->path + "." + need.key, need.message);
    });
  }
}

void CheckCombinations(const Config& config, std::span<const PolicyKey> keys, Problems& problems) {
  std::size_t left = kMaxCombinations;
  const auto check = [&](const PolicyKey& key, const PolicyStack& stack) {
    if (left == 0 || stack.empty() || stack.back()->Find(key.name) == nullptr) return;
    --left;
    Resolve(key, stack, WithValues::kNo, &problems);
  };
  for (const auto& [endpoint_name, endpoint] : config.endpoints) {
    for (const PolicyKey& key : keys) {
      if (endpoint.policies.Find(key.name) == nullptr) continue;
      for (const auto& [server_name, server] : config.servers) {
        if (left == 0) return;
        if (!Serves(endpoint, server_name)) continue;
        PolicyStack stack = LevelsFor(config, endpoint_name, server_name, "");
        check(key, stack);
        for (const PolicyLevel& tools : server.tool_policies) {
          stack.push_back(&tools);
          check(key, stack);
          stack.pop_back();
        }
      }
    }
  }
}

}  // namespace switchyard::config
