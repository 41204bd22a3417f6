#include "edge/stdio_server.h"

#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "edge/answer.h"
#include "edge/legacy.h"
#include "edge/modern.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
// A client that reads nothing while answers pile up is given up at this many waiting lines.
constexpr std::size_t kMaxOutgoing = 100'000;
// More calls at once than this wait in the pipe.
constexpr std::size_t kMaxRunning = 1024;

}  // namespace

class StdioServer::LineSink final : public Sink {
 public:
  explicit LineSink(StdioServer& server) : server_(server) {}
  Task<bool> Notify(mcp::Message notification) override {
    server_.Send(notification);
    co_return !server_.broken_;
  }
  Task<void> Finish(mcp::Message response, const Error*) override {
    server_.Send(response);
    co_return;
  }

 private:
  StdioServer& server_;
};

StdioServer::StdioServer(Executor executor, int in, int out, Service& service, Sessions& sessions,
                         std::size_t max_line)
    : executor_(executor),
      in_(executor, in),
      out_(executor, out),
      service_(service),
      sessions_(sessions),
      max_line_(max_line) {}

Task<void> StdioServer::Run() {
  TaskHandle writer(executor_, "stdio writer", WriteLoop());
  std::string buffer;
  bool skipping = false;  // the rest of a line that was too long
  for (;;) {
    const std::size_t old = buffer.size();
    buffer.resize(old + kReadSize);
    boost::system::error_code error;
    const std::size_t count = co_await in_.async_read_some(
        net::buffer(buffer.data() + old, kReadSize), net::redirect_error(use_task, error));
    buffer.resize(old + count);
    if (error) break;
    std::size_t begin = 0;
    std::size_t searched = old;
    for (std::size_t end; (end = buffer.find('\n', std::max(begin, searched))) !=
                          std::string::npos;
         begin = end + 1) {
      if (!std::exchange(skipping, false)) Receive(buffer.substr(begin, end - begin));
    }
    buffer.erase(0, begin);
    if (buffer.size() > max_line_) {
      if (!skipping) {
        Refuse("", Error{.code = Code::kTooLarge,
                         .origin = Origin::kClient,
                         .message = "line over " + std::to_string(max_line_) + " bytes",
                         .rpc_code = mcp::kInvalidRequest});
      }
      skipping = true;
      buffer.clear();
    }
    while (running_.size() >= kMaxRunning && !broken_) co_await finished_.Take();
    while (!finished_.empty()) co_await finished_.Take();
    if (broken_) break;
  }
  // End of input means no more requests; what was asked is still answered.
  changes_.Cancel();
  while (!running_.empty() && !broken_) co_await finished_.Take();
  while (!outgoing_.empty() && !broken_) co_await finished_.Take();
  writer.Cancel();
  if (session_ != nullptr) sessions_.End(session_->client->session);
}

void StdioServer::Receive(std::string line) {
  if (line.ends_with('\r')) line.pop_back();
  if (line.find_first_not_of(" \t") == std::string::npos) return;
  std::string raw_id;
  Result<mcp::Message> message =
      mcp::Message::Parse(std::move(line), mcp::Check::kFull, &raw_id);
  if (!message) {
    Refuse(raw_id, message.error());
    return;
  }
  if (message->method() == mcp::Method::kCancelled) {
    Cancel(std::string(message->Get(mcp::Key::kRequestId)));
    return;
  }
  if (!IsModernRequest(*message, "")) {
    ReceiveLegacy(std::move(*message));
    return;
  }
  if (message->kind() != mcp::Kind::kRequest) return;
  raw_id = message->id();
  Result<Call> call = MakeModernCall(std::move(*message), "");
  if (!call) {
    Refuse(raw_id, call.error());
    return;
  }
  Start(raw_id, ServeCall(std::move(*call), raw_id));
}

