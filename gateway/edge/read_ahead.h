// Reads a client's bytes one step ahead: while a request is being served the next read is already
// under way, so that a client that vanishes is noticed at once, at no extra system call; unless it
// sent 64 KiB ahead of its answers: those are read first. Under TLS it carries the ciphertext; who
// reads and writes here sees only what client and gateway say. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "base/fd.h"
#include "base/http/write.h"
#include "base/mailbox.h"
#include "base/task.h"
#include "edge/quota.h"
#include "edge/tls.h"

namespace switchyard::edge {

using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;

// A client's connection on its way to another thread.
struct Handover {
  Fd fd;
  net::ip::tcp protocol;
  std::string unread;        // came already
  Quota::Permit place = {};  // among all connections
  std::unique_ptr<TlsSession> tls = {};
};

class ReadAhead : public std::enable_shared_from_this<ReadAhead> {
 public:
  // `unread` came before this one began to read. Without `tls` nothing is encrypted.
  explicit ReadAhead(Socket socket, std::string_view unread = {},
                     std::unique_ptr<TlsSession> tls = nullptr);

  // Begins a read unless one is under way, the buffer is full or the client is gone.
  void Start();

  // TLS shakes hands: the client has not said anything yet.
  bool opening() const { return tls_ != nullptr && !tls_->open(); }

  // False: the client closed or the socket broke, and nothing is left to read.
  Task<bool> WaitForBytes();

  std::string_view unread() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void Consume(std::size_t count);

  // More room for a request that does not fit at once, given back when it is done.
  void Grow();
  void Shrink();

  // Called when the client goes away while nobody waits for bytes. Not after the socket was closed
  // from this side.
  void OnGone(std::function<void()> handler) { on_gone_ = std::move(handler); }
  bool gone() const { return gone_; }
  // The client itself closed, so it was there until then; else the way to it may have been broken.
  bool left() const { return left_; }

  // Sends what can be sent without waiting; under TLS, the last record may go out in part.
  boost::system::error_code SendNow(http::Gather& out);
  // Sends all, waiting where needed. Cancellable. `out` outlives the awaited task.
  Task<boost::system::error_code> Send(http::Gather& out);
  // That the client showed, verified; null: none.
  const auth::ClientCertificate* certificate() {
    return tls_ == nullptr ? nullptr : tls_->certificate();
  }
  // Under which it was let in (TlsServer::trust()); 0 = without TLS.
  std::size_t trust() const { return tls_ == nullptr ? 0 : tls_->trust(); }
  // The address that the connection comes from; "" = it is gone.
  std::string peer() const;
  bool flushed() const { return tls_ == nullptr || tls_->ToSend().empty(); }
  // What is left of a record, as soon as the socket takes it.
  void FlushLater();
  // Nothing is sent any more; what comes is still read.
  void EndOutput();

  void Close();

  // Gives the socket away, between requests. Nullopt: it is gone.
  Task<std::optional<Handover>> Release();

 private:
  void Finish(boost::system::error_code error, std::size_t count);
  void Receive(boost::system::error_code error);
  boost::system::error_code Flush();

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::size_t room_;
  std::unique_ptr<char[]> buffer_;  // of so many bytes, not cleared
  std::size_t begin_ = 0, end_ = 0;
  bool reading_ = false, gone_ = false, left_ = false, waiting_ = false, flushing_ = false;
  Mailbox<bool> arrived_;
  std::function<void()> on_gone_;
};

}  // namespace switchyard::edge
