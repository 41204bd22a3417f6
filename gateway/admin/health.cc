#include "admin/health.h"

#include "mcp/json_string.h"

namespace switchyard::admin {

Page HealthPage() {
  return {.status = 200, .content_type = "application/json", .body = R"({"status":"ok"})"};
}

std::string ReadyJson(bool ready, std::span<const ServerHealth> servers) {
  std::string out = R"({"status":")";
  out.append(ready ? "ready" : "starting").append(R"(","servers":[)");
  for (const ServerHealth& server : servers) {
    if (!out.ends_with('[')) out += ',';
    out.append(R"({"name":)").append(mcp::Quote(server.name));
    out.append(server.up ? R"(,"up":true)" : R"(,"up":false)");
    if (!server.up) out.append(R"(,"reason":)").append(mcp::Quote(server.reason));
    out += '}';
  }
  return out += "]}";
}

Page ReadyPage(bool ready, std::span<const ServerHealth> servers) {
  return {.status = ready ? 200 : 503,
          .content_type = "application/json",
          .body = ReadyJson(ready, servers)};
}

}  // namespace switchyard::admin
