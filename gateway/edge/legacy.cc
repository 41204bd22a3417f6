#include "edge/legacy.h"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "edge/http_sink.h"
#include "edge/legacy_tasks.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::string_view kJson = "application/json";

Error BadRequest(std::string message) {
  return Error{.code = Code::kInvalid,
               .origin = Origin::kClient,
               .message = std::move(message),
               .rpc_code = mcp::kInvalidRequest};
}

// A legacy stream over HTTP GET: list changes until the client goes away.
class StreamSink final : public Sink {
 public:
  explicit StreamSink(Exchange& exchange) : exchange_(exchange) {}
  Task<bool> Notify(mcp::Message notification) override {
    mcp::Pieces data;
    notification.AppendTo(data);
    const bool sent = co_await exchange_.Send(data);
    co_return sent;
  }
  Task<void> Finish(mcp::Message, const Error*) override { co_await exchange_.EndStream(); }

 private:
  Exchange& exchange_;
};

// Gives a session's stream up, unless a newer one took it.
struct StreamOwner {
  Session& session;
  const void* owner;
  ~StreamOwner() {
    if (session.stream_owner != owner) return;
    session.end_stream = nullptr;
    session.stream_owner = nullptr;
  }
};

// Registers a call of a session as long as it is served here, so that notifications/cancelled,
// which may come to any worker, finds it.
class InFlight {
 public:
  InFlight(std::shared_ptr<Session> session, std::string raw_id, std::function<void()> cancel)
      : session_(std::move(session)), raw_id_(std::move(raw_id)) {
    // Of two requests with one id (against the protocol) the first can be cancelled.
    registered_ = session_->in_flight.emplace(raw_id_, std::move(cancel)).second;
  }
  InFlight(const InFlight&) = delete;
  ~InFlight() {
    if (registered_) session_->in_flight.erase(raw_id_);
  }

 private:
  std::shared_ptr<Session> session_;
  std::string raw_id_;
  bool registered_ = false;
};

}  // namespace

Task<void> LegacyFace::Post(Exchange& exchange, Connection& connection, mcp::Message message,
                            std::string endpoint, Service& service) {
  if (message.method() == mcp::Method::kInitialize && message.kind() == mcp::Kind::kRequest) {
    co_await Open(exchange, std::move(message), std::move(endpoint), service);
    co_return;
  }
  std::shared_ptr<Session> session =
      co_await RequireSession(exchange, endpoint, std::string(message.id()));
  if (session == nullptr) co_return;
  if (message.kind() == mcp::Kind::kRequest) {
    co_await Serve(exchange, connection, std::move(message), std::move(session), service);
    co_return;
  }
  if (message.method() == mcp::Method::kCancelled) {
    sessions_.Cancel(session->client->session, std::string(message.Get(mcp::Key::kRequestId)));
  }
  co_await exchange.Respond(202);
}

Task<void> LegacyFace::Open(Exchange& exchange, mcp::Message message, std::string endpoint,
                            Service& service) {
  Result<Initialized> initialized = co_await Initialize(message, endpoint, service);
  if (!initialized) {
    const int status = mcp::HttpStatus(initialized.error(), mcp::kNewestLegacy);
    co_await RespondError(exchange, status, message.id(), initialized.error());
    co_return;
  }
  const std::shared_ptr<Session> session =
      sessions_.Open(std::move(initialized->client), std::move(endpoint));
  exchange.AddHeader("Mcp-Session-Id", session->client->session);
  mcp::Pieces body;
  initialized->response.AppendTo(body);
  co_await exchange.Respond(200, kJson, body);
}

// L-TR: no id = 400, an id that is not (any more) a session = 404, and the client starts over.
Task<std::shared_ptr<Session>> LegacyFace::RequireSession(Exchange& exchange,
                                                          std::string_view endpoint,
                                                          std::string raw_id) {
  const std::string_view id = exchange.request().Get(http::Field::kMcpSessionId);
  if (id.empty()) {
    const Error error = BadRequest(
        "no Mcp-Session-Id header; send initialize first (2025-11-25, 2025-06-18, 2025-03-26), or "
        "speak 2026-07-28 with MCP-Protocol-Version and params._meta");
    co_await RespondError(exchange, 400, raw_id, error);
    co_return nullptr;
  }
  std::shared_ptr<Session> session = sessions_.Find(id, endpoint);
  if (session == nullptr) {
    const Error error = BadRequest("unknown session; send initialize again");
    co_await RespondError(exchange, 404, raw_id, error);
    co_return nullptr;
  }
  const std::string_view version = exchange.request().Get(http::Field::kMcpProtocolVersion);
  if (!version.empty()) {
    const std::optional<mcp::Version> known = mcp::ParseVersion(version);
    if (!known || mcp::IsModern(*known)) {
      const Error error = BadRequest("unsupported MCP-Protocol-Version: " + std::string(version));
      co_await RespondError(exchange, 400, raw_id, error);
      co_return nullptr;
    }
  }
  co_return session;
}

// A client that disconnects has not cancelled (L-TR): the call runs on and its answer is dropped.
// notifications/cancelled unwinds it here, and the client gets no response, as it expects.
Task<void> LegacyFace::Serve(Exchange& exchange, Connection& connection, mcp::Message message,
                             std::shared_ptr<Session> session, Service& service) {
  std::string raw_id(message.id());
  Result<LegacyCall> made = MakeLegacyCall(std::move(message), session, sessions_);
  if (!made) {
    co_await RespondError(exchange, mcp::HttpStatus(made.error(), session->client->version), raw_id,
                          made.error());
    co_return;
  }
  HttpSink sink(exchange, session->client->version);
  if (made->answer) {
    co_await sink.Finish(std::move(*made->answer), nullptr);
    co_return;
  }
  connection.OnGone([] {});
  bool cancelled = false;
  {
    const InFlight registered(session, raw_id, [&cancelled, &connection] {
      cancelled = true;
      connection.CancelServing();
    });
    try {
      std::optional<LegacyTasks> tasks;
      if (LegacyTasks::Concerns(made->call, sessions_)) tasks.emplace(service, session, sessions_);
      co_await Answer(tasks ? static_cast<Service&>(*tasks) : service, made->call, sink);
    } catch (const boost::system::system_error&) {
      if (!cancelled) throw;
    }
  }
  if (!cancelled) co_return;
  co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
  if (exchange.streaming()) {
    co_await exchange.EndStream();
  } else if (!exchange.answered()) {
    co_await exchange.Respond(202);
  }
}

Task<void> LegacyFace::Get(Exchange& exchange, Connection& connection, std::string endpoint,
                           Service& service) {
  std::shared_ptr<Session> session = co_await RequireSession(exchange, endpoint, "");
  if (session == nullptr) co_return;
  if (!exchange.Accepts("text/event-stream")) {
    const Error error = BadRequest("GET needs Accept: text/event-stream");
    co_await RespondError(exchange, 406, "", error);
    co_return;
  }
  sessions_.TakeStream(session, &exchange, [&connection] { connection.Abort(); });
  const StreamOwner owner{*session, &exchange};
  const bool begun = co_await exchange.BeginStream();
  if (!begun) co_return;
  Call call = MakeStreamCall(*session);
  StreamSink sink(exchange);
  co_await Answer(service, call, sink);
}

Task<void> LegacyFace::Delete(Exchange& exchange, std::string endpoint) {
  const std::shared_ptr<Session> session = co_await RequireSession(exchange, endpoint, "");
  if (session == nullptr) co_return;
  sessions_.End(session->client->session);
  co_await exchange.Respond(204);
}

}  // namespace switchyard::edge
