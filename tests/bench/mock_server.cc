// An MCP server that costs as little as possible, so that a benchmark sees the proxy before it.
//
// Serves N tools over HTTP/1.1 keep-alive (one thread, epoll) or over stdin/stdout, to modern and
// legacy clients alike; mock_answers.h has the answers. Any path that ends in /mcp is a server of
// its own to whoever looks at it from outside (/s0/mcp, /s1/mcp, ...), so that one process can pose
// as a thousand servers.
//
// It trusts its caller: it checks framing and sizes, not the protocol's header rules.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unordered_map>

#include "mock_answers.h"

namespace {

using bench::Answer;
using bench::Answers;
using bench::kHead;
using bench::MockOptions;
using bench::ParseRequest;
using bench::Request;

constexpr std::size_t kMaxHeader = 64 << 10;
constexpr std::size_t kMaxMessage = 64 << 20;
constexpr std::size_t kReadSize = 64 << 10;

// ---- HTTP

// One client connection. Answers one request at a time, in order; input that arrives while an
// answer is still being written waits in the buffer.
class Connection {
 public:
  Connection(int fd, const Answers& answers) : fd_(fd), answers_(answers) {}
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads and answers as far as it goes. False: the connection is over. Not while wants_write().
  bool OnReadable() {
    if (used_ == buffer_.size()) buffer_.resize(buffer_.size() + kReadSize);
    const ssize_t got = recv(fd_, buffer_.data() + used_, buffer_.size() - used_, 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    used_ += static_cast<std::size_t>(got);
    return AnswerAll();
  }
  bool wants_write() const { return !head_.empty(); }
  // Goes on with an unfinished write, then with the requests that waited behind it.
  bool OnWritable() { return Flush() && (!head_.empty() || AnswerAll()); }

 private:
  bool AnswerAll() {
    std::size_t at = 0;
    bool ok = true;
    while (ok && head_.empty()) {
      const std::size_t taken = AnswerOne({buffer_.data() + at, used_ - at}, ok);
      if (taken == 0) break;
      at += taken;
      ok = ok && Flush();
    }
    std::memmove(buffer_.data(), buffer_.data() + at, used_ - at);
    used_ -= at;
    return ok;
  }

  // Returns the bytes consumed, 0 if the request is not complete yet.
  std::size_t AnswerOne(std::string_view in, bool& ok) {
    const std::size_t end = in.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      ok = in.size() <= kMaxHeader;
      return 0;
    }
    const std::string_view header = in.substr(0, end + 2);
    const std::size_t length = ContentLength(header);
    ok = length <= kMaxMessage;
    if (!ok || in.size() < end + 4 + length) return 0;
    const std::string_view line = header.substr(0, header.find("\r\n"));
    const std::size_t path = line.find(' ') + 1;
    if (!line.substr(path, line.find(' ', path) - path).ends_with("/mcp")) {
      Write({.status = 404}, {});
    } else if (line.starts_with("POST ")) {
      const Request request = ParseRequest(in.substr(end + 4, length));
      Write(answers_.For(request), request.id);
    } else {
      Write({.status = line.starts_with("DELETE ") ? 200 : 405}, {});
    }
    return end + 4 + length;
  }

  static std::size_t ContentLength(std::string_view header) {
    static constexpr std::string_view kName = "content-length:";
    for (std::size_t at = header.find("\r\n"); at + 2 < header.size();) {
      const std::string_view rest = header.substr(at + 2);
      if (rest.size() > kName.size() && strncasecmp(rest.data(), kName.data(), kName.size()) == 0) {
        std::string_view value = rest.substr(kName.size());
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        std::size_t length = 0;
        std::from_chars(value.data(), value.data() + value.size(), length);
        return length;
      }
      at = header.find("\r\n", at + 2);
      if (at == std::string_view::npos) break;
    }
    return 0;
  }

  void Write(const Answer& answer, std::string_view id) {
    const bool has_body = !answer.tail.empty();
    tail_ = answer.tail;
    head_ = answer.status == 200   ? "HTTP/1.1 200 OK\r\n"
            : answer.status == 202 ? "HTTP/1.1 202 Accepted\r\n"
            : answer.status == 404 ? "HTTP/1.1 404 Not Found\r\n"
                                   : "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\n";
    if (answer.opens_session) {
      static unsigned next_session = 0;
      head_ += "Mcp-Session-Id: mock-" + std::to_string(++next_session) + "\r\n";
    }
    if (has_body) head_ += "Content-Type: application/json\r\n";
    const std::size_t length = has_body ? kHead.size() + id.size() + tail_.size() : 0;
    head_ += "Content-Length: " + std::to_string(length) + "\r\n\r\n";
    if (has_body) head_.append(kHead).append(id);
  }

