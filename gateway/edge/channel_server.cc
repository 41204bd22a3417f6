#include "edge/channel_server.h"

#include <utility>

#include "edge/answer.h"
#include "edge/asks.h"
#include "edge/legacy.h"
#include "edge/legacy_subscribe.h"
#include "edge/modern.h"
#include "edge/refusals.h"
#include "edge/session_service.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

// More bytes than this that the client did not read yet: who would send more waits.
constexpr std::size_t kMaxOutgoing = 4 * 1024 * 1024;
// More calls at once than this wait with the client.
constexpr std::size_t kMaxRunning = 1024;

}  // namespace

ChannelServer::Live::Live(ChannelServer& server, std::shared_ptr<bool> over)
    : server_(server), over_(std::move(over)) {
  ++server_.live_;
}

ChannelServer::Live::~Live() {
  if (over_ != nullptr) *over_ = true;
  --server_.live_;
  server_.Wake();
  if (server_.changes_over_ && server_.wake_writer_.empty()) server_.wake_writer_.Put(true);
}

class ChannelServer::ChannelSink final : public Sink {
 public:
  // kDropped: the client asked for nothing that could be answered.
  enum class Response { kSent, kDropped };
  explicit ChannelSink(ChannelServer& server, Response response = Response::kSent)
      : server_(server), response_(response) {}
  // Of a modern call.
  ChannelSink(ChannelServer& server, const Call& call)
      : server_(server),
        response_(Response::kSent),
        listen_id_(call.method().route == mcp::Route::kListen ? call.message.id() : "") {}
  Task<bool> Notify(mcp::Message notification) override {
    server_.Send(notification);
    co_await server_.WaitForRoom();
    co_return !server_.broken_;
  }
  Task<bool> Ask(mcp::Message request) override { return Notify(std::move(request)); }
  Task<void> Finish(mcp::Message response, const Error*) override {
    if (response_ == Response::kDropped) co_return;
    // CAN: on a shared channel a listen that the server ends is cancelled; SUB: and has a result.
    if (!listen_id_.empty() && response.kind() == mcp::Kind::kResult) {
      server_.Send(mcp::Message::Make("", mcp::Info(mcp::Method::kCancelled).name,
                                      R"({"requestId":)" + listen_id_ + "}"));
    }
    server_.Send(response);
    co_await server_.WaitForRoom();
  }

 private:
  ChannelServer& server_;
  const Response response_;
  const std::string listen_id_;  // raw, "" = it is none
};

// A call that is cancelled takes its questions back, also when its task is unwound.
struct ChannelServer::Withdrawal {
  ChannelServer& server;
  Asks& asks;
  Withdrawal(ChannelServer& of, Asks& own) : server(of), asks(own) { server.asks_.insert(&asks); }
  Withdrawal(const Withdrawal&) = delete;
  ~Withdrawal() {
    server.asks_.erase(&asks);
    for (const mcp::Message& gone : asks.Withdraw("the call was cancelled")) server.Send(gone);
  }
};

ChannelServer::ChannelServer(Executor executor, Service& service, Sessions& sessions,
                             Dialect dialect)
    : executor_(executor), service_(service), sessions_(sessions), dialect_(std::move(dialect)) {}

bool ChannelServer::IsFull() {
  Reap();
  return running_.size() >= kMaxRunning;
}

Task<void> ChannelServer::WaitUntilNotFull() {
  while (IsFull() && !broken_) co_await woken_.Take();
}

Task<void> ChannelServer::Drain() {
  changes_.Cancel();
  std::erase_if(running_, [](const auto& entry) { return entry.second.lasting; });
  for (Asks* asks : asks_) asks->NoMoreAnswers();
  for (Reap(); !running_.empty() && !broken_; Reap()) co_await woken_.Take();
  while (!outgoing_.empty() && !broken_) co_await woken_.Take();
}

