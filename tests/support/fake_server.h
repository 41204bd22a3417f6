// A fake MCP server over Streamable HTTP, in this process: a Surface (surface.h) behind a port of
// its own, strict about what it receives. A thread a connection, so that a handler may block and
// reads from top to bottom.
//
//   FakeServer fake = FakeServer::Modern("a");
//   fake.surface().AddTool("liar", [](Turn& turn) { ... });
//
// Its destructor fails the running test when it has something to complain of, unless
// ExpectComplaints().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/surface.h"
#include "support/wire.h"

namespace switchyard::tests {

class FakeServer {
 public:
  enum class Start { kUp, kDown };

  static FakeServer Modern(std::string name = "fake", Start start = Start::kUp) {
    return FakeServer(std::move(name), Era::kModern, start);
  }
  static FakeServer Legacy(std::string name = "fake", Start start = Start::kUp) {
    return FakeServer(std::move(name), Era::kLegacy, start);
  }
  FakeServer(const FakeServer&) = delete;
  ~FakeServer();

  Surface& surface() { return *surface_; }
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }

  // Down: connections are cut and new ones refused, though the port stays ours.
  void Down();
  void Up();

  void Become(Era era);   // another program at the same URL; sessions are gone
  void ForgetSessions();  // the next request of a session gets 404
  void ExpectComplaints() { complaints_expected_ = true; }

  struct Received {
    std::string verb;  // POST, GET, DELETE
    Headers headers;
    std::string body;
    json::value message;

    std::string method() const { return TextAt(message, "/method"); }
  };
  std::vector<Received> received() const;
  std::vector<Received> received(std::string_view method) const;
  // All connections were closed by the other side; false when they were not within kPatience.
  bool IsDeserted();

 private:
  class HttpTurn;
  struct Connection {
    explicit Connection(Wire wire_in) : wire(std::move(wire_in)) {}
    Wire wire;
    std::thread thread;
  };

  FakeServer(std::string name, Era era, Start start);

  void Bind();
  void Accept();
  void Converse(Wire& wire, std::string scope);
  bool Answer(Wire& wire, const std::string& scope, const Head& head, std::string body);
  bool AnswerPost(Wire& wire, const std::string& scope, const Head& head, std::string body);
  bool AnswerLegacy(Wire& wire, const Head& head, const json::value& message, std::string body);
  bool Stream(Wire& wire, const std::string& session);
  void CheckHeaders(const Head& head, const json::value& message, bool modern);
  bool Known(const std::string& session) const;
  std::string NewSession();

  std::unique_ptr<Surface> surface_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> accepted_ = 0;
  bool complaints_expected_ = false;

  int listening_ = -1;
  std::unique_ptr<Event> closing_;
  std::thread acceptor_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::list<Connection> connections_;
  std::vector<Received> received_;
  std::set<std::string> sessions_;
  unsigned minted_ = 0, open_ = 0;
  std::condition_variable closed_;  // open_ went down
};

}  // namespace switchyard::tests
