// The keep-alive connections of one worker to one server, and the exchange of one request for the
// head of its answer over them.
//
// A request goes out a second time, on a fresh connection, only when a reused one was closed before
// anything of the answer came, and only if the server surely did not read it or it is repeatable
// (RFC 9110 9.2.2, docs/decisions/0023). Idle connections: newest first, at most 256, at most 60 s.
//
// One worker's thread. Shared with the Replies that give their connection back when they end.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/connection.h"
#include "core/deps.h"
#include "mcp/splice.h"

namespace switchyard::downstream {

// Borrowed until the awaited call returns.
struct HttpRequest {
  std::string_view head;          // request line and headers, without the empty line
  std::string_view headers = {};  // more header lines, each ended by CRLF
  const mcp::Pieces* body = nullptr;
  Deadline deadline = {};
  bool repeatable = false;  // as in Outgoing
};

class HttpPool : public std::enable_shared_from_this<HttpPool> {
 public:
  static constexpr std::size_t kMaxIdle = 256;
  static constexpr std::chrono::seconds kMaxIdleTime{60};

  // `deps` outlives it.
  HttpPool(const Deps& deps, http::Url url, http::TlsTrust trust);

  // Sends and reads until the headers of the answer are there, and whatever came along with them.
  // The deadline stays set on the connection. Dropping the connection closes it.
  Task<Result<http::ConnectionPtr>> Send(HttpRequest request);

  // An exchange is over. Keeps the connection when it can serve another one; when only the end of
  // the answer is missing (a stream after its last event) it is waited for, shortly.
  void GiveBack(http::ConnectionPtr connection);

  // Closes what idles, sends and keeps nothing from now on, until Reopen().
  void Close();
  void Reopen() { closed_ = false; }

  // Makes the TLS side early, so that its faults are known before the first request.
  Result<void> Prepare();

  std::size_t idle() const { return idle_.size(); }

 private:
  struct Idle {
    http::ConnectionPtr connection;
    TimePoint since;
  };

  http::ConnectionPtr TakeIdle();
  Task<Result<http::ConnectionPtr>> Open(Deadline deadline);
  void Expire();
  static Task<void> AwaitEnd(std::shared_ptr<HttpPool> pool, http::ConnectionPtr connection);

  const Deps deps_;
  const http::Url url_;
  const http::TlsTrust trust_;
  std::unique_ptr<http::TlsClient> tls_;
  std::vector<Idle> idle_;  // oldest first
  Timers::Handle expiry_;
  std::size_t ending_ = 0;  // connections in AwaitEnd
  bool closed_ = false;
};

}  // namespace switchyard::downstream
