// Reads a client's bytes one step ahead: while a request is being served the next read is already
// under way, so that a client that vanishes is noticed at once, at no extra system call. One
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/mailbox.h"
#include "base/task.h"

namespace switchyard::edge {

using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;

class ReadAhead : public std::enable_shared_from_this<ReadAhead> {
 public:
  explicit ReadAhead(Socket socket);

  Socket& socket() { return socket_; }

  // Begins a read unless one is under way, the buffer is full or the client is gone.
  void Start();

  // False: the client closed or the socket broke, and nothing is left to read.
  Task<bool> WaitForBytes();

  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void Consume(std::size_t count);

  // More room for a request that does not fit at once, given back when it is done.
  void Grow();
  void Shrink();

  // Called when the client goes away while nobody waits for bytes. Not after the socket was closed
  // from this side.
  void OnGone(std::function<void()> handler) { on_gone_ = std::move(handler); }
  bool gone() const { return gone_; }

  void Close();

 private:
  void Finish(boost::system::error_code error, std::size_t count);

  Socket socket_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool reading_ = false, gone_ = false, waiting_ = false;
  Mailbox<bool> arrived_;
  std::function<void()> on_gone_;
};

}  // namespace switchyard::edge
