#include "support/fake_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <utility>

#include <gtest/gtest.h>

namespace switchyard::tests {
namespace {

std::string Response(std::string_view status, std::string_view headers, std::string_view body) {
  std::string text = "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers);
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return text.append(body);
}

constexpr std::string_view kJson = "Content-Type: application/json\r\n";

std::string_view StatusOf(int code, bool modern) {
  if (!modern || code == 0) return "200 OK";
  if (code == -32601) return "404 Not Found";
  return code <= -32020 && code >= -32099 ? "400 Bad Request" : "200 OK";
}

std::string NameFor(const json::value& message) {
  const std::string method = TextAt(message, "/method");
  if (method == "tools/call" || method == "prompts/get") return TextAt(message, "/params/name");
  if (method.starts_with("tasks/")) return TextAt(message, "/params/taskId");
  return method == "resources/read" ? TextAt(message, "/params/uri") : "";
}

}  // namespace

// Answers with JSON, or with a stream once something precedes the response.
class FakeServer::HttpTurn final : public Turn {
 public:
  HttpTurn(Surface& surface, std::string raw, std::string scope, Wire& wire, bool stream = false)
      : Turn(surface, std::move(raw), std::move(scope)), wire_(wire), stream_(stream) {}

  void Send(std::string message) override {
    BeginStream();
    if (!wire_.Write(ChunkOf("event: message\ndata: " + message + "\n\n"))) Cancel();
  }
  void Finish(std::string response, int code) override {
    if (!streaming_) {
      wire_.Write(Response(StatusOf(code, modern()), headers_ + std::string(kJson), response));
      return;
    }
    Send(std::move(response));
    EndStream();
  }
  void Bytes(std::string bytes) override { wire_.Write(Response("200 OK", kJson, bytes)); }
  void Verbatim(std::string bytes) override { wire_.Write(bytes); }
  void Drop() override {
    wire_.Shutdown();
    dropped_ = true;
  }
  void HalfClose() override {
    wire_.HalfClose();
    dropped_ = true;
  }

  void BeginStream() {
    if (std::exchange(streaming_, true)) return;
    wire_.Write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + headers_ +
                "Transfer-Encoding: chunked\r\n\r\n" + ChunkOf(": hello\n\n"));
  }
  void EndStream() { wire_.Write("0\r\n\r\n"); }
  void AddHeader(const std::string& line) { headers_ += line + "\r\n"; }
  bool dropped() const { return dropped_; }

 protected:
  int socket() const override { return modern() || stream_ ? wire_.fd() : -1; }

 private:
  Wire& wire_;
  const bool stream_;  // a GET stream, which ends with its connection
  std::string headers_;
  bool streaming_ = false, dropped_ = false;
};

FakeServer::FakeServer(std::string name, Era era, Start start)
    : surface_(std::make_unique<Surface>(std::move(name))) {
  surface_->Speak(era == Era::kModern, era == Era::kLegacy);
  Bind();
  if (start == Start::kUp) Up();
}

FakeServer::~FakeServer() {
  surface_->Stop();
  Down();
  ::close(listening_);
  if (complaints_expected_) return;
  for (const std::string& complaint : surface_->complaints()) {
    ADD_FAILURE() << "server " << surface_->name() << ": " << complaint;
  }
}

void FakeServer::Bind() {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening_, generic, size) != 0) ADD_FAILURE() << "port " << port_ << " is taken";
  ::getsockname(listening_, generic, &size);
  port_ = ntohs(address.sin_port);
}

void FakeServer::Up() {
  if (acceptor_.joinable()) return;
  closing_ = std::make_unique<Event>();
  ::listen(listening_, 128);
  acceptor_ = std::thread([this] { Accept(); });
}

