#include "support/wire.h"

#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "support/event.h"

namespace switchyard::tests {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

}  // namespace

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

Wire& Wire::operator=(Wire&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = std::exchange(other.fd_, -1);
  buffer_ = std::move(other.buffer_);
  return *this;
}

Wire Wire::Connect(std::uint16_t port) {
  Wire wire(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(wire.fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return Wire();
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  ::setsockopt(wire.fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(wire.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return wire;
}

bool Wire::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Wire::Fill() {
  std::array<char, 65536> chunk;
  ssize_t count = -1;
  do {
    count = ::recv(fd_, chunk.data(), chunk.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return false;
  buffer_.append(chunk.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> Wire::ReadLine() {
  std::size_t end = 0;
  std::size_t searched = 0;
  while ((end = buffer_.find('\n', searched)) == std::string::npos) {
    searched = buffer_.size();
    if (!Fill()) return std::nullopt;
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::optional<std::string> Wire::ReadExactly(std::size_t count) {
  while (buffer_.size() < count) {
    if (!Fill()) return std::nullopt;
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::string Wire::ReadToEnd() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

bool Wire::WaitForEnd() {
  char byte = 0;
  const ssize_t count = buffer_.empty() ? ::recv(fd_, &byte, 1, 0) : 1;
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

void Wire::Shutdown() { ::shutdown(fd_, SHUT_RDWR); }
void Wire::HalfClose() { ::shutdown(fd_, SHUT_WR); }

void Wire::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

void Wire::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  buffer_.clear();
}

int Head::status() const {
  int status = 0;
  const std::size_t space = start.find(' ');
  if (space == std::string::npos) return 0;
  std::from_chars(start.data() + space + 1, start.data() + start.size(), status);
  return status;
}

std::optional<Head> ReadHead(Wire& wire) {
  std::optional<std::string> line = wire.ReadLine();
  if (!line) return std::nullopt;
  Head head{.start = std::move(*line), .headers = {}};
  while ((line = wire.ReadLine())) {
    if (line->empty()) return head;
    const std::size_t colon = line->find(':');
    if (colon == std::string::npos) return std::nullopt;
    head.headers[Lower(line->substr(0, colon))] = Trim(std::string_view(*line).substr(colon + 1));
  }
  return std::nullopt;
}

std::optional<std::string> ReadBody(Wire& wire, const Head& head, bool response) {
  if (head.Has("content-length")) return wire.ReadExactly(std::stoul(head.Get("content-length")));
  if (Lower(head.Get("transfer-encoding")) != "chunked") {
    const bool none = !response || head.status() == 204;
    return none ? std::string() : wire.ReadToEnd();
  }
  std::string body;
  for (;;) {
    const std::optional<std::string> size = wire.ReadLine();
    if (!size) return std::nullopt;
    const std::size_t count = std::stoul(*size, nullptr, 16);
    const std::optional<std::string> bytes = wire.ReadExactly(count);
    if (!bytes || !wire.ReadLine()) return std::nullopt;
    if (count == 0) return body;
    body += *bytes;
  }
}

EventStream::EventStream(const Head& head)
    : chunked_(Lower(head.Get("transfer-encoding")) == "chunked") {}

std::optional<std::string> EventStream::Line(Wire& wire) {
  if (!chunked_) return wire.ReadLine();
  std::size_t end = 0;
  while ((end = text_.find('\n')) == std::string::npos) {
    const std::optional<std::string> size = ended_ ? std::nullopt : wire.ReadLine();
    if (!size) return std::nullopt;
    const std::size_t count = std::stoul(*size, nullptr, 16);
    const std::optional<std::string> bytes = wire.ReadExactly(count);
    if (!bytes || !wire.ReadLine()) return std::nullopt;
    ended_ = count == 0;
    text_ += *bytes;
  }
  std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  return line;
}

std::optional<std::string> EventStream::Next(Wire& wire) {
  std::string data;
  while (std::optional<std::string> line = Line(wire)) {
    if (line->empty() && !data.empty()) return data;
    if (line->starts_with("id:")) saw_id_ = true;
    if (line->starts_with("data:")) data += Trim(std::string_view(*line).substr(5));
  }
  return std::nullopt;
}

std::string ChunkOf(std::string_view bytes) {
  std::array<char, 20> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  return std::string(size.data(), end) + "\r\n" + std::string(bytes) + "\r\n";
}

}  // namespace switchyard::tests
