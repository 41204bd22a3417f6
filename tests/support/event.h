// Something that happens once and stays so, which a thread can await together with sockets. This is
// how tests wait: for events, never for time; the patience is only a safety net.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vector>

namespace switchyard::tests {

inline constexpr std::chrono::seconds kPatience{30};

// Thread-safe.
class Event {
 public:
  Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  Event(const Event&) = delete;
  ~Event() { ::close(fd_); }

  void Set() { ::eventfd_write(fd_, 1); }
  // For events that come again, such as "the queue has something".
  void Clear() {
    eventfd_t count = 0;
    ::eventfd_read(fd_, &count);
  }
  bool IsSet() const {
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, 0) == 1;
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

inline pollfd Set(const Event& event) { return {.fd = event.fd(), .events = POLLIN, .revents = 0}; }
// The other side closed its sending direction; bytes that it sent do not count.
inline pollfd Gone(int socket) { return {.fd = socket, .events = POLLRDHUP, .revents = 0}; }

// The index of the first that happened, -1 when none did in time. Negative descriptors never do.
inline int WaitForAny(std::vector<pollfd> entries, std::chrono::milliseconds patience = kPatience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int ready = ::poll(entries.data(), entries.size(),
                             static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return -1;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].revents != 0) return static_cast<int>(i);
    }
  }
}

inline bool WaitFor(const Event& event) { return WaitForAny({Set(event)}) == 0; }

}  // namespace switchyard::tests
