#include "server_config.h"

#include <algorithm>
#include <thread>

namespace switchyard {
namespace {

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

edge::Access AccessOf(const config::Listen& listen) {
  return {.loopback = IsLoopback(listen.host),
          .allowed_origins = listen.allowed_origins,
          .allowed_hosts = listen.allowed_hosts};
}

unsigned WorkersOf(const config::Listen& listen, unsigned wanted) {
  if (wanted != 0) return wanted;
  return listen.workers != 0 ? listen.workers : std::max(1U, std::thread::hardware_concurrency());
}

std::vector<catalog::EndpointView> ViewsOf(const config::Config& config) {
  std::vector<catalog::EndpointView> views(1);  // "" = everything at /mcp
  for (const auto& [name, endpoint] : config.endpoints) {
    views.push_back({.name = name,
                     .servers = endpoint.servers,
                     .include = endpoint.tools.include,
                     .exclude = endpoint.tools.exclude,
                     .transparent = endpoint.transparent});
  }
  return views;
}

std::vector<catalog::ServerNaming> NamingsOf(const config::Config& config) {
  std::vector<catalog::ServerNaming> namings;
  for (const auto& [name, server] : config.servers) {
    if (!server.enabled) continue;
    namings.push_back({.server = name,
                       .prefix = server.effective_prefix(),
                       .include = server.tools.include,
                       .exclude = server.tools.exclude});
  }
  return namings;
}

}  // namespace switchyard
