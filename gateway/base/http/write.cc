#include "base/http/write.h"

#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/error.hpp>

namespace switchyard::http {
namespace {

constexpr std::size_t kVectors = 64;  // well below IOV_MAX (1024), and small enough for the stack

}  // namespace

void Gather::SkipEmpty() {
  while (!pieces_.empty() && offset_ == pieces_.front().size()) {
    pieces_ = pieces_.subspan(1);
    offset_ = 0;
  }
}

void Gather::Advance(std::size_t bytes) {
  written_ += bytes;
  while (!pieces_.empty() && bytes >= pieces_.front().size() - offset_) {
    bytes -= pieces_.front().size() - offset_;
    pieces_ = pieces_.subspan(1);
    offset_ = 0;
  }
  offset_ += bytes;
}

std::string_view Gather::Front(std::span<char> room) const {
  if (done()) return {};
  if (front().size() >= room.size() || pieces_.size() == 1) return front().substr(0, room.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < pieces_.size() && size < room.size(); ++i) {
    const std::string_view piece = i == 0 ? front() : pieces_[i];
    size += piece.copy(room.data() + size, room.size() - size);
  }
  return {room.data(), size};
}

boost::system::error_code Gather::SendNow(int socket) {
  while (!done()) {
    iovec vectors[kVectors];
    std::size_t count = 0;
    for (; count < kVectors && count < pieces_.size(); ++count) {
      const std::string_view piece = count == 0 ? front() : pieces_[count];
      // sendmsg() only reads what iov_base points to.
      vectors[count] = {const_cast<char*>(piece.data()), piece.size()};
    }
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      Advance(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return {};
    } else if (errno != EINTR) {
      return {errno, boost::system::system_category()};
    }
  }
  return {};
}

}  // namespace switchyard::http