  // Sends what is pending; false on a dead peer. Clears head_ when everything is out.
  bool Flush() {
    while (!head_.empty()) {
      iovec parts[2] = {{.iov_base = head_.data() + sent_, .iov_len = head_.size() - sent_},
                        {.iov_base = const_cast<char*>(tail_.data()), .iov_len = tail_.size()}};
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = 2;
      const ssize_t n = sendmsg(fd_, &message, MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      const std::size_t from_head =
          std::min<std::size_t>(static_cast<std::size_t>(n), parts[0].iov_len);
      sent_ += from_head;
      tail_.remove_prefix(static_cast<std::size_t>(n) - from_head);
      if (sent_ < head_.size() || !tail_.empty()) continue;
      head_.clear();
      sent_ = 0;
    }
    return true;
  }

  const int fd_;
  const Answers& answers_;
  std::string buffer_ = std::string(4 << 10, '\0');
  std::size_t used_ = 0;
  std::string
      head_;  // status line, headers and the start of the body; empty when nothing is pending
  std::size_t sent_ = 0;
  std::string_view tail_;
};

class HttpServer {
 public:
  HttpServer(int port, const Answers& answers) : answers_(answers), epoll_(epoll_create1(0)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, raw, size) != 0 || listen(listener_, 4096) != 0) {
      std::perror("mock_server: listen");
      std::exit(1);
    }
    getsockname(listener_, raw, &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    Watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void Run() {
    epoll_event events[256];
    for (;;) {
      const int count = epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        events[i].data.fd == listener_ ? Accept() : Serve(events[i].data.fd, events[i].events);
      }
    }
  }

 private:
  void Watch(int fd, std::uint32_t what, int operation) {
    epoll_event event{};
    event.events = what;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void Accept() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[fd] = std::make_unique<Connection>(fd, answers_);
      Watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void Serve(int fd, std::uint32_t events) {
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return;
    Connection& connection = *found->second;
    const bool was_writing = connection.wants_write();
    const bool alive = (events & EPOLLOUT) != 0 ? connection.OnWritable() : connection.OnReadable();
    if (!alive) {
      connections_.erase(found);  // closing the descriptor takes it out of the epoll set
    } else if (connection.wants_write() != was_writing) {
      Watch(fd, was_writing ? EPOLLIN : EPOLLOUT, EPOLL_CTL_MOD);
    }
  }

  const Answers& answers_;
  const int epoll_;
  int listener_ = -1;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

// ---- stdio

void WriteAll(std::string_view out) {
  while (!out.empty()) {
    const ssize_t n = write(STDOUT_FILENO, out.data(), out.size());
    if (n < 0 && errno != EINTR) std::exit(0);  // nobody is listening any more
    if (n > 0) out.remove_prefix(static_cast<std::size_t>(n));
  }
}

// One line in, one line out, until stdin closes. All lines of one read are answered with one write.
void RunStdio(const Answers& answers) {
  std::string in, out;
  std::string chunk(kReadSize, '\0');
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || in.size() > kMaxMessage) return;
    in.append(chunk, 0, static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (std::size_t end; (end = in.find('\n', at)) != std::string::npos; at = end + 1) {
      const Request request = ParseRequest(std::string_view(in).substr(at, end - at));
      const Answer answer = answers.For(request);
      if (answer.tail.empty()) continue;
      out.append(kHead).append(request.id).append(answer.tail).push_back('\n');
    }
    in.erase(0, at);
    WriteAll(out);
    out.clear();
  }
}

[[noreturn]] void Usage() {
  std::fputs(
      "usage: mock_server (--port N | --stdio) [--era modern|legacy|both] [--tools N]"
      " [--reply-bytes N]\n"
      "  --port 0 picks a free port; the port is printed on stdout\n"
      "  tools small, medium and large reply 200 B, 10 KB and 1 MB; others --reply-bytes\n",
      stderr);
  std::exit(2);
}

MockOptions ParseOptions(int argc, char** argv) {
  MockOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--stdio") {
      options.stdio = true;
      continue;
    }
    if (i + 1 == argc) Usage();
    const std::string_view value = argv[++i];
    if (flag == "--port") {
      options.port = std::atoi(argv[i]);
    } else if (flag == "--tools") {
      options.tools = std::atoi(argv[i]);
    } else if (flag == "--reply-bytes") {
      options.reply_bytes = std::strtoul(argv[i], nullptr, 10);
    } else if (flag == "--era" && (value == "modern" || value == "legacy" || value == "both")) {
      options.modern = value != "legacy";
      options.legacy = value != "modern";
    } else {
      Usage();
    }
  }
  if (!options.stdio && options.port < 0) Usage();
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const MockOptions options = ParseOptions(argc, argv);
  const Answers answers(options);
  if (options.stdio) {
    RunStdio(answers);
    return 0;
  }
  HttpServer(options.port, answers).Run();
}
