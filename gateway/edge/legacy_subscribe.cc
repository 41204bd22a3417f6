#include "edge/legacy_subscribe.h"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include "base/mailbox.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::size_t kMaxDue = 1000;

std::unexpected<Error> Refused(const std::string& uri, std::string message) {
  return Failure(Error{.code = Code::kInvalid,
                       .origin = Origin::kClient,
                       .message = std::move(message),
                       .rpc_code = mcp::kInvalidParams,
                       .data = R"({"uri":)" + mcp::Quote(uri) + "}"});
}

std::unexpected<Error> EndedAtOnce(const std::string& uri) {
  return Refused(uri, "the subscription ended at once");
}

std::unexpected<Error> NoEndpoint() {
  return Failure(Code::kUnavailable, Origin::kGateway, "the endpoint is gone");
}

// Whether the acknowledgement names this URI.
bool Honours(const mcp::Message& acknowledgement, std::string_view uri) {
  boost::system::error_code error;
  const boost::json::value value =
      boost::json::parse(acknowledgement.Get(mcp::Key::kNotifications), error);
  if (error || !value.is_object()) return false;
  const boost::json::value* uris = value.as_object().if_contains("resourceSubscriptions");
  if (uris == nullptr || !uris->is_array()) return false;
  for (const boost::json::value& one : uris->as_array()) {
    if (one.is_string() && one.as_string() == uri) return true;
  }
  return false;
}

}  // namespace

// A subscription under way, shared with the task that follows it.
struct Updates::Opening {
  std::string uri;
  std::shared_ptr<Service> endpoint;
  std::string endpoint_name;
  Call call;  // its reply borrows it
  Mailbox<Result<void>> answer;
};

// Of one stream.
class Updates::StreamNews final : public News {
 public:
  StreamNews(std::shared_ptr<Updates> updates, const ListsKnown& known, Told told)
      : updates_(std::move(updates)), known_(known), told_(std::move(told)) {}
  StreamNews(const StreamNews&) = delete;
  ~StreamNews() override { updates_->CloseStream(*this); }

  std::optional<mcp::Message> Take() override {
    if (updates_->reader_ != this) return std::nullopt;
    const std::optional<std::string> uri = updates_->TakeDue();
    if (!uri) return std::nullopt;
    return mcp::Message::Make("", mcp::Info(mcp::Method::kResourceUpdated).name,
                              R"({"uri":)" + mcp::Quote(*uri) + "}");
  }
  void OnNews(std::function<void()> wake) override {
    wake_ = std::move(wake);
    wake_ ? updates_->OpenStream(*this) : updates_->CloseStream(*this);
  }
  std::optional<ListsKnown> Lists() const override { return known_; }
  void Knows(const ListsKnown& lists) override { told_(lists); }
  void Wake() const { wake_(); }

 private:
  const std::shared_ptr<Updates> updates_;
  const ListsKnown known_;
  const Told told_;
  std::function<void()> wake_;
};

std::shared_ptr<Updates> Updates::Of(Session& session, Sessions& sessions) {
  if (session.updates == nullptr) {
    session.updates = std::make_shared<Updates>(sessions, session.client->session);
  }
  return session.updates;
}

Updates::Updates(Sessions& sessions, std::string session_id)
    : sessions_(sessions), session_id_(std::move(session_id)) {}

Updates::~Updates() = default;

Task<Result<void>> Updates::Subscribe(std::string uri, Call& call,
                                      std::shared_ptr<Service> endpoint) {
  std::shared_ptr<void> place =
      subscriptions_.size() < kMaxUris ? sessions_.PlaceForSubscription() : nullptr;
  if (place == nullptr) co_return Refused(uri, "too many subscriptions; unsubscribe from some");
  const bool first = subscriptions_.empty();
  auto opening = std::make_shared<Opening>();
  opening->uri = uri;
  opening->endpoint = std::move(endpoint);
  opening->endpoint_name = call.endpoint;
  opening->call.message = mcp::Message::Make(
      "1", mcp::Info(mcp::Method::kListen).name,
      R"({"notifications":{"resourceSubscriptions":[)" + mcp::Quote(uri) + "]}}");
  opening->call.client = call.client;
  opening->call.endpoint = opening->endpoint_name;
  opening->call.caller = call.caller;
  const auto executor = co_await net::this_coro::executor;
  TaskHandle task(executor, "subscription", Follow(opening, weak_from_this()));
  Result<void> answer = co_await opening->answer.Take();
  if (!answer) co_return answer;
  if (!task.running()) co_return EndedAtOnce(uri);
  subscriptions_.insert_or_assign(
      uri,
      Subscription{.task = std::move(task), .place = std::move(place), .token = opening.get()});
  if (first) AskForStream();
  SayAlsoHere(uri);
  co_return Result<void>();
}

// One is enough for a session. That of the lowest worker stays, so that two that are made at once
// do not both give way.
void Updates::SayAlsoHere(const std::string& uri) {
  Tell([uri, here = sessions_.worker()](Updates& other) { other.AlsoAt(uri, here); });
}

