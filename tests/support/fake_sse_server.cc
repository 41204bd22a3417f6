#include "support/fake_sse_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <utility>

#include <gtest/gtest.h>

namespace switchyard::tests {
namespace {

std::string Response(std::string_view status, std::string_view body = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string SessionIn(const std::string& target) {
  const std::size_t at = target.find("session=");
  return at == std::string::npos ? "" : target.substr(at + 8);
}

}  // namespace

// Everything goes to the stream of the session.
class FakeSseServer::StreamTurn final : public Turn {
 public:
  StreamTurn(Surface& surface, std::string raw, std::string session, StreamPtr stream)
      : Turn(surface, std::move(raw), std::move(session)), stream_(std::move(stream)) {}
  void Send(std::string message) override { Write(*stream_, EventOf(message)); }
  void Finish(std::string response, int) override {
    if (!cancelled()) Send(std::move(response));
  }
  void Bytes(std::string bytes) override {
    for (std::size_t end; (end = bytes.find('\n')) != std::string::npos;) {
      Send(bytes.substr(0, end));
      bytes.erase(0, end + 1);
    }
    Send(std::move(bytes));
  }
  void Verbatim(std::string bytes) override { Write(*stream_, bytes); }
  void Drop() override {
    const std::scoped_lock lock(stream_->writing);
    if (stream_->wire != nullptr) stream_->wire->Shutdown();
  }
  void HalfClose() override {
    const std::scoped_lock lock(stream_->writing);
    if (stream_->wire != nullptr) stream_->wire->HalfClose();
  }

