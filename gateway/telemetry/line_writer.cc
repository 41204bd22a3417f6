#include "telemetry/line_writer.h"

#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace switchyard::telemetry {
namespace {

constexpr std::chrono::milliseconds kGather{10};
constexpr std::chrono::seconds kFarewell{1};
// A pipe that polls as writable takes PIPE_BUF bytes without blocking, so no write ever hangs. A
// file takes any number.
constexpr std::size_t kChunk = 4096;
constexpr std::size_t kFileChunk = 256 * 1024;

std::size_t ChunkOf(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? kFileChunk : kChunk;
}

}  // namespace

LineWriter::LineWriter(int fd, std::size_t capacity)
    : fd_(fd), chunk_(ChunkOf(fd)), capacity_(capacity), thread_([this] { Run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LineWriter::Append(std::string_view line) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + line.size() + 1 > capacity_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    first = pending_.empty();
    pending_.append(line).push_back('\n');
    appended_ += line.size() + 1;
  }
  if (first) wake_.notify_one();
}

void LineWriter::Flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = appended_;
  hurry_ = true;
  wake_.notify_one();
  written_.wait_for(lock, kFarewell, [&] { return done_ >= wanted; });
}

void LineWriter::Run() {
  std::string batch;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    wake_.wait_for(lock, kGather, [this] { return stopping_ || hurry_; });
    hurry_ = false;
    if (pending_.empty()) {
      if (stopping_) return;
      continue;
    }
    batch.clear();
    std::swap(batch, pending_);
    lock.unlock();
    Write(batch);
    lock.lock();
    done_ += batch.size();
    written_.notify_all();
  }
}

void LineWriter::Write(std::string_view text) {
  auto give_up = std::chrono::steady_clock::time_point::max();
  while (!text.empty()) {
    if (stopping_ && give_up == std::chrono::steady_clock::time_point::max()) {
      give_up = std::chrono::steady_clock::now() + kFarewell;
    }
    if (std::chrono::steady_clock::now() >= give_up) return;
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 100) == 0) continue;
    const ssize_t count = ::write(fd_, text.data(), std::min(text.size(), chunk_));
    if (count > 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return;  // nobody reads the log any more
    }
  }
}

}  // namespace switchyard::telemetry
