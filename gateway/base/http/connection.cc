#include "base/http/connection.h"

#include <cerrno>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "base/mailbox.h"

namespace switchyard::http {
namespace {

using Endpoint = net::ip::tcp::endpoint;
using Resolver = net::ip::basic_resolver<net::ip::tcp, Executor>;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kFirstRead =
    4 * 1024;  // of each arrival; held by every connection that waits
constexpr std::size_t kReadSize = 64 * 1024;  // of what follows at once
constexpr int kReadsAtOnce = 8;  // then others get their turn, and a stream's reader may push back
constexpr std::size_t kRecord = 16 * 1024;           // of TLS
constexpr std::chrono::seconds kAddressPatience{2};  // while another address is left to try

bool IsClose(const ErrorCode& error) {
  return error == net::error::eof || error == net::ssl::error::stream_truncated;
}

Error ConnectError(const ErrorCode& error) {
  return Error{.code = Code::kUnavailable,
               .origin = Origin::kServer,
               .retryable = true,
               .message = "connect: " + error.message()};
}

}  // namespace

void Connection::SetDeadline(Deadline deadline) {
  watch_.Cancel();
  if (deadline.never()) return;
  watch_ = timers_.At(deadline.at(), [this] {
    expired_ = true;
    if (on_expiry_) on_expiry_();
    Close();
  });
}

void Connection::Close() {
  ErrorCode ignored;
  static_cast<void>(socket_.close(ignored));
}

Error Connection::Explain(const ErrorCode& error) const {
  if (expired_) {
    return Error{
        .code = Code::kDeadline, .origin = Origin::kServer, .message = "no answer in time"};
  }
  if (error == net::error::operation_aborted) {
    return Error{.code = Code::kCancelled, .origin = Origin::kClient, .message = "cancelled"};
  }
  std::string message = error.message();
  if (IsClose(error) || error == net::error::connection_reset || error == net::error::broken_pipe) {
    message = parser_.header_done() ? "connection closed in the body"
              : parser_.started()   ? "connection closed in the headers"
                                    : "connection closed before headers";
  }
  return Error{
      .code = Code::kUnavailable, .origin = Origin::kServer, .message = std::move(message)};
}

Task<Result<void>> Connection::Connect(const Url& url, TlsClient* tls) {
  Result<Endpoints> endpoints = co_await Resolve(url.host, url.port);
  if (!endpoints) {
    endpoints.error().retryable = true;
    co_return std::unexpected(std::move(endpoints.error()));
  }
  co_return co_await ConnectTo(std::move(*endpoints), url, tls);
}

Task<Result<void>> Connection::ConnectTo(Endpoints endpoints, Url url, TlsClient* tls) {
  Result<void> connected = co_await Establish(std::move(endpoints), std::move(url), tls);
  if (!connected) connected.error().retryable = true;  // no byte of a request was sent
  co_return connected;
}

Task<Result<void>> Connection::Establish(Endpoints endpoints, Url url, TlsClient* tls) {
  Result<void> connected = co_await TryAddresses(std::move(endpoints));
  if (!connected || tls == nullptr) co_return connected;
  Result<std::unique_ptr<TlsStream>> stream = tls->Wrap(socket_, url.host);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  tls_ = std::move(*stream);
  ErrorCode error;
  co_await tls_->async_handshake(net::ssl::stream_base::client,
                                 net::redirect_error(use_task, error));
  if (!error) co_return Result<void>();
  Error why = Explain(error);
  if (why.code == Code::kUnavailable) why.message = HandshakeProblem(*tls_, error);
  co_return Failure(std::move(why));
}

// getaddrinfo() cannot be interrupted, so a deadline leaves it behind: what it says later finds
// only the mailbox that it shares.
Task<Result<std::vector<Endpoint>>> Connection::Resolve(std::string host, std::string port) {
  ErrorCode error;
  const net::ip::address literal = net::ip::make_address(host, error);
  if (!error) {
    co_return std::vector<Endpoint>{
        Endpoint(literal, static_cast<net::ip::port_type>(std::stoul(port)))};
  }
  struct Query {
    explicit Query(const Executor& executor) : resolver(executor) {}
    Resolver resolver;
    Mailbox<Result<std::vector<Endpoint>>> answer;
  };
  auto query = std::make_shared<Query>(socket_.get_executor());
  query->resolver.async_resolve(
      host, port, [query](const ErrorCode& failed, const Resolver::results_type& results) {
        if (failed) return query->answer.Put(Failure(ConnectError(failed)));
        query->answer.Put(std::vector<Endpoint>(results.begin(), results.end()));
      });
  on_expiry_ = [this, query] { query->answer.Put(Failure(Explain(net::error::timed_out))); };
  Result<std::vector<Endpoint>> answer = co_await query->answer.Take();
  on_expiry_ = nullptr;
  co_return answer;
}

Task<Result<void>> Connection::TryAddresses(std::vector<Endpoint> endpoints) {
  ErrorCode error = net::error::host_not_found;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    Close();
    static_cast<void>(socket_.open(endpoints[i].protocol(), error));
    if (error) continue;
    bool too_slow = false;
    Timers::Handle patience;
    if (i + 1 < endpoints.size()) {
      patience = timers_.In(kAddressPatience, [this, &too_slow] {
        too_slow = true;
        Close();
      });
    }
    co_await socket_.async_connect(endpoints[i], net::redirect_error(use_task, error));
    patience.Cancel();
    if (expired_) co_return Failure(Explain(error));
    if (!error) {
      ErrorCode ignored;  // a socket without it works all the same
      static_cast<void>(socket_.set_option(net::ip::tcp::no_delay(true), ignored));
      co_return Result<void>();
    }
    if (error == net::error::operation_aborted) {
      if (!too_slow) co_return Failure(Explain(error));
      error = net::error::timed_out;
    }
  }
  co_return Failure(ConnectError(error));
}

