// The legacy face (2025-11-25 and before): sessions over Streamable HTTP, turned into stateless
// modern calls. L-TR = 2025-11-25/basic/transports.
#pragma once

#include <memory>
#include <string>

#include "core/service.h"
#include "edge/connection.h"
#include "edge/exchange.h"
#include "edge/sessions.h"
#include "mcp/message.h"

namespace switchyard::edge {

// The answer to `initialize`: negotiates the version and asks the endpoint what it offers. On
// success the client is filled in; the caller opens the session.
struct Initialized {
  Client client;
  mcp::Message response;
};
Task<Result<Initialized>> Initialize(const mcp::Message& request, std::string_view endpoint,
                                     Service& service);

// A call of a session. Requests that the legacy face answers itself give a response instead.
struct LegacyCall {
  Call call;
  std::optional<mcp::Message> answer;
};
Result<LegacyCall> MakeLegacyCall(mcp::Message message, const std::shared_ptr<Session>& session,
                                  Sessions& sessions);

// The call that stands for a session's GET stream: listens for every list change.
Call MakeStreamCall(const Session& session);

class LegacyFace {
 public:
  // The Service of an endpoint, alive as long as it is held; null = there is none.
  using FindService = std::function<std::shared_ptr<Service>(std::string_view name)>;
  LegacyFace(Sessions& sessions, FindService find) : sessions_(sessions), find_(std::move(find)) {}

  // POST, GET and DELETE of one endpoint; `service` outlives the task.
  Task<void> Post(Exchange& exchange, Connection& connection, mcp::Message message,
                  std::string endpoint, Service& service);
  Task<void> Get(Exchange& exchange, Connection& connection, std::string endpoint,
                 Service& service);
  Task<void> Delete(Exchange& exchange, std::string endpoint);

 private:
  Task<std::shared_ptr<Session>> RequireSession(Exchange& exchange, std::string_view endpoint,
                                                std::string raw_id);
  Task<void> Open(Exchange& exchange, mcp::Message message, std::string endpoint, Service& service);
  Task<void> Serve(Exchange& exchange, Connection& connection, mcp::Message message,
                   std::shared_ptr<Session> session, Service& service);

  Sessions& sessions_;
  FindService find_;  // for what outlives a request
};

}  // namespace switchyard::edge