Task<void> ChannelServer::Finish() {
  changes_.Cancel();
  running_.clear();
  while (live_ > 0) co_await woken_.Take();
  if (session_ != nullptr) sessions_.End(session_->client->session);
}

void ChannelServer::Receive(std::string text, const Caller& caller) {
  std::string raw_id;
  Result<mcp::Message> message = mcp::Message::Parse(std::move(text), mcp::Check::kFull, &raw_id);
  if (!message) return Refuse(raw_id, message.error());
  if (message->method() == mcp::Method::kCancelled) {
    return Cancel(std::string(message->Get(mcp::Key::kRequestId)));
  }
  if (message->is_response()) {
    // Only legacy clients are asked anything.
    if (session_ != nullptr) sessions_.Deliver(session_->client->session, std::move(*message));
    return;
  }
  if (!dialect_.both_eras || !IsModernRequest(*message, ""))
    return ReceiveLegacy(std::move(*message), caller);
  if (message->kind() != mcp::Kind::kRequest) return;
  raw_id = message->id();
  Result<Call> call = MakeModernCall(std::move(*message), "");
  if (!call) return Refuse(raw_id, call.error());
  call->caller = caller;
  StartCall(std::move(*call), nullptr);
}

void ChannelServer::ReceiveLegacy(mcp::Message message, const Caller& caller) {
  const std::string raw_id(message.id());
  if (message.kind() == mcp::Kind::kNotification) {
    // From now on the client may be told of changes (L-LIFE: not before it is initialized).
    if (message.method() == mcp::Method::kInitialized && session_ != nullptr) {
      changes_ = TaskHandle(executor_, "channel changes", ServeChanges(session_));
    }
    return;
  }
  if (message.kind() != mcp::Kind::kRequest) return;
  if (message.method() == mcp::Method::kInitialize) {
    if (!Admit(raw_id)) return;
    auto over = std::make_shared<bool>(false);
    // L-CAN: initialize must not be cancelled.
    return Start(raw_id, Span::kUncancellable, over,
                 ServeInitialize(std::move(message), caller, over));
  }
  if (message.method() == mcp::Method::kPing) {
    return Send(mcp::Message::FromResult(raw_id, std::string("{}")));
  }
  if (session_ == nullptr) {
    return Refuse(raw_id,
                  BadRequest("send initialize first, or speak 2026-07-28 with params._meta"));
  }
  Result<LegacyCall> made = MakeLegacyCall(std::move(message), *session_, caller);
  if (!made) return Refuse(raw_id, made.error());
  if (made->answer) return Send(*made->answer);
  StartCall(std::move(made->call), session_);
}

bool ChannelServer::Admit(const std::string& raw_id) {
  const auto known = running_.find(raw_id);
  if (known == running_.end()) return true;
  if (*known->second.over) {
    running_.erase(known);
    return true;
  }
  Refuse(raw_id, BadRequest("a request with this id is still being served"));
  return false;
}

void ChannelServer::StartCall(Call call, std::shared_ptr<Session> session) {
  std::string raw_id(call.message.id());
  if (!Admit(raw_id)) return;
  const bool lasting = call.method().route == mcp::Route::kListen;
  auto over = std::make_shared<bool>(false);
  Start(std::move(raw_id), lasting ? Span::kLasting : Span::kCall, over,
        ServeCall(std::move(call), std::move(session), over));
}

void ChannelServer::Start(std::string raw_id, Span span, std::shared_ptr<bool> over,
                          Task<void> task) {
  // The entry first: the task starts at once and may even end.
  Running& running = running_[std::move(raw_id)];
  running.over = std::move(over);
  running.lasting = span == Span::kLasting;
  running.cancellable = span != Span::kUncancellable;
  running.task = TaskHandle(executor_, "channel call", std::move(task));
}

