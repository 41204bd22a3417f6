// Writes lines to a file descriptor from a thread of its own, so that a slow reader of the log
// never holds up a worker: beyond a bound lines are dropped and counted. Thread-safe.
//
// Append() takes a mutex for the time of a copy (20 ns uncontended), which keeps all lines in
// order. The thread wakes at the first line and then gathers for 10 ms, so busy workers do not pay
// for a wake-up a line.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace switchyard::telemetry {

class LineWriter {
 public:
  // Borrows `fd`. `capacity` in bytes.
  explicit LineWriter(int fd, std::size_t capacity = 4 * 1024 * 1024);
  ~LineWriter();  // writes what is left, for at most a second
  LineWriter(const LineWriter&) = delete;

  void Append(std::string_view line);  // without its newline
  // Returns when what was appended before has been written, or after a second.
  void Flush();
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void Write(std::string_view text);

  const int fd_;
  const std::size_t chunk_;  // bytes a write may have
  const std::size_t capacity_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, written_;
  std::string pending_;
  bool hurry_ = false;
  std::uint64_t appended_ = 0, done_ = 0;  // bytes, ever

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace switchyard::telemetry
