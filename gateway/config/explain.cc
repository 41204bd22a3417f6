#include "config/explain.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>

#include "base/glob.h"
#include "config/endpoint_path.h"
#include "config/problem.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

namespace json = boost::json;

using Unexpected = std::unexpected<std::string>;

std::vector<std::string> NamesOfServers(const Config& config) {
  std::vector<std::string> names;
  names.reserve(config.servers.size());
  for (const auto& [name, server] : config.servers) names.push_back(name);
  return names;
}

bool Selects(const ToolFilter& filter, std::string_view name) {
  const auto matches = [name](const std::string& glob) { return GlobMatches(glob, name); };
  return (filter.include.empty() || std::ranges::any_of(filter.include, matches)) &&
         std::ranges::none_of(filter.exclude, matches);
}

const Endpoint* EndpointOf(const Config& config, const std::string& name) {
  const auto found = config.endpoints.find(name);
  return found == config.endpoints.end() ? nullptr : &found->second;
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Null: it stands for itself there.
const Group* GroupAt(const Config& config, const std::string& server, const Endpoint* endpoint) {
  const bool all = endpoint == nullptr || endpoint->servers.empty();
  for (const auto& [name, group] : config.groups) {
    if (!all && !Contains(endpoint->groups, name)) continue;
    if (Contains(group.servers, server)) return &group;
  }
  return nullptr;
}

std::string PrefixAt(const Config& config, const Server& server, const Endpoint* endpoint) {
  if (endpoint != nullptr && endpoint->transparent) return "";
  const Group* const group = GroupAt(config, server.name, endpoint);
  const std::string& prefix =
      group != nullptr ? group->effective_prefix() : server.effective_prefix();
  return prefix.empty() ? "" : prefix + "__";
}

// Why the tool is not offered there.
std::string NoteOn(const Config& config, const Server& server, const Endpoint* endpoint,
                   const std::string& tool) {
  if (!server.enabled) return "servers." + server.name + " is not enabled";
  if (!Selects(server.tools, tool)) return "servers." + server.name + ".tools does not offer it";
  if (endpoint == nullptr) return "";
  const std::string where = "endpoints." + endpoint->name;
  if (!Selects(endpoint->tools, PrefixAt(config, server, endpoint) + tool)) {
    return where + ".tools does not offer it";
  }
  return "";
}

std::expected<ExplainedTool, std::string> Found(const Config& config, const ExplainRequest& request,
                                                const std::string& server, std::string tool) {
  std::string note =
      NoteOn(config, config.servers.at(server), EndpointOf(config, request.endpoint), tool);
  ExplainedTool found{.endpoint = request.endpoint,
                      .server = server,
                      .tool = std::move(tool),
                      .note = std::move(note)};
  if (const Group* group = GroupAt(config, server, EndpointOf(config, request.endpoint))) {
    for (const std::string& member : group->servers) {
      const bool offers = NoteOn(config, config.servers.at(member),
                                 EndpointOf(config, request.endpoint), found.tool)
                              .empty();
      if (offers) found.members.push_back(member);
    }
  }
  return found;
}

// Whether a rule of authorize has calls wait for a person, by the settings of approval. As it is
// read, not as it is shown: no level takes rules from another one.
bool RequiresApproval(const PolicyStack& levels) {
  return std::ranges::any_of(levels, [](const PolicyLevel* level) {
    const Excerpt* const excerpt = level->Find("authorize");
    if (excerpt == nullptr) return false;
    Document document(*excerpt);
    std::optional<Section> policy = document.Root();
    return std::ranges::any_of(policy->Items("rules"), [](Section& rule) {
      return rule.String("effect") == "require_approval";
    });
  });
}

// What others have it do although its own settings say nothing of it, or the other way.
void HearOthers(EffectivePolicy& policy, const PolicyKey& key, const Config& config,
                const ExplainedTool& tool, const PolicyStack& levels) {
  if (key.name == "audit" && config.audit.path.empty()) policy.why_off = "no audit.path";
  // Of a group the others are asked, whatever is said of alternatives.
  if (key.name == "fallback" && tool.members.size() > 1) policy.why_off.clear();
  if (key.name == "approval" && RequiresApproval(levels)) policy.why_off.clear();
}

// The policy's own default, or one of the built-in service, which stands at no line.
bool IsBuiltIn(const EffectiveValue& value) { return value.level == nullptr || value.at.line == 0; }

// As a call of the tool meets it. Defaults of what does nothing say nothing.
EffectivePolicy Met(const Config& config, const PolicyKey& key, const ExplainedTool& tool,
                    const PolicyStack& levels) {
  EffectivePolicy policy = Resolve(key, levels, WithValues::kYes);
  HearOthers(policy, key, config, tool, levels);
  if (policy.why_off.empty()) return policy;
  std::erase_if(policy.values, IsBuiltIn);
  return policy;
}

json::object ToJson(const EffectiveValue& value, const std::string& file) {
  json::object out{{"key", value.key}, {"value", value.value}};
  if (IsBuiltIn(value)) {
    out["from"] = "default";
  } else {
    out["from"] = ToString(value.level->level);
    out["file"] = file;
    out["line"] = value.at.line;
    out["path"] = value.path;
  }
  return out;
}

std::string SourceOf(const EffectiveValue& value, const std::string& file) {
  if (IsBuiltIn(value)) return "default";
  return file + ":" + std::to_string(value.at.line) + " " + value.path;
}

}  // namespace

