#include "edge/stdio_server.h"

#include <array>
#include <fcntl.h>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;

Error LineTooLong(std::size_t limit) {
  return Error{.code = Code::kTooLarge,
               .origin = Origin::kClient,
               .message = "line over " + std::to_string(limit) + " bytes",
               .rpc_code = mcp::kInvalidRequest};
}

}  // namespace

StdioServer::StdioServer(Executor executor, int in, int out, Service& service, Sessions& sessions,
                         std::size_t max_line)
    : executor_(executor),
      in_(executor, in),
      out_(executor, out == in ? ::fcntl(out, F_DUPFD_CLOEXEC, 0) : out),
      channel_(executor, service, sessions, {}),
      max_line_(max_line) {}

Task<void> StdioServer::Run() {
  writer_ = TaskHandle(executor_, "stdio writer", WriteLoop());
  std::string buffer;
  bool skipping = false;  // the rest of a line that was too long
  while (!channel_.broken()) {
    const std::size_t old = buffer.size();
    buffer.resize_and_overwrite(old + kReadSize, [](char*, std::size_t size) { return size; });
    boost::system::error_code error;
    const std::size_t count = co_await in_.async_read_some(
        net::buffer(buffer.data() + old, kReadSize), net::redirect_error(use_task, error));
    buffer.resize(old + count);
    if (error) break;
    ReceiveLines(buffer, old, skipping);
    co_await channel_.WaitUntilNotFull();
  }
  if (!buffer.empty() && !skipping) Receive(std::move(buffer));  // a last line without its end
  // End of input means no more requests; what was asked is still answered.
  co_await channel_.Drain();
  writer_.Cancel();
  co_await channel_.Finish();
}

void StdioServer::EndInput() {
  boost::system::error_code ignored;
  in_.close(ignored);
}

void StdioServer::Abort() {
  channel_.Break();
  EndInput();
}

void StdioServer::ReceiveLines(std::string& buffer, std::size_t searched, bool& skipping) {
  std::size_t begin = 0;
  for (std::size_t end; (end = buffer.find('\n', std::max(begin, searched))) != std::string::npos;
       begin = end + 1) {
    if (!std::exchange(skipping, false)) Receive(buffer.substr(begin, end - begin));
  }
  buffer.erase(0, begin);
  if (buffer.size() <= max_line_) return;
  if (!skipping) {
    channel_.Refuse("", LineTooLong(max_line_));
  }
  skipping = true;
  buffer.clear();
}

void StdioServer::Receive(std::string line) {
  if (line.ends_with('\r')) line.pop_back();
  if (line.find_first_not_of(" \t") != std::string::npos) channel_.Receive(std::move(line));
}

Task<void> StdioServer::WriteLoop() {
  const ChannelServer::Live live(channel_);
  for (;;) {
    const bool more = co_await channel_.WaitForOutgoing();
    if (!more) co_return;
    const std::array<net::const_buffer, 2> line = {net::buffer(channel_.outgoing()),
                                                   net::buffer("\n", 1)};
    boost::system::error_code error;
    co_await net::async_write(out_, line, net::redirect_error(use_task, error));
    if (error == net::error::operation_aborted) co_return;
    if (error) {
      Abort();
      co_return;
    }
    channel_.Sent();
  }
}

}  // namespace switchyard::edge
