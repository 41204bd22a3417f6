// A client at the other end of a socket, driven together with the gateway's loop on one thread: no
// sleeps, no races. Reads HTTP apart from the gateway's own parser.
#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <functional>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "base/task.h"
#include "edge/connection.h"
#include "edge/endpoint.h"
#include "support/json.h"
#include "unit/core/support.h"

namespace switchyard::edge::testing {

using namespace switchyard::testing;  // NOLINT: one vocabulary for tests
using tests::At;
using tests::Parse;
using tests::TextAt;

// Runs the loop until `done`, at most for the patience of a broken test.
inline bool RunUntil(net::io_context& context, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    context.restart();
    if (context.poll() == 0) context.run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

// All that is ready now, and what becomes ready by it.
inline void Settle(net::io_context& context) {
  for (int quiet = 0; quiet < 3;) {
    context.restart();
    quiet = context.poll() == 0 ? quiet + 1 : 0;
  }
}

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // without chunks
  bool chunked = false;

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  tests::json::value Json() const { return Parse(body); }
  // The data of each event of a text/event-stream.
  std::vector<std::string> Events() const {
    std::vector<std::string> events;
    constexpr std::string_view kData = "data: ";
    for (std::size_t at = 0; (at = body.find(kData, at)) != std::string::npos;) {
      at += kData.size();
      events.push_back(body.substr(at, body.find('\n', at) - at));
    }
    return events;
  }
};

class Peer {
 public:
  Peer(net::io_context& context, int fd) : context_(context), fd_(fd) {}
  Peer(const Peer&) = delete;
  ~Peer() { Close(); }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (!RunUntil(context_,
                           [ran = false]() mutable { return std::exchange(ran, true); })) {
        return;
      }
    }
  }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void HalfClose() { ::shutdown(fd_, SHUT_WR); }
  void BoundReceiveBuffer() {
    const int size = 256 * 1024;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }

  // Takes what has arrived; false once the gateway closed.
  bool Read() {
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0) closed_ = true;
      if (got < 0 && errno == ECONNRESET) closed_ = reset_ = true;
      if (got <= 0) return !closed_;
      received_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  bool WaitForClose() {
    return RunUntil(context_, [this] { return !Read(); });
  }
  bool WaitFor(std::string_view words) {
    return RunUntil(context_, [&] {
      Read();
      return received_.contains(words);
    });
  }
  const std::string& received() const { return received_; }
  std::string TakeReceived() { return std::exchange(received_, {}); }
  bool closed() const { return closed_; }
  bool reset() const { return reset_; }

  // The next whole answer; nullopt when none comes.
  std::optional<Answer> TakeAnswer(bool head_only = false) {
    std::optional<Answer> answer;
    RunUntil(context_, [&] {
      Read();
      answer = Cut(head_only);
      return answer.has_value() || closed_;
    });
    return answer;
  }

 private:
  std::optional<Answer> Cut(bool head_only) {
    const std::size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    Answer answer = Head(received_.substr(0, end + 2));
    std::size_t at = end + 4;
    if (answer.chunked && !head_only) {
      for (;;) {
        const std::size_t line = received_.find("\r\n", at);
        if (line == std::string::npos) return std::nullopt;
        const std::size_t size = std::stoul(received_.substr(at, line - at), nullptr, 16);
        if (received_.size() < line + 2 + size + 2) return std::nullopt;
        answer.body += received_.substr(line + 2, size);
        at = line + 2 + size + 2;
        if (size == 0) break;
      }
    } else if (!head_only && answer.headers.contains("content-length")) {
      const std::size_t size = std::stoul(answer.Header("content-length"));
      if (received_.size() < at + size) return std::nullopt;
      answer.body = received_.substr(at, size);
      at += size;
    } else if (!head_only && answer.status != 204) {  // until the connection ends
      if (!closed_) return std::nullopt;
      answer.body = received_.substr(at);
      at = received_.size();
    }
    received_.erase(0, at);
    return answer;
  }

  static Answer Head(const std::string& head) {
    Answer answer;
    answer.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      std::ranges::transform(name, name.begin(), [](char c) { return std::tolower(c); });
      answer.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    answer.chunked = answer.Header("transfer-encoding") == "chunked";
    return answer;
  }

  net::io_context& context_;
  int fd_;
  std::string received_;
  bool closed_ = false, reset_ = false;
};

