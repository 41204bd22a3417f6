// The legacy face (2025-11-25 and before): sessions over Streamable HTTP, turned into stateless
// modern calls. L-TR = 2025-11-25/basic/transports.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/service.h"
#include "edge/connection.h"
#include "edge/exchange.h"
#include "edge/sessions.h"
#include "mcp/message.h"

namespace switchyard::edge {

// The answer to `initialize`: negotiates the version and asks the endpoint what it offers. On
// success the client is filled in; the caller opens the session. `oldest`: that this transport
// speaks.
struct Initialized {
  Client client;
  mcp::Message response;
  OwnerId owner = 0;  // whose session it will be, see Session::owner
  ListsKnown lists;   // as the response has them
};
Task<Result<Initialized>> Initialize(const mcp::Message& request, const Caller& caller,
                                     std::string_view endpoint, Service& service,
                                     mcp::Version oldest = mcp::Version::k2025_03_26);

// A call of a session. Requests that the legacy face answers itself give a response instead.
struct LegacyCall {
  Call call;
  std::optional<mcp::Message> answer;
};
Result<LegacyCall> MakeLegacyCall(mcp::Message message, const Session& session,
                                  const Caller& caller);

// The call that stands for a session's GET stream: listens for every list change.
Call MakeStreamCall(const Session& session, const Caller& caller);

class LegacyFace {
 public:
  // The Service of an endpoint, alive as long as it is held; null = there is none.
  using FindService = std::function<std::shared_ptr<Service>(std::string_view name)>;
  LegacyFace(Sessions& sessions, FindService find) : sessions_(sessions), find_(std::move(find)) {}

  // POST, GET and DELETE of one endpoint; `service` outlives the task.
  Task<void> Post(Exchange& exchange, Connection& connection, mcp::Message message,
                  std::string endpoint, Service& service);
  // A body that is an array. The service is held until the last of its calls is through.
  Task<void> PostBatch(Exchange& exchange, Connection& connection, std::string body,
                       std::string endpoint, std::shared_ptr<Service> service);
  Task<void> Get(Exchange& exchange, Connection& connection, std::string endpoint);
  Task<void> Delete(Exchange& exchange, std::string endpoint);

 private:
  Task<std::shared_ptr<Session>> RequireSession(Exchange& exchange, std::string_view endpoint,
                                                std::string raw_id);
  // The same for its stream, which `permit` then is for.
  Task<std::shared_ptr<Session>> RequireStream(Exchange& exchange, std::string_view endpoint,
                                               Quota::Permit& permit);
  Task<void> Open(Exchange& exchange, mcp::Message message, std::string endpoint, Service& service);
  // What asks for no answer: a notification or a response.
  void Hear(mcp::Message message, const Session& session);
  std::vector<Call> TakeBatch(const std::vector<std::string>& elements,
                              const std::shared_ptr<Session>& session, const Caller& caller,
                              std::vector<mcp::Message>& answers);
  Task<void> ServeBatch(Exchange& exchange, Connection& connection,
                        std::shared_ptr<Session> session, std::shared_ptr<Service> service,
                        std::vector<Call> calls, std::vector<mcp::Message> answers);
  // The rest of a stream that was lost, by Last-Event-ID. False: open a new one.
  Task<bool> Resume(Exchange& exchange, std::shared_ptr<Session> session);
  Task<void> Serve(Exchange& exchange, Connection& connection, mcp::Message message,
                   std::shared_ptr<Session> session, Service& service);

  Sessions& sessions_;
  FindService find_;  // for what outlives a request
};

}  // namespace switchyard::edge