void FakeServer::Down() {
  if (!acceptor_.joinable()) return;
  closing_->Set();
  acceptor_.join();
  // bound but not listening: connects are refused, and nobody else gets the port
  ::close(listening_);
  Bind();
  std::list<Connection> connections;
  {
    const std::scoped_lock lock(mutex_);
    connections.swap(connections_);
  }
  for (Connection& connection : connections) connection.wire.Shutdown();
  for (Connection& connection : connections) connection.thread.join();
}

void FakeServer::Become(Era era) {
  surface_->Speak(era == Era::kModern, era == Era::kLegacy);
  ForgetSessions();
}

void FakeServer::ForgetSessions() {
  const std::scoped_lock lock(mutex_);
  sessions_.clear();
}

std::vector<FakeServer::Received> FakeServer::received() const {
  const std::scoped_lock lock(mutex_);
  return received_;
}

std::vector<FakeServer::Received> FakeServer::received(std::string_view method) const {
  std::vector<Received> all = received();
  std::erase_if(all, [method](const Received& one) { return one.method() != method; });
  return all;
}

bool FakeServer::IsDeserted() {
  std::unique_lock lock(mutex_);
  return closed_.wait_for(lock, kPatience, [this] { return open_ == 0; });
}

void FakeServer::Accept() {
  for (;;) {
    const pollfd incoming{.fd = listening_, .events = POLLIN, .revents = 0};
    const int which = WaitForAny({Set(*closing_), incoming}, std::chrono::hours(1));
    if (which <= 0) return;
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::scoped_lock lock(mutex_);
    Connection& connection = connections_.emplace_back(Wire(fd));
    ++open_;
    const std::string scope = "connection " + std::to_string(++accepted_);
    connection.thread = std::thread([this, &connection, scope] {
      Converse(connection.wire, scope);
      connection.wire.Shutdown();
      const std::scoped_lock closing(mutex_);
      --open_;
      closed_.notify_all();
    });
  }
}

void FakeServer::Converse(Wire& wire, std::string scope) {
  while (std::optional<Head> head = ReadHead(wire)) {
    std::optional<std::string> body = ReadBody(wire, *head, false);
    if (!body) return;
    if (!Answer(wire, scope, *head, std::move(*body))) return;
  }
}

bool FakeServer::Answer(Wire& wire, const std::string& scope, const Head& head, std::string body) {
  const std::string verb = head.start.substr(0, head.start.find(' '));
  {
    const std::scoped_lock lock(mutex_);
    received_.push_back(
        Received{.verb = verb, .headers = head.headers, .body = body, .message = Parse(body)});
  }
  if (verb == "POST") return AnswerPost(wire, scope, head, std::move(body));
  if (!surface_->speaks(Era::kLegacy) || !Known(head.Get("mcp-session-id"))) {
    if (surface_->speaks(Era::kModern)) surface_->Complain(verb + " to a modern server");
    const bool gone = head.Has("mcp-session-id") && surface_->speaks(Era::kLegacy);
    return wire.Write(Response(gone ? "404 Not Found" : "405 Method Not Allowed", "", ""));
  }
  if (verb == "GET") return Stream(wire, head.Get("mcp-session-id"));
  const std::scoped_lock lock(mutex_);
  sessions_.erase(head.Get("mcp-session-id"));
  return wire.Write(Response("200 OK", "", ""));
}

bool FakeServer::AnswerPost(Wire& wire, const std::string& scope, const Head& head,
                            std::string body) {
  const json::value message = Parse(body);
  HttpTurn turn(*surface_, body, scope, wire);
  const bool modern = turn.modern() && surface_->speaks(Era::kModern);
  if (!modern && surface_->speaks(Era::kLegacy)) {
    return AnswerLegacy(wire, head, message, std::move(body));
  }
  if (!modern) {
    // what a modern server says to initialize without metadata
    return wire.Write(Response("400 Bad Request", kJson,
                               R"({"jsonrpc":"2.0","id":)" + turn.id() +
                                   R"(,"error":{"code":-32022,"message":"unsupported",)"
                                   R"("data":{"supported":["2026-07-28"],"requested":""}}})"));
  }
  CheckHeaders(head, message, true);
  if (At(message, "/id").is_null()) {
    surface_->OnNotification(message, scope);
    return wire.Write(Response("202 Accepted", "", ""));
  }
  surface_->Begin(turn);
  surface_->Serve(turn);
  return !turn.dropped() && !turn.cancelled();
}

