// One way to exchange JSON-RPC messages with one server. Knows bytes, processes and sockets, not
// eras: the faces (modern, legacy_adapter) say what is sent. One file an implementation, one line
// in transports.def, one function `<name>::Make` (transports.h). Lives on one worker's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "core/principal.h"
#include "core/reply.h"
#include "mcp/splice.h"

namespace switchyard::downstream {

// What only HTTP knows of an answer, set as soon as its headers are there, so before Request() or
// OpenStream() returns, also when they return an Error. Other transports leave it as it is.
struct HttpFacts {
  int status = 0;          // 0 = no headers were read
  std::string session_id;  // Mcp-Session-Id of the answer, "" = none
  std::string challenge;   // WWW-Authenticate of a 401 or 403, "" = none
};

// A message on its way out. Everything is borrowed until the awaited call returns; a Reply that
// needs `id` or `headers` later (to resume a stream) copies them.
struct Outgoing {
  const mcp::Pieces& body;     // one JSON-RPC message; not used by OpenStream and EndSession
  std::string_view id;         // raw JSON id of a request; "" for notifications and responses
  std::string_view headers;    // HTTP only: whole header lines of the era, each ended by CRLF
  Deadline deadline;           // covers connect, headers and body up to the response
  HttpFacts* facts = nullptr;  // where HTTP says what it saw, null = not wanted
  // Legacy only. True: a stream that ends before its response but carried event ids is taken up
  // again by GET with Last-Event-ID (and the same `headers`), honouring `retry`.
  bool resumable = false;
  // Running it a second time changes nothing at the server (RFC 9110 9.2.2), so it may be sent
  // again when its connection broke before anything of the answer came.
  bool repeatable = false;
  // A request of our own (a list, a listen): what comes without a mark on a shared channel is never
  // for it.
  bool quiet = false;
  // A listen: on a shared channel a modern server ends it by notifications/cancelled.
  bool lasting = false;
  // In whose name it is sent, where a server is shown that; null: in the gateway's own.
  const Caller* caller = nullptr;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Spawns or connects as far as that makes sense. Idempotent while up; called again after OnDown.
  virtual Task<Result<void>> Start() = 0;

  // HTTP: the server takes no POST at its URL. Looks for an older transport there and, if there is
  // one, is that from now on; Close() and Start() keep it.
  virtual Task<Result<void>> FallBack() {
    co_return Failure(Code::kNotFound, Origin::kGateway, "no other transport is configured");
  }

  // Sends a request. The Reply gives what belongs to it: notifications, requests of the server on
  // this request's stream, and the response. Dropping it early closes what can be closed
  // (`cancels_by_closing`). `Error::retryable` is set only when the server surely saw nothing.
  //
  // HTTP: a body that is a JSON-RPC response is an answer whatever its status (an error without an
  // id gets the request's). Any other status >= 400 is an Error with Origin::kServer: 404 and 405
  // are kNotFound, 400 and other 4xx kProtocol, 401 and 403 and 5xx kUnavailable, 429 kRateLimited.
  // Its `retryable` is false but for 429: what a 404 means depends on the era, so the face decides
  // by `facts`. Its data has `status` and, from Retry-After, `retryAfterMs`.
  virtual Task<Result<ReplyPtr>> Request(Outgoing out) = 0;

  // Sends a notification or a response. `Outgoing::facts` is honoured here, too.
  virtual Task<Result<void>> Notify(Outgoing out) = 0;

  // Legacy HTTP: opens the GET stream. Its Reply yields the messages that belong to no request
  // (requests of the server and notifications); nullopt when the server closed it for good, an
  // Error when it broke. It resumes by itself (Last-Event-ID, `retry`) while the server gives event
  // ids. Here `deadline` only covers connect and headers: the stream is meant to stay open.
  // kNotFound: the server offers none (405), the session is gone (404, see `facts`), or the
  // transport has no such thing.
  virtual Task<Result<ReplyPtr>> OpenStream(Outgoing out) {
    static_cast<void>(out);
    co_return Failure(Code::kNotFound, Origin::kGateway, "no stream on this transport");
  }

  // Legacy HTTP: DELETE with the session in `headers`. Best effort; a refusal (405) is success.
  virtual Task<Result<void>> EndSession(Outgoing out) {
    static_cast<void>(out);
    co_return Result<void>();
  }

  // Messages that belong to no request, on transports with one shared channel (stdio): all that
  // carry neither a known id nor a known progress token nor a known subscription id. Called on the
  // worker's thread. HTTP never calls it: its stray messages come from OpenStream.
  using Unsolicited = std::function<void(mcp::Message)>;
  virtual void OnUnsolicited(Unsolicited handler) = 0;

  // On such a channel: how many requests are under way that are not `quiet`. The server may be
  // speaking of any of them. Elsewhere 0.
  virtual std::size_t open_calls() const { return 0; }

  // Called once each time a started transport goes down by itself (child exited, ...), not by
  // Close.
  virtual void OnDown(std::function<void(Error)> handler) = 0;

  // True: dropping the Reply reaches a modern server (HTTP). False: a notification must say so. In
  // the legacy era a closed connection never means cancelled, whatever this says.
  virtual bool cancels_by_closing() const = 0;

  // HTTP headers mean something to it, so the faces compute them.
  virtual bool wants_headers() const { return cancels_by_closing(); }

  // Ends it gracefully within a bounded time: open requests fail, a child is told to go,
  // connections are closed. Start() may follow.
  virtual Task<void> Close() = 0;
};

}  // namespace switchyard::downstream
