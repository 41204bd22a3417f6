#include "edge/stdio_server.h"

#include <fcntl.h>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include "edge/answer.h"
#include "edge/legacy.h"
#include "edge/modern.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
// More bytes than this that the client did not read yet: who would send more waits.
constexpr std::size_t kMaxOutgoing = 4 * 1024 * 1024;
// More calls at once than this wait in the pipe.
constexpr std::size_t kMaxRunning = 1024;

Error InvalidRequest(std::string message) {
  return Error{.code = Code::kInvalid,
               .origin = Origin::kClient,
               .message = std::move(message),
               .rpc_code = mcp::kInvalidRequest};
}

}  // namespace

// In the frame of each task, however it ends: Run() waits until the last one is gone.
struct StdioServer::Live {
  explicit Live(StdioServer& owner, std::shared_ptr<bool> flag = nullptr)
      : server(owner), over(std::move(flag)) {
    ++server.live_;
  }
  Live(const Live&) = delete;
  ~Live() {
    if (over != nullptr) *over = true;
    --server.live_;
    server.Wake();
  }
  StdioServer& server;
  std::shared_ptr<bool> over;
};

class StdioServer::LineSink final : public Sink {
 public:
  // kDropped: the client asked for nothing that could be answered.
  enum class Response { kSent, kDropped };
  explicit LineSink(StdioServer& server, Response response = Response::kSent)
      : server_(server), response_(response) {}
  Task<bool> Notify(mcp::Message notification) override {
    server_.Send(notification);
    co_await server_.WaitForRoom();
    co_return !server_.broken_;
  }
  Task<void> Finish(mcp::Message response, const Error*) override {
    if (response_ == Response::kDropped) co_return;
    server_.Send(response);
    co_await server_.WaitForRoom();
  }

 private:
  StdioServer& server_;
  const Response response_;
};

StdioServer::StdioServer(Executor executor, int in, int out, Service& service, Sessions& sessions,
                         std::size_t max_line)
    : executor_(executor),
      in_(executor, in),
      out_(executor, out == in ? ::fcntl(out, F_DUPFD_CLOEXEC, 0) : out),
      service_(service),
      sessions_(sessions),
      max_line_(max_line) {}

Task<void> StdioServer::Run() {
  writer_ = TaskHandle(executor_, "stdio writer", WriteLoop());
  std::string buffer;
  bool skipping = false;  // the rest of a line that was too long
  while (!broken_) {
    const std::size_t old = buffer.size();
    buffer.resize_and_overwrite(old + kReadSize, [](char*, std::size_t size) { return size; });
    boost::system::error_code error;
    const std::size_t count = co_await in_.async_read_some(
        net::buffer(buffer.data() + old, kReadSize), net::redirect_error(use_task, error));
    buffer.resize(old + count);
    if (error) break;
    ReceiveLines(buffer, old, skipping);
    for (Reap(); running_.size() >= kMaxRunning && !broken_; Reap()) co_await woken_.Take();
  }
  if (!buffer.empty() && !skipping) Receive(std::move(buffer));  // a last line without its end
  // End of input means no more requests; what was asked is still answered.
  changes_.Cancel();
  std::erase_if(running_, [](const auto& entry) { return entry.second.lasting; });
  for (Reap(); !running_.empty() && !broken_; Reap()) co_await woken_.Take();
  while (!outgoing_.empty() && !broken_) co_await woken_.Take();
  running_.clear();
  writer_.Cancel();
  while (live_ > 0) co_await woken_.Take();
  if (session_ != nullptr) sessions_.End(session_->client->session);
}

void StdioServer::EndInput() {
  boost::system::error_code ignored;
  in_.close(ignored);
}

void StdioServer::Abort() { Break(); }

void StdioServer::ReceiveLines(std::string& buffer, std::size_t searched, bool& skipping) {
  std::size_t begin = 0;
  for (std::size_t end; (end = buffer.find('\n', std::max(begin, searched))) != std::string::npos;
       begin = end + 1) {
    if (!std::exchange(skipping, false)) Receive(buffer.substr(begin, end - begin));
  }
  buffer.erase(0, begin);
  if (buffer.size() <= max_line_) return;
  if (!skipping) {
    Error error = InvalidRequest("line over " + std::to_string(max_line_) + " bytes");
    error.code = Code::kTooLarge;
    Refuse("", error);
  }
  skipping = true;
  buffer.clear();
}

void StdioServer::Receive(std::string line) {
  if (line.ends_with('\r')) line.pop_back();
  if (line.find_first_not_of(" \t") == std::string::npos) return;
  std::string raw_id;
  Result<mcp::Message> message = mcp::Message::Parse(std::move(line), mcp::Check::kFull, &raw_id);
  if (!message) return Refuse(raw_id, message.error());
  if (message->method() == mcp::Method::kCancelled) {
    return Cancel(std::string(message->Get(mcp::Key::kRequestId)));
  }
  if (!IsModernRequest(*message, "")) return ReceiveLegacy(std::move(*message));
  if (message->kind() != mcp::Kind::kRequest) return;
  raw_id = message->id();
  Result<Call> call = MakeModernCall(std::move(*message), "");
  if (!call) return Refuse(raw_id, call.error());
  StartCall(std::move(*call), nullptr);
}