void StdioServer::ReceiveLegacy(mcp::Message message) {
  const std::string raw_id(message.id());
  if (message.kind() == mcp::Kind::kNotification) {
    // From now on the client may be told of changes (L-LIFE: not before it is initialized).
    if (message.method() == mcp::Method::kInitialized && session_ != nullptr) {
      changes_ = TaskHandle(executor_, "stdio changes", ServeChanges());
    }
    return;
  }
  if (message.kind() != mcp::Kind::kRequest) return;
  if (message.method() == mcp::Method::kInitialize) {
    Start(raw_id, ServeInitialize(std::move(message)));
    return;
  }
  if (message.method() == mcp::Method::kPing) {
    Send(mcp::Message::FromResult(raw_id, std::string("{}")));
    return;
  }
  if (session_ == nullptr) {
    Refuse(raw_id, Error{.code = Code::kInvalid,
                         .origin = Origin::kClient,
                         .message = "send initialize first, or speak 2026-07-28 with params._meta",
                         .rpc_code = mcp::kInvalidRequest});
    return;
  }
  Result<LegacyCall> made = MakeLegacyCall(std::move(message), session_, sessions_);
  if (!made) {
    Refuse(raw_id, made.error());
  } else if (made->answer) {
    Send(*made->answer);
  } else {
    Start(raw_id, ServeCall(std::move(made->call), raw_id));
  }
}

void StdioServer::Start(std::string raw_id, Task<void> task) {
  if (running_.contains(raw_id)) {
    Refuse(raw_id, Error{.code = Code::kInvalid,
                         .origin = Origin::kClient,
                         .message = "a request with this id is still being served",
                         .rpc_code = mcp::kInvalidRequest});
    return;
  }
  running_[raw_id] = TaskHandle(executor_, "stdio call", std::move(task));
}

Task<void> StdioServer::ServeInitialize(mcp::Message message) {
  const std::string raw_id(message.id());
  Result<Initialized> initialized = co_await Initialize(message, "", service_);
  if (initialized) {
    session_ = sessions_.Open(std::move(initialized->client), "");
    Send(initialized->response);
  } else {
    Refuse(raw_id, initialized.error());
  }
  Cancel(raw_id);
}

Task<void> StdioServer::ServeCall(Call call, std::string raw_id) {
  LineSink sink(*this);
  co_await Answer(service_, call, sink);
  Cancel(raw_id);
}

Task<void> StdioServer::ServeChanges() {
  Call call = MakeStreamCall(*session_);
  LineSink sink(*this);
  co_await Answer(service_, call, sink);
}

// Of a call that is over it only forgets the handle; no response follows a cancel (L-CAN, CAN).
void StdioServer::Cancel(const std::string& raw_id) {
  const auto found = running_.find(raw_id);
  if (found == running_.end()) return;
  const TaskHandle ending = std::move(found->second);
  running_.erase(found);
  finished_.Put(true);
}

void StdioServer::Refuse(std::string_view raw_id, const Error& error) {
  Send(mcp::ErrorMessage(raw_id, error));
}

void StdioServer::Send(const mcp::Message& message) {
  if (broken_) return;
  if (outgoing_.size() >= kMaxOutgoing) {
    spdlog::error("stdio client does not read: giving up");
    broken_ = true;
    finished_.Put(true);
    return;
  }
  outgoing_.push_back(message.ToText() + '\n');
  if (wake_writer_.empty()) wake_writer_.Put(true);
}

Task<void> StdioServer::WriteLoop() {
  for (;;) {
    co_await wake_writer_.Take();
    while (!outgoing_.empty()) {
      boost::system::error_code error;
      co_await net::async_write(out_, net::buffer(outgoing_.front()),
                                net::redirect_error(use_task, error));
      if (error) {
        broken_ = true;
        finished_.Put(true);
        co_return;
      }
      outgoing_.pop_front();
    }
    finished_.Put(true);
  }
}

}  // namespace switchyard::edge