 private:
  const StreamPtr stream_;
};

FakeSseServer::FakeSseServer(std::string name)
    : surface_(std::make_unique<Surface>(std::move(name))) {
  surface_->Speak(false, true);
  surface_->OnChange([this](std::string notification) { Say(EventOf(notification)); });
  surface_->OnMethod("initialize", [this](Turn& turn) {
    turn.Result(R"("protocolVersion":")" + version_ +
                R"(","capabilities":{"tools":{"listChanged":true},"prompts":{},"resources":{},)"
                R"("logging":{}},"serverInfo":{"name":"fake","version":"1"})");
  });
  Bind();
  Up();
}

FakeSseServer::~FakeSseServer() {
  surface_->OnChange(nullptr);
  surface_->Stop();
  Down();
  ::close(listening_);
  for (std::thread& thread : serving_) thread.join();
  if (complaints_expected_) return;
  for (const std::string& complaint : surface_->complaints()) {
    ADD_FAILURE() << "server " << surface_->name() << ": " << complaint;
  }
}

void FakeSseServer::Bind() {
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

void FakeSseServer::Up() {
  if (acceptor_.joinable()) return;
  closing_ = std::make_unique<Event>();
  ::listen(listening_, 128);
  acceptor_ = std::thread([this] { Accept(); });
}

void FakeSseServer::Down() {
  if (!acceptor_.joinable()) return;
  closing_->Set();
  acceptor_.join();
  ::close(listening_);  // bound but not listening: connects are refused
  Bind();
  CutAll();
}

void FakeSseServer::CutAll() {
  std::list<Connection> connections;
  {
    const std::scoped_lock lock(mutex_);
    connections.swap(connections_);
  }
  for (Connection& connection : connections) connection.wire.Shutdown();
  for (Connection& connection : connections) connection.thread.join();
}

void FakeSseServer::Accept() {
  for (;;) {
    const pollfd incoming{.fd = listening_, .events = POLLIN, .revents = 0};
    const int which = WaitForAny({Set(*closing_), incoming}, std::chrono::hours(1));
    if (which <= 0) return;
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::scoped_lock lock(mutex_);
    Connection& connection = connections_.emplace_back(Wire(fd));
    ++open_;
    connection.thread = std::thread([this, &connection] {
      Converse(connection.wire);
      connection.wire.Shutdown();
      const std::scoped_lock closing(mutex_);
      --open_;
      news_.notify_all();
    });
  }
}

void FakeSseServer::Converse(Wire& wire) {
  while (std::optional<Head> head = ReadHead(wire)) {
    std::optional<std::string> body = ReadBody(wire, *head, false);
    if (!body) return;
    const std::size_t blank = head->start.find(' ');
    const std::string verb = head->start.substr(0, blank);
    const std::string target = head->start.substr(blank + 1, head->start.rfind(' ') - blank - 1);
    {
      const std::scoped_lock lock(mutex_);
      received_.push_back({.verb = verb,
                           .path = target.substr(0, target.find('?')),
                           .headers = head->headers,
                           .message = Parse(*body)});
    }
    if (verb == "GET" && target == "/sse") {
      OpenStream(wire);
      return;
    }
    const bool message = verb == "POST" && target.starts_with("/messages?");
    if (!message && !wire.Write(Response(refusal_))) return;
    if (message && !TakePost(wire, *head, std::move(*body))) return;
  }
}

bool FakeSseServer::OpenStream(Wire& wire) {
  const auto stream = std::make_shared<Stream>();
  stream->wire = &wire;
  std::string session;
  {
    const std::scoped_lock lock(mutex_);
    session = std::to_string(++minted_);
    forgetful_ = false;
    streams_[session] = stream;
  }
  const std::string address = endpoint_.empty() ? "/messages?session=" + session : endpoint_;
  Write(*stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + first_ +
                     "event: endpoint\ndata: " + address + "\n\n");
  while (wire.ReadExactly(1)) {
  }
  {
    const std::scoped_lock lock(mutex_);
    streams_.erase(session);
  }
  const std::scoped_lock lock(stream->writing);
  stream->wire = nullptr;
  return false;
}

bool FakeSseServer::TakePost(Wire& wire, const Head& head, std::string body) {
  const std::string session = SessionIn(head.start.substr(0, head.start.rfind(' ')));
  StreamPtr stream;
  const json::value message = Parse(body);
  {
    const std::scoped_lock lock(mutex_);
    const auto found = streams_.find(session);
    if (found != streams_.end() && !forgetful_) stream = found->second;
    if (stream != nullptr && At(message, "/method").is_null()) {
      surface_->questions().Take(message);  // of a tool; else of Ask()
      answers_.push_back(body);
      news_.notify_all();
    }
  }
  if (stream == nullptr) return wire.Write(Response("404 Not Found", "no such session"));
  const std::string method = TextAt(message, "/method");
  CheckHeaders(head, method);
  if (At(message, "/id").is_null() || method.empty()) {
    if (!method.empty()) surface_->OnNotification(message, session);
    return wire.Write(Response("202 Accepted", "Accepted"));
  }
  auto turn = std::make_shared<StreamTurn>(*surface_, std::move(body), session, stream);
  surface_->Begin(*turn);
  if (late_) {
    surface_->Serve(*turn);
  } else {
    const std::scoped_lock lock(mutex_);
    serving_.emplace_back([this, turn] { surface_->Serve(*turn); });
  }
  return wire.Write(Response("202 Accepted", "Accepted"));
}

void FakeSseServer::CheckHeaders(const Head& head, const std::string& method) {
  const auto expect = [&](bool holds, const std::string& what) {
    if (!holds) surface_->Complain(method + ": " + what);
  };
  expect(head.Get("content-type").starts_with("application/json"), "wrong Content-Type");
  expect(!head.Has("mcp-session-id"), "a session header in HTTP+SSE");
  expect(!head.Has("mcp-method"), "a modern header in HTTP+SSE");
  expect(version_ != "2024-11-05" || !head.Has("mcp-protocol-version"),
         "2024-11-05 has no version header");
}

bool FakeSseServer::Write(Stream& stream, std::string_view bytes) {
  const std::scoped_lock lock(stream.writing);
  return stream.wire != nullptr && stream.wire->Write(bytes);
}

std::string FakeSseServer::EventOf(std::string_view data) {
  return "event: message\ndata: " + std::string(data) + "\n\n";
}

void FakeSseServer::Say(const std::string& event) {
  std::vector<StreamPtr> streams;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [session, stream] : streams_) streams.push_back(stream);
  }
  for (const StreamPtr& stream : streams) Write(*stream, event);
}

void FakeSseServer::Ask(const std::string& request) { Say(EventOf(request)); }

std::string FakeSseServer::Answered() {
  std::unique_lock lock(mutex_);
  if (!news_.wait_for(lock, kPatience, [this] { return !answers_.empty(); })) return "";
  return answers_.back();
}

std::vector<FakeSseServer::Received> FakeSseServer::received() const {
  const std::scoped_lock lock(mutex_);
  return received_;
}

std::vector<FakeSseServer::Received> FakeSseServer::received(std::string_view method) const {
  std::vector<Received> all = received();
  std::erase_if(all, [method](const Received& one) { return one.method() != method; });
  return all;
}

std::size_t FakeSseServer::streams() const {
  const std::scoped_lock lock(mutex_);
  return minted_;
}

bool FakeSseServer::IsDeserted() {
  std::unique_lock lock(mutex_);
  return news_.wait_for(lock, kPatience, [this] { return open_ == 0; });
}

}  // namespace switchyard::tests