bool FakeServer::AnswerLegacy(Wire& wire, const Head& head, const json::value& message,
                              std::string body) {
  std::string session = head.Get("mcp-session-id");
  const bool opens = TextAt(message, "/method") == "initialize";
  if (!opens && !Known(session)) {
    const std::string error =
        R"({"jsonrpc":"2.0","error":{"code":-32000,"message":"no valid session"}})";
    return wire.Write(
        Response(session.empty() ? "400 Bad Request" : "404 Not Found", kJson, error));
  }
  CheckHeaders(head, message, false);
  if (opens) session = NewSession();
  if (At(message, "/method").is_null()) {
    if (!surface_->questions().Take(message))
      surface_->Complain("an answer to no question: " + body);
    return wire.Write(Response("202 Accepted", "", ""));
  }
  if (At(message, "/id").is_null()) {
    surface_->OnNotification(message, session);
    return wire.Write(Response("202 Accepted", "", ""));
  }
  HttpTurn turn(*surface_, std::move(body), session, wire);
  if (opens) turn.AddHeader("Mcp-Session-Id: " + session);
  surface_->Begin(turn);
  surface_->Serve(turn);
  // cancelled: no response, but the exchange ends
  if (turn.cancelled()) wire.Write(Response("202 Accepted", "", ""));
  return !turn.dropped();
}

bool FakeServer::Stream(Wire& wire, const std::string& session) {
  HttpTurn turn(*surface_, "{}", "stream", wire, true);
  turn.BeginStream();
  surface_->Listen(
      turn, {.kinds = {"tools", "prompts", "resources"}, .uris = {}, .session = session}, "");
  return false;
}

void FakeServer::CheckHeaders(const Head& head, const json::value& message, bool modern) {
  const std::string method = TextAt(message, "/method");
  const auto expect = [&](bool holds, const std::string& what) {
    if (!holds) surface_->Complain(method + ": " + what);
  };
  const std::string accept = head.Get("accept");
  const bool both = accept.find("application/json") != std::string::npos &&
                    accept.find("text/event-stream") != std::string::npos;
  expect(both, "Accept must name both types, got " + accept);
  expect(head.Get("content-type").starts_with("application/json"), "wrong Content-Type");
  expect(head.Has("host"), "no Host");
  if (!modern) {
    expect(method == "initialize" || head.Get("mcp-protocol-version") == "2025-11-25",
           "not the negotiated version: " + head.Get("mcp-protocol-version"));
    return;
  }
  expect(head.Get("mcp-protocol-version") == "2026-07-28", "wrong MCP-Protocol-Version");
  expect(head.Get("mcp-method") == method, "Mcp-Method says " + head.Get("mcp-method"));
  expect(!head.Has("mcp-session-id"), "a session in the modern era");
  const std::string name = NameFor(message);
  const bool plain =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-:/.") == std::string::npos;
  if (!plain) {
    expect(head.Get("mcp-name").starts_with("=?base64?"), "Mcp-Name is not encoded");
  } else {
    expect(head.Get("mcp-name") == name, "Mcp-Name says " + head.Get("mcp-name"));
  }
}

bool FakeServer::Known(const std::string& session) const {
  const std::scoped_lock lock(mutex_);
  return sessions_.contains(session);
}

std::string FakeServer::NewSession() {
  const std::scoped_lock lock(mutex_);
  return *sessions_.insert("session-" + std::to_string(++minted_)).first;
}

}  // namespace switchyard::tests
