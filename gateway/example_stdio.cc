// The descriptors of the example server: one poll() loop that reads lines, steps counts and writes.
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <string>
#include <string_view>
#include <unistd.h>

#include "example_server.h"

namespace switchyard {
namespace {

// Blocks while the client does not read, and reads nothing meanwhile: back-pressure for free.
bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Cuts a stream into lines of at most kMaxLine bytes.
class Lines {
 public:
  void Feed(std::string_view bytes, ExampleServer& server) {
    for (std::size_t end; (end = bytes.find('\n')) != bytes.npos; bytes.remove_prefix(end + 1)) {
      Keep(bytes.substr(0, end));
      too_long_ ? server.RefuseLongLine() : server.Receive(line_);
      line_.clear();
      too_long_ = false;
    }
    Keep(bytes);
  }

 private:
  void Keep(std::string_view part) {
    if (part.size() > ExampleServer::kMaxLine - line_.size()) too_long_ = true;
    if (too_long_) {
      line_.clear();
    } else {
      line_.append(part);
    }
  }

  std::string line_;
  bool too_long_ = false;
};

}  // namespace

int RunExampleServer(int in_fd, int out_fd, const Clock& clock) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that went away is an end, not a crash
  ExampleServer server(clock);
  Lines lines;
  std::array<char, 65536> buffer;
  while (true) {
    std::optional<Duration> wait = server.UntilNextStep();
    // rounded up, or the last millisecond would be spent spinning
    int timeout =
        wait ? static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*wait).count()) : -1;
    pollfd poll_in{.fd = in_fd, .events = POLLIN, .revents = 0};
    int ready = ::poll(&poll_in, 1, timeout);
    if (ready < 0 && errno != EINTR) return 1;
    if (ready > 0) {
      ssize_t n = ::read(in_fd, buffer.data(), buffer.size());
      if (n == 0) return 0;
      if (n < 0 && errno != EINTR && errno != EAGAIN) return 1;
      if (n > 0) lines.Feed({buffer.data(), static_cast<std::size_t>(n)}, server);
    }
    server.Tick();
    if (!WriteAll(out_fd, server.TakeOutput())) return 1;
  }
}

}  // namespace switchyard