Task<void> ChannelServer::ServeInitialize(mcp::Message message, Caller caller,
                                          std::shared_ptr<bool> over) {
  const Live live(*this, std::move(over));
  Result<Initialized> initialized =
      co_await Initialize(message, caller, dialect_.endpoint, service_, dialect_.oldest);
  if (!initialized) {
    Refuse(message.id(), initialized.error());
    co_return;
  }
  if (session_ != nullptr) sessions_.End(session_->client->session);
  changes_.Cancel();
  session_ = sessions_.Open(std::move(initialized->client), dialect_.endpoint, initialized->owner);
  session_->lists = initialized->lists;
  Send(initialized->response);
}

Task<void> ChannelServer::ServeCall(Call call, std::shared_ptr<Session> session,
                                    std::shared_ptr<bool> over) {
  const Live live(*this, std::move(over));
  if (session == nullptr) {
    ChannelSink modern(*this, call);
    co_await Answer(service_, call, modern);
    co_return;
  }
  ChannelSink sink(*this);
  // What is told to it last, this waits for, too.
  const Asks::Endpoint held = [this] {
    return std::shared_ptr<Service>(std::make_shared<Live>(*this), &service_);
  };
  Asks asks(session, sessions_, held);
  const Withdrawal withdrawal(*this, asks);
  const auto shared = [this] { return SharedService(); };
  SessionService serving(call, service_, session, sessions_, shared);
  co_await Answer(serving, call, sink, &asks);
}

Task<void> ChannelServer::ServeChanges(std::shared_ptr<Session> session) {
  const Live live(*this);
  Call call = MakeStreamCall(*session, dialect_.opened_by);
  ChannelSink sink(*this, ChannelSink::Response::kDropped);
  call.news =
      Updates::Of(*session, sessions_)->ForStream(session->lists, [&session](const auto& lists) {
        session->lists.Merge(lists);
      });
  co_await Answer(service_, call, sink);
  changes_over_ = true;
}

// For what counts on holding its service: this one outlives all that is done for the client.
std::shared_ptr<Service> ChannelServer::SharedService() const {
  return {std::shared_ptr<void>(), &service_};
}

// No response follows (L-CAN, CAN). Unknown ids are ignored.
void ChannelServer::Cancel(const std::string& raw_id) {
  const auto found = running_.find(raw_id);
  if (found == running_.end() || !found->second.cancellable) return;
  running_.erase(found);
}

void ChannelServer::Refuse(std::string_view raw_id, const Error& error) {
  Send(mcp::ErrorMessage(raw_id, error));
}

void ChannelServer::Send(const mcp::Message& message) {
  if (broken_) return;
  outgoing_.push_back(message.ToText());
  outgoing_bytes_ += outgoing_.back().size();
  if (wake_writer_.empty()) wake_writer_.Put(true);
}

Task<void> ChannelServer::WaitForRoom() {
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

Task<bool> ChannelServer::WaitForOutgoing() {
  while (outgoing_.empty() && !broken_ && !IsOver()) co_await wake_writer_.Take();
  co_return !broken_ && !outgoing_.empty();
}

bool ChannelServer::IsOver() {
  if (!dialect_.ends_with_changes || !changes_over_) return false;
  Reap();
  return running_.empty();
}

void ChannelServer::Sent() {
  outgoing_bytes_ -= outgoing_.front().size();
  outgoing_.pop_front();
  if (outgoing_.empty()) Wake();
  if (outgoing_bytes_ > kMaxOutgoing) return;
  for (Room* room : waiting_) {
    if (room->empty()) room->Put(true);
  }
}

void ChannelServer::Break() {
  broken_ = true;
  for (Room* room : waiting_) {
    if (room->empty()) room->Put(true);
  }
  if (wake_writer_.empty()) wake_writer_.Put(true);
  Wake();
}

void ChannelServer::Reap() {
  std::erase_if(running_, [](const auto& entry) { return *entry.second.over; });
}

void ChannelServer::Wake() {
  if (woken_.empty()) woken_.Put(true);
}

}  // namespace switchyard::edge
