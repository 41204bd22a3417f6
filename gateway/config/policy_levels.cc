#include "config/policy_levels.h"

#include <algorithm>
#include <utility>

#include "base/glob.h"
#include "config/config.h"
#include "config/redact.h"
#include "config/remembered.h"

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
    }
    if (settings != nullptr) out.settings = std::move(settings);
    out.nearest = level;
  }
  return out;
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
