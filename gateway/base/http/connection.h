// One client connection to a server, plain or TLS, and the parser of what comes back on it. Written
// for the case where a request goes out in one system call and its answer comes in one.
//
// Owned by whoever has the exchange on it (a running request, a streaming Reply) or by the pool
// while idle; one worker's thread. Destroying it closes the socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/system/error_code.hpp>

#include "base/deadline.h"
#include "base/http/parser.h"
#include "base/http/socket.h"
#include "base/http/tls.h"
#include "base/http/url.h"
#include "base/http/write.h"
#include "base/result.h"
#include "base/timers.h"

namespace switchyard::http {

class Connection {
 public:
  // Of answers: 64 MiB of body may lie untaken.
  explicit Connection(Executor executor, Timers& timers) : socket_(executor), timers_(timers) {}
  Connection(const Connection&) = delete;

  // Tries the addresses of the host one after the other. `tls` null = plain; it outlives this.
  // Errors are retryable: the server saw no request.
  Task<Result<void>> Connect(const Url& url, TlsClient* tls);
  // The same in two steps, for those who look at the addresses first: what the system's resolver
  // says, an address standing for itself; then exactly these. `url` says whom TLS is to meet there.
  using Endpoints = std::vector<net::ip::tcp::endpoint>;
  Task<Result<Endpoints>> Resolve(std::string host, std::string port);
  Task<Result<void>> ConnectTo(Endpoints endpoints, Url url, TlsClient* tls);

  // From now on everything under way ends at `deadline`: the socket is closed and kDeadline
  // reported.
  void SetDeadline(Deadline deadline);

  // Sends what is left of `out`: at once what the socket takes (plain only), the rest by waiting.
  boost::system::error_code SendNow(Gather& out);
  Task<boost::system::error_code> SendRest(Gather& out);

  // Waits until bytes (or the end) came; what it says is for Receive().
  Task<std::size_t> Arrival();
  // Takes what arrived (0 = did not wait) to the parser, and what comes with it without waiting.
  // False: nothing more for now. An Error: the connection is over, though parser().done() may be
  // true for an answer ended by the close.
  Result<bool> Receive(std::size_t arrived);

  ResponseParser& parser() { return parser_; }

  // What an error of the socket means; also for an answer that the close cut short.
  Error Explain(const boost::system::error_code& error) const;

  // The answer is complete and nothing speaks against another exchange on it.
  bool reusable() const;
  // For an idle connection: nothing came, not even the end. A system call.
  bool LooksAlive();
  // After it was closed in order: the server's side never received a byte of the last `sent` ones,
  // so nobody read them. False: unknown. A system call.
  bool NeverReceived(std::size_t sent) const;
  // Gets ready for the next exchange; gives back what an idle connection need not hold.
  void Rest();

 private:
  Task<Result<void>> Establish(Endpoints endpoints, Url url, TlsClient* tls);
  Task<Result<void>> TryAddresses(Endpoints endpoints);
  Result<bool> Feed(std::string_view bytes);
  void Close();

  Socket socket_;
  Timers& timers_;
  std::unique_ptr<TlsStream> tls_;
  std::string first_;  // what Arrival() reads into
  ResponseParser parser_;
  boost::system::error_code error_;  // of the last Arrival()
  Timers::Handle watch_;
  std::function<void()> on_expiry_;  // while a name is being resolved
  bool expired_ = false;
  bool tainted_ = false;  // the server sent what belongs to no answer
};

using ConnectionPtr = std::unique_ptr<Connection>;

}  // namespace switchyard::http
