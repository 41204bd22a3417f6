// A fake MCP server of 2024-11-05 over HTTP+SSE, in this process: a Surface (surface.h) behind a
// stream and an address to post to, strict about what it receives. A thread a connection and a
// request.
//
// Its destructor fails the running test when it has something to complain of, unless
// ExpectComplaints().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/surface.h"
#include "support/wire.h"

namespace switchyard::tests {

class FakeSseServer {
 public:
  explicit FakeSseServer(std::string name = "a");
  FakeSseServer(const FakeSseServer&) = delete;
  ~FakeSseServer();

  Surface& surface() { return *surface_; }
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/sse"; }

  // How it is from now on; before any of it a server as it should be.
  void RefusesPostsToItsUrlWith(std::string status) { refusal_ = std::move(status); }
  void NamesEndpoint(std::string address) { endpoint_ = std::move(address); }  // "" = its own
  void SaysFirst(std::string event) { first_ = std::move(event); }  // before the endpoint
  void TakesPostsOnlyWhenServed() { late_ = true; }  // 202 after the answer, as some SDKs do
  void ForgetsSessions() { forgetful_ = true; }      // 404 to every message until the next stream
  void Speaks(std::string version) { version_ = std::move(version); }

  // Writes to every open stream.
  void Say(const std::string& event);
  // Asks a request of our own on every stream; its answer is waited for by Answered().
  void Ask(const std::string& request);
  std::string Answered();  // "" = none within kPatience

  // All streams and other connections are cut; new ones are taken.
  void CutAll();
  void Down();  // the same, and none are taken
  void Up();
  void ExpectComplaints() { complaints_expected_ = true; }

  struct Received {
    std::string verb, path;
    Headers headers;
    json::value message;
    std::string method() const { return TextAt(message, "/method"); }
  };
  std::vector<Received> received() const;
  std::vector<Received> received(std::string_view method) const;
  std::size_t streams() const;  // ever opened
  bool IsDeserted();            // false when it still is not after kPatience

 private:
  class StreamTurn;
  struct Stream {
    Wire* wire = nullptr;
    std::mutex writing;
  };
  using StreamPtr = std::shared_ptr<Stream>;
  struct Connection {
    explicit Connection(Wire wire_in) : wire(std::move(wire_in)) {}
    Wire wire;
    std::thread thread;
  };

  void Bind();
  void Accept();
  void Converse(Wire& wire);
  bool OpenStream(Wire& wire);
  bool TakePost(Wire& wire, const Head& head, std::string body);
  void CheckHeaders(const Head& head, const std::string& method);
  static bool Write(Stream& stream, std::string_view bytes);
  static std::string EventOf(std::string_view data);

  std::unique_ptr<Surface> surface_;
  std::uint16_t port_ = 0;
  bool complaints_expected_ = false;
  std::string refusal_ = "405 Method Not Allowed", endpoint_, first_, version_ = "2024-11-05";
  std::atomic<bool> late_ = false, forgetful_ = false;

  int listening_ = -1;
  std::unique_ptr<Event> closing_;
  std::thread acceptor_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::list<Connection> connections_;
  std::list<std::thread> serving_;
  std::vector<Received> received_;
  std::map<std::string, StreamPtr> streams_;  // by session
  std::vector<std::string> answers_;
  std::size_t minted_ = 0, open_ = 0;
  std::condition_variable news_;
};

}  // namespace switchyard::tests
