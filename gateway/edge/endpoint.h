// HTTP requests to the right face: path, Origin and Host, who sends them, method, era. One a
// worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/gate.h"
#include "core/lent_tokens.h"
#include "core/service.h"
#include "edge/connection.h"
#include "edge/legacy.h"
#include "edge/legacy_sse.h"
#include "edge/misled_log.h"
#include "edge/refused_callers.h"

namespace switchyard::edge {

// The Service of an endpoint ("" = /mcp), alive as long as it is held; null = there is none.
using FindEndpoint = std::function<std::shared_ptr<Service>(std::string_view name)>;

// Where requests of an endpoint show who sends them; null = nobody has to.
using FindGate = std::function<std::shared_ptr<auth::Gate>(std::string_view name)>;

struct PlainAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides
};
struct PlainRequest {
  std::string method;  // GET or POST
  std::string path;
  std::string query = {};                    // without the question mark
  std::string content_type = {}, body = {};  // of a POST
  std::string cookie = {};                   // the header's value
  std::string authorization = {};            // the header's value
  bool from_page = false;                    // a browser says which page it comes from
  bool forwarded = false;                    // a proxy says that it is somebody else's
};
// What is not MCP: health, metrics, the admin API. nullopt = no such path.
using PlainHandler = std::function<Task<std::optional<PlainAnswer>>(PlainRequest request)>;

struct Access {
  bool loopback = true;                           // what the listener is bound to
  std::vector<std::string> allowed_origins = {};  // "*" = any
  std::vector<std::string> allowed_hosts = {};    // beside loopback names if loopback; empty: any
  bool legacy_sse = false;                        // HTTP+SSE at /sse
  bool gated = false;                             // some endpoint has a gate
  std::size_t trust = 0;  // whom connections are let in by (TlsServer::trust()); 0 = without TLS
};

class Endpoint final : Challenger {
 public:
  // `audit`: where requests that are turned away are recorded; null = nowhere. It outlives this.
  // `lent`: where callers' tokens are left while they are served; null = nowhere. It outlives this.
  Endpoint(Access access, FindEndpoint find, PlainHandler plain, Sessions& sessions,
           FindGate find_gate = {}, audit::Sink* audit = nullptr, LentTokens* lent = nullptr);

  Task<void> Serve(Exchange& exchange, Connection& connection);

  // Of a request of which only the head was read: answers it if it is refused for what that says.
  Task<void> BeforeBody(Exchange& exchange);

  void Tick() { refused_callers_.Tick(); }  // once a second

  void SetAccess(Access access) {
    access_ = std::move(access);
    ++rules_;
    sessions_.SetSomeAreKnown(access_.gated);
  }

 private:
  // What a request is for.
  struct Asked {
    std::string name;  // of the endpoint
    bool sse = false;
    std::shared_ptr<Service> service = nullptr;
  };
  static std::string PathTo(std::string_view name, bool sse);  // as clients know it
  std::optional<Asked> AskedBy(std::string_view path) const;
  std::string StepUp(const Exchange& exchange, const std::vector<std::string>& scopes) override;
  bool StillLetsIn(Exchange& exchange) override;
  Task<void> Admit(Exchange& exchange, Connection& connection, Asked asked,
                   std::shared_ptr<auth::Gate> gate);
  Task<void> AdmitLater(Exchange& exchange, Connection& connection, Asked asked,
                        std::shared_ptr<auth::Gate> gate);
  void Welcome(Exchange& exchange, Caller caller);
  Task<void> TurnAway(Exchange& exchange, std::string path, std::shared_ptr<auth::Gate> gate,
                      auth::Gate::Refused refused);
  Task<void> ServeAsked(Exchange& exchange, Connection& connection, Asked asked);
  Task<void> ServeMetadata(Exchange& exchange, std::string path, std::shared_ptr<auth::Gate> gate);
  // DNS rebinding: a page of another origin must not reach a local gateway (SH: Origin, Host).
  bool HostAllowed(const Exchange& exchange) const;
  bool IsAllowedHost(std::string_view host) const;  // one of allowed_hosts
  bool OriginAllowed(const Exchange& exchange) const;
  Task<void> ServeMcp(Exchange& exchange, Connection& connection, std::string name,
                      std::shared_ptr<Service> service);
  Task<void> ServePlain(Exchange& exchange, std::string path);
  Task<void> ServeSse(Exchange& exchange, std::string name, std::shared_ptr<Service> service);
  Task<void> ServePost(Exchange& exchange, Connection& connection, std::string name,
                       std::shared_ptr<Service> service);
  Task<void> Refuse(Exchange& exchange, int status, std::string why);
  Misled MisledBy(const Exchange& exchange) const;
  Task<void> RefuseMisled(Exchange& exchange, Misled misled);
  static void TellOrigin(Exchange& exchange);
  Task<void> Preflight(Exchange& exchange);

  Access access_;
  std::uint64_t rules_ = 1;  // counts up when who is let in may have changed
  FindEndpoint find_;
  PlainHandler plain_;
  Sessions& sessions_;
  LegacyFace legacy_;
  LegacySseFace sse_;
  FindGate find_gate_;
  LentTokens* const lent_;
  RefusedCallers refused_callers_;
  MisledLog misled_log_;
};

}  // namespace switchyard::edge
