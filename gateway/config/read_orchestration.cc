#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/read.h"
#include "config/rules.h"
#include "config/tree.h"

namespace switchyard::config {
namespace {

using namespace std::chrono_literals;

// Messages are what the limit counts, so they outlive its window.
void ReadMessages(Section& section, Orchestration::Messages& into) {
  if (const auto count = section.Integer("limit", 1, 10'000)) {
    into.limit = static_cast<std::size_t>(*count);
  }
  if (const auto time = section.Duration("window", 1s, 1h)) into.window = *time;
  if (const auto time = section.Duration("retain", 1h)) into.retain = *time;
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  if (const auto bytes = section.Bytes("max_bytes", kMiB, kMiB << 20)) into.max_bytes = *bytes;
}

}  // namespace

namespace {

void ReadHealth(Section& section, Orchestration::Health& into) {
  auto health = section.Child("health");
  if (!health) return;
  constexpr std::int64_t kMost = 1'000'000'000;
  if (const auto share = health->Number("least_success", 0, 1)) into.least_success = *share;
  if (const auto share = health->Number("least_agent_success", 0, 1)) {
    into.least_agent_success = *share;
  }
  if (const auto share = health->Number("least_routed", 0, 1)) into.least_routed = *share;
  if (const auto tasks = health->Integer("most_active", 0, kMost)) into.most_active = *tasks;
}

void ReadPlanner(Section& section, Orchestration::Planner& into) {
  auto planner = section.Child("planner");
  if (!planner) return;
  constexpr std::int64_t kMostParts = 50, kMostAtOnce = 1000;
  into.sampling = planner->Bool("sampling").value_or(false);
  if (auto url = planner->SecretString("url")) {
    std::optional<std::string> problem = url->empty() ? std::nullopt : UrlProblem(*url);
    if (problem) planner->Error("url", std::move(*problem));
    into.url = std::move(*url);
  }
  if (auto model = planner->String("model")) into.model = std::move(*model);
  if (auto key = planner->SecretString("key")) into.key = std::move(*key);
  if (!into.key.empty() && !IsHeaderValue(into.key.Reveal())) {
    planner->Error("key", "has characters that no header can have");
  }
  if (!into.url.empty() && into.model.empty()) {
    planner->Error("model", "is missing: what the server behind url calls its model");
  }
  if (into.url.empty() && !(into.model.empty() && into.key.empty())) {
    planner->Error("url", "is missing: where the model is asked, https://.../chat/completions");
  }
  if (const auto time = planner->Duration("timeout", 100ms, 10min)) into.timeout = *time;
  if (const auto parts = planner->Integer("max_parts", 2, kMostParts)) {
    into.max_parts = static_cast<std::size_t>(*parts);
  }
  if (const auto calls = planner->Integer("concurrency", 1, kMostAtOnce)) {
    into.concurrency = static_cast<std::size_t>(*calls);
  }
}

void ReadRoles(Section& section, Orchestration& into) {
  auto roles = section.Child("roles");
  if (!roles) return;
  for (const char* right : {"register", "assign", "cancel", "force", "vouch"}) {
    if (auto names = roles->Strings(right)) into.roles.emplace(right, std::move(*names));
  }
}

// Its tools that hold a call until something is there. Such a call is no work in flight: counted as
// that, it would keep out the calls that it waits for.
constexpr const char* kWaiting[] = {"orchestration_acquire_file_lock", "orchestration_await_task",
                                    "orchestration_poll_tasks"};

// Said as if it stood in the file, at no line, before what does: of one tool that wins.
void LetWaitersBe(std::span<const PolicyKey> keys, Server& server) {
  constexpr const char* kPolicy = "concurrency";
  const auto known = std::ranges::find(keys, kPolicy, &PolicyKey::name);
  if (known == keys.end()) return;
  auto zero = std::make_shared<Node>();
  zero->kind = Node::Kind::kScalar;
  zero->text = "0";
  auto map = std::make_shared<Node>();
  map->kind = Node::Kind::kMap;
  map->entries.push_back({.key = "max_in_flight", .at = {}, .value = std::move(zero)});
  Excerpt excerpt = Excerpt::Nothing();
  excerpt.map = std::move(map);
  std::vector<PolicyLevel> levels;
  for (const char* tool : kWaiting) {
    const bool said = std::ranges::any_of(server.tool_policies, [&](const PolicyLevel& level) {
      return level.glob == tool && level.Find(kPolicy) != nullptr;
    });
    if (said) continue;
    excerpt.path = fmt::format("orchestration.tool_policies.{}.{}", tool, kPolicy);
    levels.push_back({.level = Level::kTool,
                      .name = server.name,
                      .glob = tool,
                      .by_name = {{kPolicy, excerpt}}});
  }
  server.tool_policies.insert(server.tool_policies.begin(), levels.begin(), levels.end());
}

}  // namespace

void ReadOrchestration(Section& root, std::span<const PolicyKey> keys, Config& config,
                       std::vector<std::string>& names) {
  auto section = root.Child("orchestration");
  if (!section) return;
  Orchestration& into = config.orchestration;
  into.enabled = section->Bool("enabled").value_or(true);
  if (const auto time = section->Duration("lease", 1s, 24h)) into.lease = *time;
  if (const auto time = section->Duration("away_after", 1s, 24h)) into.away_after = *time;
  if (const auto time = section->Duration("retain", 1min)) into.retain = *time;
  if (const auto most = section->Integer("max_tasks", 1, 100'000'000)) into.max_tasks = *most;
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  if (const auto bytes = section->Bytes("max_bytes", 16 * kMiB, kMiB << 20)) {
    into.max_bytes = *bytes;
  }
  ReadHealth(*section, into.health);
  ReadRoles(*section, into);
  ReadPlanner(*section, into.planner);
  if (const auto time = section->Duration("responsive_within", 1s, 24h)) {
    into.responsive_within = *time;
  }
  if (auto messages = section->Child("messages")) ReadMessages(*messages, into.messages);
  if (auto secrets = section->SecretStrings("keys")) into.keys = std::move(*secrets);
  Server server;
  server.name = Orchestration::kServer;
  server.builtin = true;
  server.era = Era::kModern;
  server.prefix = "";  // its tools have it in their names
  server.tools = ReadTools(*section);
  server.policies = ReadPolicies(*section, keys, {&config.policies},
                                 {.level = Level::kServer, .name = server.name});
  server.tool_policies =
      ReadToolPolicies(*section, keys, {&config.policies, &server.policies}, server.name);
  LetWaitersBe(keys, server);
  if (!into.enabled) return;
  if (config.servers.contains(server.name)) {
    root.Error("servers.orchestration",
               "is the name of the built-in service; give the server another one, or set "
               "orchestration.enabled to false");
    return;
  }
  names.push_back(server.name);
  config.servers.emplace(server.name, std::move(server));
}

}  // namespace switchyard::config