ErrorCode Connection::SendNow(Gather& out) {
  return tls_ ? ErrorCode() : out.SendNow(socket_.native_handle());
}

Task<ErrorCode> Connection::SendRest(Gather& out) {
  if (!tls_) co_return co_await WriteRest(socket_, out);
  ErrorCode error;
  std::string record;
  while (!error && !out.done()) {
    record.clear();
    Gather ahead = out;
    while (!ahead.done() && record.size() < kRecord) {
      const std::string_view piece = ahead.front().substr(0, kRecord - record.size());
      record.append(piece);
      ahead.Advance(piece.size());
    }
    co_await net::async_write(*tls_, net::buffer(record), net::redirect_error(use_task, error));
    if (!error) out.Advance(record.size());
  }
  co_return error;
}

// A read and not a wait: Asio arms epoll anew for each wait, a system call and a spurious event. A
// plain function, so that it costs no coroutine frame of its own.
Task<std::size_t> Connection::Arrival() {
  first_.resize(tls_ ? kRecord : kFirstRead);
  auto token = net::redirect_error(use_task, error_);
  if (tls_) return tls_->async_read_some(net::buffer(first_), std::move(token));
  return socket_.async_read_some(net::buffer(first_), std::move(token));
}

Result<bool> Connection::Feed(std::string_view bytes) {
  const Result<std::size_t> used = parser_.Put(bytes);
  if (!used) return std::unexpected(used.error());
  if (*used < bytes.size()) tainted_ = true;
  return true;
}

Result<bool> Connection::Receive(std::size_t arrived) {
  if (expired_) return Failure(Explain(error_));
  bool any = arrived > 0;
  if (any) {
    Result<bool> fed = Feed({first_.data(), arrived});
    if (!fed || parser_.done() || tls_ || arrived < first_.size()) return fed;
  } else if (tls_ && !error_) {
    return false;
  }
  // Shared by all connections of the thread: nothing is kept in it between calls, so that waiting
  // connections hold no buffer.
  thread_local std::vector<char> buffer(kReadSize);
  for (int reads = 0; !error_ && reads < kReadsAtOnce; ++reads) {
    const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) {
      const auto size = static_cast<std::size_t>(got);
      Result<bool> fed = Feed({buffer.data(), size});
      if (!fed) return fed;
      any = true;
      if (parser_.done() || size < buffer.size()) return true;
    } else if (got == 0) {
      error_ = net::error::eof;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return any;
    } else if (errno != EINTR) {
      error_.assign(errno, boost::system::system_category());
    }
  }
  if (!error_) return any;
  if (IsClose(error_) && parser_.header_done() && parser_.PutEof()) return true;
  return Failure(Explain(error_));
}

bool Connection::reusable() const {
  return parser_.done() && parser_.keep_alive() && !tainted_ && !expired_ && !error_;
}

bool Connection::LooksAlive() {
  // Pending bytes are no sign of life either: nobody asked. On TLS they are the farewell (tickets
  // were read with the first answer), and may have been taken off the socket with the last record.
  if (tls_) {
    SSL* const ssl = tls_->native_handle();
    if (SSL_pending(ssl) > 0 || BIO_pending(SSL_get_rbio(ssl)) > 0) return false;
  }
  char byte;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

// The FIN acknowledges whatever the server had received when it closed, also what it closed on. So
// what is unacknowledged then came too late to be read, and a server reads no request after its
// close (RFC 9112 9.6). A reset acknowledges nothing and proves nothing.
bool Connection::NeverReceived(std::size_t sent) const {
  if (!IsClose(error_)) return false;
  int unacknowledged = 0;
  // basic_socket::native_handle() is not const, though it changes nothing.
  const int fd = const_cast<Socket&>(socket_).native_handle();
  return ::ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged >= 0 &&
         static_cast<std::size_t>(unacknowledged) >= sent;
}

void Connection::Rest() {
  watch_.Cancel();
  parser_.Reset();
  if (tls_) first_ = {};
}

}  // namespace switchyard::http