void Updates::AlsoAt(const std::string& uri, unsigned worker) {
  if (!Has(uri)) return;
  if (worker < sessions_.worker()) {
    subscriptions_.erase(uri);
  } else {
    SayAlsoHere(uri);
  }
}

// Never holds the updates across a wait: they own this task.
Task<void> Updates::Follow(std::shared_ptr<Opening> opening, std::weak_ptr<Updates> updates) {
  Result<ReplyPtr> reply = co_await opening->endpoint->Handle(opening->call);
  if (!reply) {
    opening->answer.Put(Failure(std::move(reply.error())));
    co_return;
  }
  for (;;) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    const std::shared_ptr<Updates> self = updates.lock();
    if (self == nullptr) co_return;
    if (!next || !next->has_value() || (*next)->is_response()) {
      opening->answer.Put(EndedAtOnce(opening->uri));
      self->Ended(opening->uri, opening.get());
      co_return;
    }
    if ((*next)->method() == mcp::Method::kAcknowledged) {
      if (!Honours(**next, opening->uri)) {
        opening->answer.Put(
            Refused(opening->uri, "no server here honours a subscription to " + opening->uri));
        co_return;
      }
      opening->answer.Put({});
    } else if ((*next)->method() == mcp::Method::kResourceUpdated) {
      self->Add((*next)->GetString(mcp::Key::kUri), opening->uri);
    }
  }
}

void Updates::Unsubscribe(const std::string& uri) {
  subscriptions_.erase(uri);
  due_.erase(uri);
  Tell([uri](Updates& other) {
    other.subscriptions_.erase(uri);
    other.due_.erase(uri);
  });
}

void Updates::Ended(const std::string& uri, const void* token) {
  const auto found = subscriptions_.find(uri);
  if (found != subscriptions_.end() && found->second.token == token) subscriptions_.erase(found);
}

void Updates::Add(const std::string& uri, const std::string& whole) {
  if (reader_ == nullptr && elsewhere_) {
    return Tell([uri](Updates& other) { other.News({uri}); });
  }
  // Of a flood of parts, the whole is named instead.
  due_.insert(due_.size() < kMaxDue ? uri : whole);
  WakeReader();
}

std::optional<std::string> Updates::TakeDue() {
  if (due_.empty()) return std::nullopt;
  return std::move(due_.extract(due_.begin()).value());
}

std::shared_ptr<News> Updates::ForStream(const ListsKnown& known, Told told) {
  return std::make_shared<StreamNews>(shared_from_this(), known, std::move(told));
}

void Updates::WakeReader() {
  if (reader_ != nullptr) reader_->Wake();
}

void Updates::OpenStream(StreamNews& reader) {
  reader_ = &reader;
  had_stream_ = true;
  elsewhere_ = false;
  SayStreamIsHere();
  WakeReader();
}

void Updates::CloseStream(const StreamNews& reader) {
  if (reader_ != &reader) return;
  reader_ = nullptr;
  Tell([](Updates& other) { other.StreamIsGone(); });
}

void Updates::SayStreamIsHere() {
  Tell([](Updates& other) { other.StreamIsElsewhere(); });
}

void Updates::StreamIsElsewhere() {
  reader_ = nullptr;  // if it is still there, it is being ended
  had_stream_ = false;
  elsewhere_ = true;
  if (due_.empty()) return;
  Tell([uris = std::exchange(due_, {})](Updates& other) { other.News(uris); });
}

// This may come after the news of the next stream: whoever has one says so again.
void Updates::StreamIsGone() {
  elsewhere_ = false;
  if (!subscriptions_.empty()) AskForStream();
}

void Updates::AskForStream() {
  if (reader_ != nullptr) return;
  Tell([](Updates& other) {
    if (other.reader_ != nullptr) other.SayStreamIsHere();
  });
}

void Updates::News(const std::set<std::string>& uris) {
  if (!had_stream_) return;
  for (const std::string& uri : uris) {
    if (due_.size() < kMaxDue) due_.insert(uri);
  }
  WakeReader();
}

void Updates::Tell(std::function<void(Updates&)> what) {
  sessions_.Tell(session_id_, [what = std::move(what)](Session& session) {
    if (session.updates != nullptr) what(*session.updates);
  });
}

Task<Result<ReplyPtr>> SubscribeService::Handle(Call& call) {
  const std::string uri = call.message.GetString(mcp::Key::kUri);
  if (uri.empty()) co_return Refused(uri, "params.uri must be a string");
  if (endpoint_ == nullptr) co_return NoEndpoint();
  const std::shared_ptr<Updates> updates = Updates::Of(*session_, sessions_);
  if (call.message.method() == mcp::Method::kUnsubscribe) {
    updates->Unsubscribe(uri);
  } else if (!updates->Has(uri)) {
    Result<void> subscribed = co_await updates->Subscribe(uri, call, endpoint_);
    if (!subscribed) co_return Failure(std::move(subscribed.error()));
  }
  co_return ReplyWith(mcp::Message::FromResult(call.message.id(), std::string("{}")));
}

}  // namespace switchyard::edge
