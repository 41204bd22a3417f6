// Gathers pieces of bytes into as few writes as possible, without copying them.
//
//   Gather out(pieces);                             // views; the bytes stay with their owner
//   error = out.SendNow(socket.native_handle());    // no suspension: the usual end of the story
//   if (!error && !out.done()) error = co_await WriteRest(socket, out);   // the peer is slow
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>

#include "base/task.h"

namespace switchyard::http {

// A position in a list of pieces. The list and its bytes outlive it.
class Gather {
 public:
  explicit Gather(std::span<const std::string_view> pieces) : pieces_(pieces) { SkipEmpty(); }

  bool done() const { return pieces_.empty(); }
  std::size_t written() const { return written_; }
  // The first piece, from where it was left.
  std::string_view front() const { return pieces_.front().substr(offset_); }
  void Advance(std::size_t bytes);
  // The first so many bytes of all pieces together, at most; copied into `room`, which is as large,
  // unless they are all of one piece.
  std::string_view Front(std::span<char> room) const;

  // sendmsg() until all is sent or the socket would block. Never raises SIGPIPE.
  boost::system::error_code SendNow(int socket);

 private:
  void SkipEmpty();

  std::span<const std::string_view> pieces_;
  std::size_t offset_ = 0;  // into pieces_.front()
  std::size_t written_ = 0;
};

// Sends what is left of `out`, waiting for a plain socket where needed. Cancellable. `socket` and
// `out` outlive the awaited task.
template <class Socket>
Task<boost::system::error_code> WriteRest(Socket& socket, Gather& out) {
  boost::system::error_code error = out.SendNow(socket.native_handle());
  while (!error && !out.done()) {
    co_await socket.async_wait(net::socket_base::wait_write, net::redirect_error(use_task, error));
    if (error) break;
    error = out.SendNow(socket.native_handle());
  }
  co_return error;
}

}  // namespace switchyard::http
