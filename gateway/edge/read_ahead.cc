#include "edge/read_ahead.h"

#include <cstring>
#include <utility>

namespace switchyard::edge {
namespace {

// Most requests fit; an idle connection keeps only this.
constexpr std::size_t kSmall = 1024;
constexpr std::size_t kLarge = 64 * 1024;

}  // namespace

ReadAhead::ReadAhead(Socket socket) : socket_(std::move(socket)), buffer_(kSmall) {}

void ReadAhead::Start() {
  if (reading_ || gone_) return;
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) return;
  reading_ = true;
  socket_.async_read_some(
      net::buffer(buffer_.data() + end_, buffer_.size() - end_),
      [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
        self->Finish(error, count);
      });
}

void ReadAhead::Finish(boost::system::error_code error, std::size_t count) {
  reading_ = false;
  end_ += count;
  if (error) gone_ = true;
  if (waiting_) {
    waiting_ = false;
    arrived_.PutAndRun(true);
  } else if (gone_ && on_gone_) {
    on_gone_();
  }
}

Task<bool> ReadAhead::WaitForBytes() {
  while (begin_ == end_) {
    if (gone_) co_return false;
    Start();
    waiting_ = true;
    co_await arrived_.Take();
  }
  co_return true;
}

void ReadAhead::Consume(std::size_t count) { begin_ += count; }

// A read under way writes into the buffer, so its size changes only between reads.
void ReadAhead::Grow() {
  if (reading_ || buffer_.size() >= kLarge) return;
  buffer_.resize(kLarge);
}

void ReadAhead::Shrink() {
  if (reading_ || buffer_.size() == kSmall || begin_ != end_) return;
  begin_ = end_ = 0;
  buffer_ = std::vector<char>(kSmall);
}

void ReadAhead::Close() {
  gone_ = true;
  on_gone_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace switchyard::edge
