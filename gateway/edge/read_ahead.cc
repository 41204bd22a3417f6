#include "edge/read_ahead.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace switchyard::edge {
namespace {

// Most requests fit; an idle connection keeps only this.
constexpr std::size_t kSmall = 896;
constexpr std::size_t kLarge = 64 * 1024;

constexpr std::size_t kRecord = 16 * 1024;  // the most that one of TLS holds (RFC 8446, 5.1)
// Of answers to what a client's TLS asks for, such as new keys, and that it does not read.
constexpr std::size_t kMaxUnsent = 64 * 1024;

}  // namespace

ReadAhead::ReadAhead(Socket socket, std::string_view unread, std::unique_ptr<TlsSession> tls)
    : socket_(std::move(socket)),
      tls_(std::move(tls)),
      room_(std::max(kSmall, unread.size())),
      buffer_(std::make_unique_for_overwrite<char[]>(room_)),
      end_(unread.copy(buffer_.get(), unread.size())) {}

void ReadAhead::Start() {
  if (reading_ || gone_) return;
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == room_ && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (tls_ != nullptr) end_ += tls_->Take(buffer_.get() + end_, room_ - end_);
  if (end_ == room_) return;
  reading_ = true;
  if (tls_ != nullptr && tls_->ended()) {  // after all that came before it
    net::post(socket_.get_executor(),
              [self = shared_from_this()] { self->Finish(net::error::eof, 0); });
    return;
  }
  if (tls_ != nullptr) {
    socket_.async_wait(
        Socket::wait_read,
        [self = shared_from_this()](boost::system::error_code error) { self->Receive(error); });
    return;
  }
  socket_.async_read_some(
      net::buffer(buffer_.get() + end_, room_ - end_),
      [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
        self->Finish(error, count);
      });
}

void ReadAhead::Finish(boost::system::error_code error, std::size_t count) {
  reading_ = false;
  end_ += count;
  if (error) gone_ = true;
  left_ = error == net::error::eof;
  if (waiting_) {
    waiting_ = false;
    arrived_.PutAndRun(true);
  } else if (!gone_) {  // sent ahead: what comes behind it may be the end
    if (end_ == room_) Grow();
    Start();
  } else if (on_gone_) {
    on_gone_();
  }
}

void ReadAhead::Receive(boost::system::error_code error) {
  std::size_t taken = 0;
  if (!error && !gone_) {
    std::array<char, kRecord> raw;  // not kept by an idle connection
    const ssize_t count = ::recv(socket_.native_handle(), raw.data(), raw.size(), MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      error.assign(errno, net::error::get_system_category());
    }
    if (count == 0) error = net::error::eof;
    if (count > 0) {
      tls_->Put({raw.data(), static_cast<std::size_t>(count)});
      taken = tls_->Take(buffer_.get() + end_, room_ - end_);
      if (tls_->ended() && taken == 0) error = net::error::eof;
      FlushLater();
      if (tls_->ToSend().size() > kMaxUnsent) error = net::error::no_buffer_space;
    }
  }
  Finish(error, taken);
}

Task<bool> ReadAhead::WaitForBytes() {
  while (begin_ == end_) {
    if (gone_) co_return false;
    Start();
    if (begin_ != end_) break;
    waiting_ = true;
    co_await arrived_.Take();
  }
  co_return true;
}

void ReadAhead::Consume(std::size_t count) { begin_ += count; }

// A read under way writes into the buffer, so its size changes only between reads.
void ReadAhead::Grow() {
  if (reading_ || room_ >= kLarge) return;
  auto larger = std::make_unique_for_overwrite<char[]>(kLarge);
  end_ = unread().copy(larger.get(), end_ - begin_);
  begin_ = 0;
  buffer_ = std::move(larger);
  room_ = kLarge;
}

void ReadAhead::Shrink() {
  if (reading_ || room_ == kSmall || begin_ != end_) return;
  begin_ = end_ = 0;
  buffer_ = std::make_unique_for_overwrite<char[]>(kSmall);
  room_ = kSmall;
  if (tls_ != nullptr) tls_->Shrink();
}

boost::system::error_code ReadAhead::SendNow(http::Gather& out) {
  if (tls_ == nullptr) return out.SendNow(socket_.native_handle());
  boost::system::error_code error = Flush();
  std::array<char, kRecord> together;  // a record and a system call each would cost more than this
  while (!error && !out.done() && flushed()) {
    const std::string_view record = out.Front(together);
    if (!tls_->Write(record)) return net::error::broken_pipe;
    out.Advance(record.size());
    error = Flush();
  }
  return error;
}

Task<boost::system::error_code> ReadAhead::Send(http::Gather& out) {
  boost::system::error_code error = SendNow(out);
  while (!error && !(out.done() && flushed())) {
    co_await socket_.async_wait(Socket::wait_write, net::redirect_error(use_task, error));
    if (!error) error = SendNow(out);
  }
  co_return error;
}

// What TLS has to send, as far as the socket takes it.
boost::system::error_code ReadAhead::Flush() {
  if (flushed()) return {};
  const std::string_view text = tls_->ToSend();
  const std::string_view pieces[] = {text};
  http::Gather out(pieces);
  const boost::system::error_code error = out.SendNow(socket_.native_handle());
  tls_->Sent(out.written());
  return error;
}

void ReadAhead::FlushLater() {
  if (Flush() || flushed() || std::exchange(flushing_, true)) return;
  socket_.async_wait(Socket::wait_write,
                     [self = shared_from_this()](boost::system::error_code error) {
                       self->flushing_ = false;
                       if (!error) self->FlushLater();
                     });
}

void ReadAhead::EndOutput() {
  if (tls_ != nullptr) {
    tls_->End();
    Flush();
  }
  boost::system::error_code ignored;
  socket_.shutdown(net::ip::tcp::socket::shutdown_send, ignored);
}

void ReadAhead::Close() {
  if (tls_ != nullptr && !gone_) {
    tls_->End();
    Flush();
  }
  gone_ = true;
  on_gone_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string ReadAhead::peer() const {
  boost::system::error_code error;
  const auto there = socket_.remote_endpoint(error);
  return error ? std::string() : there.address().to_string();
}

Task<std::optional<Handover>> ReadAhead::Release() {
  on_gone_ = nullptr;
  boost::system::error_code error;
  const auto here = socket_.local_endpoint(error);
  if (error || gone_) co_return std::nullopt;
  Handover handover{.fd = Fd(socket_.release(error)), .protocol = here.protocol(), .unread = {}};
  if (error) co_return std::nullopt;
  // The read ahead ends now, but it may just have been done: what it got goes along.
  while (reading_) {
    waiting_ = true;
    co_await arrived_.Take();
  }
  handover.unread = unread();
  handover.tls = std::move(tls_);
  co_return handover;
}

}  // namespace switchyard::edge
