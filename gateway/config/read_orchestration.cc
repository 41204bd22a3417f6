#include <utility>

#include "config/read.h"

namespace switchyard::config {

void ReadOrchestration(Section& root, std::span<const PolicyKey> keys, Config& config,
                       std::vector<std::string>& names) {
  using namespace std::chrono_literals;
  auto section = root.Child("orchestration");
  if (!section) return;
  Orchestration& into = config.orchestration;
  into.enabled = section->Bool("enabled").value_or(true);
  if (const auto time = section->Duration("lease", 1s, 24h)) into.lease = *time;
  if (const auto time = section->Duration("away_after", 1s, 24h)) into.away_after = *time;
  if (const auto time = section->Duration("retain", 1min)) into.retain = *time;
  if (auto words = section->Strings("force_release")) into.force_release = std::move(*words);
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