void StdioServer::ReceiveLegacy(mcp::Message message) {
  const std::string raw_id(message.id());
  if (message.kind() == mcp::Kind::kNotification) {
    // From now on the client may be told of changes (L-LIFE: not before it is initialized).
    if (message.method() == mcp::Method::kInitialized && session_ != nullptr) {
      changes_ = TaskHandle(executor_, "stdio changes", ServeChanges(session_));
    }
    return;
  }
  if (message.kind() != mcp::Kind::kRequest) return;
  if (message.method() == mcp::Method::kInitialize) {
    if (!Admit(raw_id)) return;
    auto over = std::make_shared<bool>(false);
    // L-CAN: initialize must not be cancelled.
    return Start(raw_id, Span::kUncancellable, over, ServeInitialize(std::move(message), over));
  }
  if (message.method() == mcp::Method::kPing) {
    return Send(mcp::Message::FromResult(raw_id, std::string("{}")));
  }
  if (session_ == nullptr) {
    return Refuse(raw_id,
                  InvalidRequest("send initialize first, or speak 2026-07-28 with params._meta"));
  }
  Result<LegacyCall> made = MakeLegacyCall(std::move(message), session_, sessions_);
  if (!made) return Refuse(raw_id, made.error());
  if (made->answer) return Send(*made->answer);
  StartCall(std::move(made->call), session_);
}

bool StdioServer::Admit(const std::string& raw_id) {
  const auto known = running_.find(raw_id);
  if (known == running_.end()) return true;
  if (*known->second.over) {
    running_.erase(known);
    return true;
  }
  Refuse(raw_id, InvalidRequest("a request with this id is still being served"));
  return false;
}

void StdioServer::StartCall(Call call, std::shared_ptr<Session> session) {
  std::string raw_id(call.message.id());
  if (!Admit(raw_id)) return;
  const bool lasting = call.method().route == mcp::Route::kListen;
  auto over = std::make_shared<bool>(false);
  Start(std::move(raw_id), lasting ? Span::kLasting : Span::kCall, over,
        ServeCall(std::move(call), std::move(session), over));
}

void StdioServer::Start(std::string raw_id, Span span, std::shared_ptr<bool> over,
                        Task<void> task) {
  // The entry first: the task starts at once and may even end.
  Running& running = running_[std::move(raw_id)];
  running.over = std::move(over);
  running.lasting = span == Span::kLasting;
  running.cancellable = span != Span::kUncancellable;
  running.task = TaskHandle(executor_, "stdio call", std::move(task));
}

Task<void> StdioServer::ServeInitialize(mcp::Message message, std::shared_ptr<bool> over) {
  const Live live(*this, std::move(over));
  Result<Initialized> initialized = co_await Initialize(message, "", service_);
  if (!initialized) {
    Refuse(message.id(), initialized.error());
    co_return;
  }
  if (session_ != nullptr) sessions_.End(session_->client->session);
  changes_.Cancel();
  session_ = sessions_.Open(std::move(initialized->client), "");
  Send(initialized->response);
}

Task<void> StdioServer::ServeCall(Call call, std::shared_ptr<Session> session,
                                  std::shared_ptr<bool> over) {
  const Live live(*this, std::move(over));
  LineSink sink(*this);
  co_await Answer(service_, call, sink);
}

Task<void> StdioServer::ServeChanges(std::shared_ptr<Session> session) {
  const Live live(*this);
  Call call = MakeStreamCall(*session);
  LineSink sink(*this, LineSink::Response::kDropped);
  co_await Answer(service_, call, sink);
}

// No response follows (L-CAN, CAN). Unknown ids are ignored.
void StdioServer::Cancel(const std::string& raw_id) {
  const auto found = running_.find(raw_id);
  if (found == running_.end() || !found->second.cancellable) return;
  running_.erase(found);
}

void StdioServer::Refuse(std::string_view raw_id, const Error& error) {
  Send(mcp::ErrorMessage(raw_id, error));
}

void StdioServer::Send(const mcp::Message& message) {
  if (broken_) return;
  outgoing_.push_back(message.ToText() + '\n');
  outgoing_bytes_ += outgoing_.back().size();
  if (wake_writer_.empty()) wake_writer_.Put(true);
}

Task<void> StdioServer::WaitForRoom() {
  struct Place {
    explicit Place(std::set<Room*>& all) : places(all) { places.insert(&room); }
    Place(const Place&) = delete;
    ~Place() { places.erase(&room); }
    std::set<Room*>& places;
    Room room;
  };
  while (outgoing_bytes_ > kMaxOutgoing && !broken_) {
    Place place(waiting_);
    co_await place.room.Take();
  }
}

Task<void> StdioServer::WriteLoop() {
  const Live live(*this);
  for (;;) {
    co_await wake_writer_.Take();
    while (!outgoing_.empty()) {
      boost::system::error_code error;
      co_await net::async_write(out_, net::buffer(outgoing_.front()),
                                net::redirect_error(use_task, error));
      if (error == net::error::operation_aborted) co_return;
      if (error) {
        Break();
        co_return;
      }
      outgoing_bytes_ -= outgoing_.front().size();
      outgoing_.pop_front();
      if (outgoing_bytes_ > kMaxOutgoing) continue;
      for (Room* room : waiting_) {
        if (room->empty()) room->Put(true);
      }
    }
    Wake();
  }
}

void StdioServer::Break() {
  broken_ = true;
  EndInput();
  for (Room* room : waiting_) {
    if (room->empty()) room->Put(true);
  }
  Wake();
}

void StdioServer::Reap() {
  std::erase_if(running_, [](const auto& entry) { return *entry.second.over; });
}

void StdioServer::Wake() {
  if (woken_.empty()) woken_.Put(true);
}

}  // namespace switchyard::edge
