#include "core/policy_set.h"

namespace switchyard {

std::string PolicyScope::Key(Counts counts) const {
  const std::string of_server = server.empty() ? "" : "server " + std::string(server);
  switch (level) {
    case Level::kTool: return of_server + " tools " + std::string(glob);
    case Level::kServer: return of_server;
    case Level::kEndpoint: {
      std::string key = "endpoint " + std::string(endpoint);
      if (counts == Counts::kPerServer && !server.empty()) key += " " + of_server;
      return key;
    }
    case Level::kGlobal: break;
  }
  // A limit that moves from all servers to one of them goes on counting there.
  return counts == Counts::kPerServer && !server.empty() ? of_server : "global";
}

std::string PolicyScope::Words() const {
  const std::string of_server = "server " + std::string(server);
  switch (level) {
    case Level::kTool: return "tools " + std::string(glob) + " of " + of_server;
    case Level::kEndpoint: return of_server + " at /mcp/" + std::string(endpoint);
    case Level::kServer:
    case Level::kGlobal: break;
  }
  return of_server;
}

}  // namespace switchyard
