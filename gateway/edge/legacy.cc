#include "edge/legacy.h"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "edge/asks.h"
#include "edge/http_sink.h"
#include "edge/legacy_in_flight.h"
#include "edge/legacy_lists.h"
#include "edge/legacy_sink.h"
#include "edge/legacy_subscribe.h"
#include "edge/refusals.h"
#include "edge/session_service.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

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
  Hear(std::move(message), *session);
  co_await exchange.Respond(202);
}

void LegacyFace::Hear(mcp::Message message, const Session& session) {
  if (message.is_response()) {
    sessions_.Deliver(session.client->session, std::move(message));
  } else if (message.method() == mcp::Method::kCancelled) {
    sessions_.Cancel(session.client->session, std::string(message.Get(mcp::Key::kRequestId)));
  }
}

Task<void> LegacyFace::Open(Exchange& exchange, mcp::Message message, std::string endpoint,
                            Service& service) {
  Result<Initialized> initialized =
      co_await Initialize(message, exchange.caller(), endpoint, service);
  if (!initialized) {
    const int status = mcp::HttpStatus(initialized.error(), mcp::kNewestLegacy);
    co_await RespondError(exchange, status, message.id(), initialized.error());
    co_return;
  }
  Result<Quota::Permit> permit = sessions_.PermitSession(initialized->owner, endpoint);
  if (!permit) {
    co_await RespondBusy(exchange, permit.error(), std::string(message.id()));
    co_return;
  }
  const std::shared_ptr<Session> session = sessions_.Open(
      std::move(initialized->client), std::move(endpoint), initialized->owner, std::move(*permit));
  session->lists = initialized->lists;
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
  // Somebody else's does not exist: its id proves nothing.
  if (session == nullptr || session->owner != OwnerOf(*exchange.caller())) {
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

// A client that disconnects has not cancelled (L-TR): the call runs on, and what it says is kept
// for a while if the client knows how to come back for it. notifications/cancelled unwinds it here,
// and the client gets no response, as it expects.
Task<void> LegacyFace::Serve(Exchange& exchange, Connection& connection, mcp::Message message,
                             std::shared_ptr<Session> session, Service& service) {
  std::string raw_id(message.id());
  Result<LegacyCall> made = MakeLegacyCall(std::move(message), *session, exchange.caller());
  if (!made) {
    co_await RespondError(exchange, mcp::HttpStatus(made.error(), session->client->version), raw_id,
                          made.error());
    co_return;
  }
  LegacySink sink(exchange, connection, *session, sessions_, EventId::Kind::kCall);
  if (made->answer) {
    co_await sink.Finish(std::move(*made->answer), nullptr);
    co_return;
  }
  connection.OnGone([&sink] { sink.Gone(); });
  connection.OnSilence([&sink] { sink.BeginEarly(); });
  const Asks::Endpoint shared = [this, &session] { return find_(session->endpoint); };
  Asks asks(session, sessions_, shared);
  {
    const InFlight registered(session, raw_id, [&sink] { sink.Cancel(); });
    SessionService serving(made->call, service, session, sessions_, shared);
    try {
      co_await Answer(serving, made->call, sink, &asks);
      exchange.set_done_at(made->call.done_at);
    } catch (const boost::system::system_error&) {
      if (!sink.cancelled()) throw;
    }
  }
  if (!sink.cancelled()) co_return;
  co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
  for (mcp::Message& gone : asks.Withdraw("the call was cancelled")) {
    co_await sink.Notify(std::move(gone));
  }
  if (exchange.streaming()) {
    co_await sink.End();
  } else if (!exchange.answered()) {
    co_await exchange.Respond(202);
  }
}

// Apart from Get(), whose frame stays for as long as the stream.
Task<std::shared_ptr<Session>> LegacyFace::RequireStream(Exchange& exchange,
                                                         std::string_view endpoint,
                                                         Quota::Permit& permit) {
  std::shared_ptr<Session> session = co_await RequireSession(exchange, endpoint, "");
  if (session == nullptr) co_return nullptr;
  if (!exchange.Accepts(kEventStream)) {
    const Error error = BadRequest("GET needs Accept: text/event-stream");
    co_await RespondError(exchange, 406, "", error);
    co_return nullptr;
  }
  Result<Quota::Permit> got = sessions_.PermitStream(session->owner, session->endpoint);
  if (!got) {
    co_await RespondBusy(exchange, got.error());
    co_return nullptr;
  }
  permit = std::move(*got);
  co_return session;
}

Task<void> LegacyFace::Get(Exchange& exchange, Connection& connection, std::string endpoint) {
  Quota::Permit permit;
  const std::shared_ptr<Session> session = co_await RequireStream(exchange, endpoint, permit);
  if (session == nullptr) co_return;
  exchange.Lasts();
  if (!exchange.Header("last-event-id").empty()) {
    const bool resumed = co_await Resume(exchange, session);
    if (resumed) co_return;
    ForgetLists(*session, sessions_);
  }
  sessions_.TakeStream(session, &exchange, [&connection] { connection.Abort(); });
  const StreamOwner owner{*session, &exchange};
  LegacySink sink(exchange, connection, *session, sessions_, EventId::Kind::kSession);
  // Kept as known only when the client closes the stream itself: what was said to one that broke,
  // it may never have got, and without an id it does not come back for it.
  ListsKnown told;
  const auto gone = [&] {
    if (connection.left() && told.any()) NoteLists(*session, sessions_, std::exchange(told, {}));
    sink.Gone();
  };
  connection.OnGone([&gone] { gone(); });  // small enough to be held without an allocation
  const bool begun = co_await exchange.BeginStream();
  if (!begun) co_return;
  co_await LearnLists(session, sessions_);
  Call call = MakeStreamCall(*session, exchange.caller());
  call.news = Updates::Of(*session, sessions_)->ForStream(session->lists, [&](const auto& lists) {
    if (!exchange.failed()) told.Merge(lists);
  });
  const std::shared_ptr<Service> service = find_(session->endpoint);
  if (service != nullptr) co_await Answer(*service, call, sink);
}

Task<void> LegacyFace::Delete(Exchange& exchange, std::string endpoint) {
  const std::shared_ptr<Session> session = co_await RequireSession(exchange, endpoint, "");
  if (session == nullptr) co_return;
  sessions_.End(session->client->session);
  co_await exchange.Respond(204);
}

}  // namespace switchyard::edge