// A gateway's edge with a fake service behind it: connections, endpoint dispatch, sessions.
struct Edge {
  ManualClock clock;
  net::io_context context{1};
  Timers timers{context, clock};
  Sealer sealer{Sealer::RandomKey()};
  Sessions sessions{sealer, clock, Sessions::Options{.timers = &timers},
                    [](const std::function<void(Sessions&)>&) {}};
  std::shared_ptr<FakeService> service = std::make_shared<FakeService>();
  ConnectionLimits limits{.max_header = 4096, .max_body = 100'000};
  Endpoint endpoint{Access{},
                    [this](std::string_view name) -> std::shared_ptr<Service> {
                      return name.empty() || name == "team" ? service : nullptr;
                    },
                    [](PlainRequest request) -> Task<std::optional<PlainAnswer>> {
                      if (request.path != "/healthz" || request.method != "GET")
                        co_return std::nullopt;
                      co_return PlainAnswer{
                          .status = 200, .content_type = "text/plain", .body = "ok"};
                    },
                    sessions};
  std::vector<std::shared_ptr<Connection>> connections;
  std::vector<std::pair<unsigned, Handover>> moved;  // connections, to other workers

  Edge() {
    service->OnResult("tools/list", R"({"resultType":"complete","tools":[]})");
    service->OnResult("server/discover",
                      R"({"resultType":"complete","supportedVersions":["2026-07-28"],)"
                      R"("capabilities":{"tools":{"listChanged":true}},"instructions":"be kind"})");
  }
  ~Edge() { CloseAll(); }
  void CloseAll() {
    for (const auto& connection : connections) connection->Abort();
    Settle(context);
    connections.clear();
  }

  // A connected pair; the gateway's side is served.
  std::unique_ptr<Peer> Connect() { return ConnectTo(endpoint); }
  std::unique_ptr<Peer> ConnectTo(Endpoint& served) {
    return ConnectTo(
        [&served](Exchange& exchange, Connection& on) { return served.Serve(exchange, on); });
  }
  std::unique_ptr<Peer> ConnectTo(Connection::Serve serve) {
    net::basic_socket_acceptor<net::ip::tcp, Executor> acceptor(
        context.get_executor(), net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(acceptor.local_endpoint().port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return nullptr;
    Begin(acceptor.accept(), {}, std::move(serve));
    return std::make_unique<Peer>(context, fd);
  }
  void Begin(Socket socket, std::string_view unread, Connection::Serve serve) {
    auto connection = std::make_shared<Connection>(
        std::make_shared<ReadAhead>(std::move(socket), unread), limits, clock,
        std::make_shared<const Connection::Hooks>(std::move(serve),
                                                  [this](unsigned worker, Handover handover) {
                                                    moved.emplace_back(worker, std::move(handover));
                                                  }));
    connections.push_back(connection);
    connection->SetTask(TaskHandle(context.get_executor(), "connection", connection->Run()));
    Settle(context);
  }

  void Pass(Duration time) {
    clock.Advance(time);
    timers.FireDue();
    for (const auto& connection : connections) connection->Tick(clock.Now());
    Settle(context);
  }
};

// An HTTP request of one's own making.
struct Request {
  std::string method = "POST";
  std::string target = "/mcp";
  std::string version = "HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> headers = {
      {"Host", "localhost:1"},
      {"Content-Type", "application/json"},
      {"Accept", "application/json, text/event-stream"}};
  std::string body;

  Request&& Set(const std::string& name, std::string value) && {
    std::erase_if(headers, [&](const auto& header) { return header.first == name; });
    headers.emplace_back(name, std::move(value));
    return std::move(*this);
  }
  Request&& Without(const std::string& name) && {
    std::erase_if(headers, [&](const auto& header) { return header.first == name; });
    return std::move(*this);
  }
  std::string Text() const {
    std::string text = method + " " + target + " " + version + "\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
  }
};

inline constexpr std::string_view kModernMeta =
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{})";

// A modern message; `params` are members, each with its comma behind it.
inline std::string ModernBody(std::string_view method, std::string params = "",
                              std::string_view id = "1", std::string more_meta = "") {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":{)" + params + R"("_meta":{)" + std::string(kModernMeta) + more_meta + "}}}";
}

inline Request Modern(std::string_view method, std::string params = "", std::string_view id = "1",
                      std::string more_meta = "") {
  Request request;
  request.body = ModernBody(method, std::move(params), id, std::move(more_meta));
  return std::move(request)
      .Set("MCP-Protocol-Version", "2026-07-28")
      .Set("Mcp-Method", std::string(method));
}

inline Request ModernCall(std::string_view tool, std::string_view id = "1",
                          std::string more_meta = "") {
  return Modern("tools/call", R"("name":")" + std::string(tool) + R"(",)", id, std::move(more_meta))
      .Set("Mcp-Name", std::string(tool));
}

}  // namespace switchyard::edge::testing
