// HTTP requests to the right face: path, Origin and Host, method, era. One a worker.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/service.h"
#include "edge/connection.h"
#include "edge/legacy.h"
#include "edge/legacy_sse.h"

namespace switchyard::edge {

// The Service of an endpoint ("" = /mcp), alive as long as it is held; null = there is none.
using FindEndpoint = std::function<std::shared_ptr<Service>(std::string_view name)>;

struct PlainAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};
// What is not MCP: health, metrics. nullopt = no such path.
using PlainHandler = std::function<Task<std::optional<PlainAnswer>>(std::string path)>;

struct Access {
  bool loopback = true;                           // what the listener is bound to
  std::vector<std::string> allowed_origins = {};  // "*" = any
  std::vector<std::string> allowed_hosts = {};    // empty: loopback names if loopback, else any
  bool legacy_sse = false;                        // HTTP+SSE at /sse
};

class Endpoint {
 public:
  Endpoint(Access access, FindEndpoint find, PlainHandler plain, Sessions& sessions);

  Task<void> Serve(Exchange& exchange, Connection& connection);

  void SetAccess(Access access) { access_ = std::move(access); }

 private:
  // DNS rebinding: a page of another origin must not reach a local gateway (SH: Origin, Host).
  bool HostAllowed(const Exchange& exchange) const;
  bool OriginAllowed(const Exchange& exchange) const;
  Task<void> ServeMcp(Exchange& exchange, Connection& connection, std::string name,
                      std::shared_ptr<Service> service);
  Task<void> ServePlain(Exchange& exchange, std::string path);
  Task<void> ServeSse(Exchange& exchange, std::string name, std::shared_ptr<Service> service);
  Task<void> ServePost(Exchange& exchange, Connection& connection, std::string name,
                       std::shared_ptr<Service> service);
  Task<void> Refuse(Exchange& exchange, int status, std::string why);
  Task<void> Preflight(Exchange& exchange);

  Access access_;
  FindEndpoint find_;
  PlainHandler plain_;
  Sessions& sessions_;
  LegacyFace legacy_;
  LegacySseFace sse_;
};

}  // namespace switchyard::edge