std::expected<ExplainedTool, std::string> FindTool(const Config& config,
                                                   const ExplainRequest& request) {
  const Endpoint* endpoint = EndpointOf(config, request.endpoint);
  if (!request.endpoint.empty() && endpoint == nullptr) {
    return Unexpected("there is no endpoint " + Quote(request.endpoint));
  }
  const auto serves = [endpoint](const std::string& server) {
    return endpoint == nullptr || endpoint->servers.empty() || Contains(endpoint->servers, server);
  };
  if (const std::size_t slash = request.tool.find('/'); slash != std::string::npos) {
    const std::string server = request.tool.substr(0, slash);
    if (!config.servers.contains(server)) {
      const std::vector<std::string> names = NamesOfServers(config);
      return Unexpected("there is no server " + Quote(server) + DidYouMean(server, names));
    }
    if (!serves(server)) {
      return Unexpected("server " + server + " is not at " + PathOfEndpoint(request.endpoint));
    }
    return Found(config, request, server, request.tool.substr(slash + 1));
  }
  // Whose prefix fits best: one without any may have tools of every name.
  std::vector<std::string> owners;
  std::size_t fits = 0;
  for (const auto& [name, server] : config.servers) {
    const std::string prefix = PrefixAt(config, server, endpoint);
    const std::string begins = server.builtin ? name + "_" : prefix;  // which theirs have by birth
    if (!serves(name) || !request.tool.starts_with(begins)) continue;
    if (request.tool.size() == begins.size() || prefix.size() < fits) continue;
    if (prefix.size() > fits) owners.clear();
    fits = prefix.size();
    owners.push_back(name);
  }
  if (owners.empty()) {
    return Unexpected("no server at " + PathOfEndpoint(request.endpoint) +
                      " has tools called like " + Quote(request.tool) +
                      "; expected PREFIX__TOOL, or SERVER/TOOL");
  }
  const Group* const group = GroupAt(config, owners.front(), endpoint);
  const bool one_group = group != nullptr && request.any_member &&
                         std::ranges::all_of(owners, [group](const std::string& owner) {
                           return Contains(group->servers, owner);
                         });
  if (owners.size() > 1 && !one_group) {
    return Unexpected(Quote(request.tool) + " may be a tool of any of " + Listing(owners) +
                      "; say SERVER/TOOL");
  }
  return Found(config, request, owners.front(), request.tool.substr(fits));
}

std::string Explain(const Config& config, std::span<const PolicyKey> keys,
                    const ExplainedTool& tool, const std::string& file) {
  std::string out = "tool " + tool.tool + " of server " + tool.server + " at " +
                    PathOfEndpoint(tool.endpoint) + "\n";
  if (!tool.note.empty()) out += "  not offered: " + tool.note + "\n";
  const PolicyStack levels = LevelsFor(config, tool.endpoint, tool.server, tool.tool);
  for (const PolicyKey& key : keys) {
    const EffectivePolicy policy = Met(config, key, tool, levels);
    out += key.name;
    if (!policy.why_off.empty()) {
      out += ": off (" + policy.why_off + ")\n";
    } else {
      out += key.stage == Stage::kServer ? ", once an attempt\n" : ", once a call\n";
    }
    std::size_t widest = 0;
    for (const EffectiveValue& value : policy.values) {
      widest = std::max(widest, value.key.size() + value.value.size());
    }
    for (const EffectiveValue& value : policy.values) {
      const std::size_t width = value.key.size() + value.value.size();
      out += "  " + value.key + ": " + value.value + std::string(widest - width + 2, ' ') +
             SourceOf(value, file) + "\n";
    }
  }
  return out;
}

json::object ExplainJson(const Config& config, std::span<const PolicyKey> keys,
                         const ExplainedTool& tool, const std::string& file) {
  const PolicyStack levels = LevelsFor(config, tool.endpoint, tool.server, tool.tool);
  json::array policies;
  for (const PolicyKey& key : keys) {
    const EffectivePolicy policy = Met(config, key, tool, levels);
    json::array values;
    for (const EffectiveValue& value : policy.values) values.push_back(ToJson(value, file));
    json::object one{
        {"name", key.name},
        {"stage", key.stage == Stage::kServer ? "attempt" : "call"},
        {"set_at",
         policy.nearest == nullptr ? "default" : std::string(ToString(policy.nearest->level))},
        {"off", !policy.why_off.empty()},
        {"values", std::move(values)}};
    if (!policy.why_off.empty()) one["why"] = policy.why_off;
    policies.push_back(std::move(one));
  }
  json::object out{{"endpoint", PathOfEndpoint(tool.endpoint)},
                   {"server", tool.server},
                   {"tool", tool.tool},
                   {"policies", std::move(policies)}};
  if (!tool.note.empty()) out["not_offered"] = tool.note;
  return out;
}

}  // namespace switchyard::config
