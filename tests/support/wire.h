// Blocking HTTP/1.1 over one TCP connection, for both ends. Written apart from the gateway's own
// HTTP on purpose: the two check each other. One thread a Wire; Shutdown() from any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::tests {

class Wire {
 public:
  Wire() = default;
  explicit Wire(int fd) : fd_(fd) {}
  Wire(Wire&& other) noexcept;
  Wire& operator=(Wire&& other) noexcept;
  ~Wire() { Close(); }

  // To 127.0.0.1; reads on it give up after kPatience. Not open when nobody listens.
  static Wire Connect(std::uint16_t port);

  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  bool Write(std::string_view bytes);     // false: the peer is gone
  std::optional<std::string> ReadLine();  // without its line end; nullopt: end or error
  std::optional<std::string> ReadExactly(std::size_t count);
  std::string ReadToEnd();
  // The peer closed, in order or not; false when it did not within kPatience or sent something.
  bool WaitForEnd();

  void Shutdown();   // both directions, wakes a blocked reader
  void HalfClose();  // no more bytes from us
  void Reset();      // the peer gets RST
  void Close();

 private:
  bool Fill();

  int fd_ = -1;
  std::string buffer_;
};

using Headers = std::map<std::string, std::string>;  // names in lower case

struct Head {
  std::string start;  // "HTTP/1.1 200 OK" or "POST /mcp HTTP/1.1"
  Headers headers;

  std::string Get(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  bool Has(const std::string& name) const { return headers.contains(name); }
  int status() const;  // of a response
};

std::optional<Head> ReadHead(Wire& wire);
// By Content-Length or chunks; a response without either ends with its connection.
std::optional<std::string> ReadBody(Wire& wire, const Head& head, bool response);

// The events of a text/event-stream body. Comments are skipped.
class EventStream {
 public:
  explicit EventStream(const Head& head);
  // The data of the next event; nullopt at the end, in order (`ended`) or not.
  std::optional<std::string> Next(Wire& wire);
  bool ended() const { return ended_; }
  bool saw_id() const { return saw_id_; }  // event ids have no place in the modern era

 private:
  std::optional<std::string> Line(Wire& wire);

  bool chunked_;
  std::string text_;
  bool ended_ = false, saw_id_ = false;
};

std::string ChunkOf(std::string_view bytes);

}  // namespace switchyard::tests
