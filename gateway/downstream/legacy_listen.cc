#include "downstream/legacy_listen.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include "base/backoff.h"
#include "base/random.h"
#include "downstream/compose.h"
#include "mcp/uri.h"

namespace switchyard::downstream {
namespace {

constexpr Duration kOpenTime = std::chrono::seconds(10);
constexpr Duration kSubscribeTime = std::chrono::seconds(5);  // also to unsubscribe
constexpr std::size_t kMaxDueUris = 1000;

bool IsTrue(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

bool Offers(const boost::json::value& capabilities, std::string_view group, std::string_view key) {
  if (!capabilities.is_object()) return false;
  const boost::json::value* value = capabilities.as_object().if_contains(group);
  return value != nullptr && value->is_object() && IsTrue(value->as_object(), key);
}

std::string UriParams(std::string_view uri) { return R"({"uri":)" + mcp::Quote(uri) + "}"; }

}  // namespace

class LegacyListens::ListenReply final : public Reply {
 public:
  ListenReply(std::shared_ptr<LegacyListens> owner, std::string id)
      : owner_(std::move(owner)), id_(std::move(id)) {
    owner_->open_.insert(this);
  }
  ~ListenReply() override {
    owner_->open_.erase(this);
    for (const std::string& uri : honoured_.uris) owner_->Unsubscribe(uri);
  }

  Filter& honoured() { return honoured_; }

  void Changed(bool tools, bool prompts, bool resources) {
    tools_ |= tools && honoured_.tools;
    prompts_ |= prompts && honoured_.prompts;
    resources_ |= resources && honoured_.resources;
    Wake();
  }
  void Updated(const std::string& uri) {
    const auto within = std::ranges::find_if(
        honoured_.uris, [&uri](const std::string& own) { return mcp::IsPartOf(uri, own); });
    if (within == honoured_.uris.end()) return;
    // Of a flood of parts, the whole is named instead.
    uris_.insert(uris_.size() < kMaxDueUris ? uri : *within);
    Wake();
  }
  void AllChanged() {
    uris_.insert(honoured_.uris.begin(), honoured_.uris.end());
    Changed(true, true, true);
  }
  void End(const Error& why) {
    end_ = why;
    Wake();
  }

  Task<Result<std::optional<mcp::Message>>> Next() override {
    for (;;) {
      if (std::optional<mcp::Message> due = TakeDue()) co_return due;
      if (end_) co_return Failure(std::move(*end_));
      co_await wake_.Take();
    }
  }

 private:
  void Wake() {
    if (wake_.empty()) wake_.Put(true);
  }

  std::optional<mcp::Message> TakeDue() {
    if (!std::exchange(acknowledged_, true)) return Acknowledgement();
    if (std::exchange(tools_, false)) return Tagged(mcp::Method::kToolsChanged, "");
    if (std::exchange(prompts_, false)) return Tagged(mcp::Method::kPromptsChanged, "");
    if (std::exchange(resources_, false)) return Tagged(mcp::Method::kResourcesChanged, "");
    if (uris_.empty()) return std::nullopt;
    const std::string uri = std::move(uris_.extract(uris_.begin()).value());
    return Tagged(mcp::Method::kResourceUpdated, R"(,"uri":)" + mcp::Quote(uri));
  }

  mcp::Message Acknowledgement() const {
    boost::json::object honoured;
    if (honoured_.tools) honoured["toolsListChanged"] = true;
    if (honoured_.prompts) honoured["promptsListChanged"] = true;
    if (honoured_.resources) honoured["resourcesListChanged"] = true;
    if (!honoured_.uris.empty()) {
      honoured["resourceSubscriptions"] =
          boost::json::array(honoured_.uris.begin(), honoured_.uris.end());
    }
    return Tagged(mcp::Method::kAcknowledged,
                  R"(,"notifications":)" + boost::json::serialize(honoured));
  }

  mcp::Message Tagged(mcp::Method method, std::string_view more) const {
    std::string params = R"({"_meta":{"io.modelcontextprotocol/subscriptionId":)" + id_ + "}";
    params.append(more).append("}");
    return mcp::Message::Make("", mcp::Info(method).name, params);
  }

  const std::shared_ptr<LegacyListens> owner_;
  const std::string id_;  // of the client's request, raw
  Filter honoured_;
  bool acknowledged_ = false;
  bool tools_ = false, prompts_ = false, resources_ = false;  // due
  std::set<std::string> uris_;                                // due
  std::optional<Error> end_;
  Mailbox<bool> wake_;
};

LegacyListens::LegacyListens(std::shared_ptr<Channel> channel, LinkPtr link)
    : channel_(std::move(channel)), link_(std::move(link)), headers_(LegacyHeaders(*link_)) {}

Result<LegacyListens::Filter> LegacyListens::ReadFilter(std::string_view raw) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(raw, error);
  if (error || !value.is_object()) {
    return Failure(Code::kInvalid, Origin::kClient, "params.notifications must be an object");
  }
  const boost::json::object& object = value.as_object();
  Filter filter{.tools = IsTrue(object, "toolsListChanged"),
                .prompts = IsTrue(object, "promptsListChanged"),
                .resources = IsTrue(object, "resourcesListChanged"),
                .uris = {}};
  const boost::json::value* uris = object.if_contains("resourceSubscriptions");
  if (uris == nullptr) return filter;
  const bool fine =
      uris->is_array() && uris->as_array().size() <= kMaxUris &&
      std::ranges::all_of(uris->as_array(), [](const auto& uri) { return uri.is_string(); });
  if (!fine) {
    return Failure(Code::kInvalid, Origin::kClient,
                   "params.notifications.resourceSubscriptions must be at most " +
                       std::to_string(kMaxUris) + " strings");
  }
  for (const auto& uri : uris->as_array()) filter.uris.emplace_back(uri.as_string());
  return filter;
}

LegacyListens::Filter LegacyListens::Offered(Filter wanted) const {
  boost::system::error_code error;
  const boost::json::value capabilities = boost::json::parse(link_->facts.capabilities, error);
  wanted.tools &= Offers(capabilities, "tools", "listChanged");
  wanted.prompts &= Offers(capabilities, "prompts", "listChanged");
  wanted.resources &= Offers(capabilities, "resources", "listChanged");
  if (!Offers(capabilities, "resources", "subscribe")) wanted.uris.clear();
  return wanted;
}

Task<Result<ReplyPtr>> LegacyListens::Open(Call& call) {
  if (retired_) {
    co_return Failure(Code::kUnavailable, Origin::kServer,
                      "server " + channel_->server() + ": down");
  }
  Result<Filter> wanted = ReadFilter(call.message.Get(mcp::Key::kNotifications));
  if (!wanted) co_return Failure(std::move(wanted.error()));
  Filter offered = Offered(std::move(*wanted));
  // Open before anything is promised, so that no change falls between.
  auto reply = std::make_unique<ListenReply>(shared_from_this(), std::string(call.message.id()));
  if (!offered.empty()) {
    const bool has_stream = co_await HasStream();
    if (stale_) co_return SessionGone();
    if (!has_stream) offered = {};
  }
  const std::vector<std::string> uris = std::exchange(offered.uris, {});
  reply->honoured() = std::move(offered);
  for (const std::string& uri : uris) {
    const bool subscribed = co_await Subscribe(uri, call.deadline);
    if (stale_) co_return SessionGone();
    if (subscribed) reply->honoured().uris.push_back(uri);
  }
  co_return reply;
}

std::unexpected<Error> LegacyListens::SessionGone() const {
  return Failure(Code::kUnavailable, Origin::kServer,
                 "server " + channel_->server() + ": its session is gone");
}

// A request to subscribe that nobody awaits any more may still have been heard.
class LegacyListens::Asking {
 public:
  Asking(LegacyListens& owner, const std::string& uri) : owner_(owner), uri_(uri) {}
  Asking(const Asking&) = delete;
  ~Asking() {
    if (!answered_ && !owner_.subscribed_.contains(uri_)) owner_.Leave(uri_);
  }
  void Answered() { answered_ = true; }

 private:
  LegacyListens& owner_;
  const std::string& uri_;
  bool answered_ = false;
};

Task<bool> LegacyListens::Subscribe(std::string uri, Deadline deadline) {
  // Over HTTP a request may overtake another: subscribing waits for the end of what came before.
  while (leaving_.contains(uri)) co_await left_.Wait();
  if (subscribed_.contains(uri)) {
    ++subscribed_[uri];
    co_return true;
  }
  Asking asking(*this, uri);
  deadline.ShrinkTo(Deadline::In(channel_->deps().clock, kSubscribeTime));
  const std::string params = UriParams(uri);
  HttpFacts facts;
  Result<mcp::Message> answer = co_await channel_->Ask({.method = "resources/subscribe",
                                                        .params = params,
                                                        .headers = headers_,
                                                        .deadline = deadline,
                                                        .facts = &facts});
  const bool late = !answer && answer.error().code == Code::kDeadline;
  if (!late) asking.Answered();
  NoteFacts(facts, answer ? answer->error_code() : 0);
  if (!answer || answer->kind() == mcp::Kind::kError) co_return false;
  ++subscribed_[uri];
  co_return true;
}

void LegacyListens::NoteFacts(const HttpFacts& facts, int error_code) {
  if (link_->session_id.empty()) return;
  stale_ |= facts.status == 404 || (facts.status == 400 && error_code == kSdkBadSession);
}

void LegacyListens::Unsubscribe(const std::string& uri) {
  const auto found = subscribed_.find(uri);
  if (found == subscribed_.end() || --found->second > 0) return;
  subscribed_.erase(found);
  Leave(uri);
}

void LegacyListens::Leave(const std::string& uri) {
  if (retired_ || stale_ || !leaving_.insert(uri).second) return;
  channel_->InBackground("unsubscribe at " + channel_->server(),
                         SendUnsubscribe(shared_from_this(), uri));
}

Task<void> LegacyListens::SendUnsubscribe(std::shared_ptr<LegacyListens> self, std::string uri) {
  struct Left {
    LegacyListens& owner;
    const std::string& uri;
    ~Left() {
      owner.leaving_.erase(uri);
      owner.left_.Notify(true);
    }
  };
  const Left left{.owner = *self, .uri = uri};
  const std::string params = UriParams(uri);
  const Deadline deadline = Deadline::In(self->channel_->deps().clock, kSubscribeTime);
  Result<mcp::Message> answer = co_await self->channel_->Ask({.method = "resources/unsubscribe",
                                                              .params = params,
                                                              .headers = self->headers_,
                                                              .deadline = deadline});
  if (!answer) {
    spdlog::debug("server {}: resources/unsubscribe: {}", self->channel_->server(),
                  answer.error().message);
  }
}

void LegacyListens::Dispatch(const mcp::Message& message) {
  const mcp::Method method = message.method();
  const bool tools = method == mcp::Method::kToolsChanged;
  const bool prompts = method == mcp::Method::kPromptsChanged;
  const bool resources = method == mcp::Method::kResourcesChanged;
  if (tools || prompts || resources) {
    for (ListenReply* listen : open_) listen->Changed(tools, prompts, resources);
  } else if (method == mcp::Method::kResourceUpdated) {
    const std::string uri = message.GetString(mcp::Key::kUri);
    for (ListenReply* listen : open_) listen->Updated(uri);
  }
}

void LegacyListens::AssumeChanged() {
  for (ListenReply* listen : open_) listen->AllChanged();
}

void LegacyListens::Retire(const Error& why) {
  retired_ = true;
  on_request_ = nullptr;
  for (ListenReply* listen : open_) listen->End(why);
  stream_task_.Cancel();
  stream_opened_.Notify(false);
}

Task<void> LegacyListens::OpenStream(Duration patience) {
  const std::shared_ptr<LegacyListens> self = shared_from_this();
  const Timers::Handle timer =
      channel_->deps().timers.In(patience, [this] { stream_opened_.Notify(false); });
  co_await HasStream();
}

Task<bool> LegacyListens::HasStream() {
  if (!channel_->transport().wants_headers() || stream_ == Stream::kOpen) co_return true;
  if (std::exchange(stream_, Stream::kOpening) == Stream::kNone) {
    stream_task_ = TaskHandle(channel_->deps().executor(), "stream of " + channel_->server(),
                              RunStream(shared_from_this()));
  }
  const bool opened = co_await stream_opened_.Wait();
  co_return opened;
}

// Opens the GET stream and keeps it open. When the first try fails there is none, until somebody
// asks again.
Task<void> LegacyListens::RunStream([[maybe_unused]] std::shared_ptr<LegacyListens> self) {
  co_await net::post(channel_->deps().executor(), use_task);  // who asked must get to wait first
  Backoff backoff({.initial = std::chrono::seconds(1)});
  for (;;) {
    const mcp::Pieces nothing;
    HttpFacts facts;
    Outgoing out{.body = nothing,
                 .id = {},
                 .headers = headers_,
                 .deadline = Deadline::In(channel_->deps().clock, kOpenTime),
                 .facts = &facts};
    Result<ReplyPtr> stream = co_await channel_->transport().OpenStream(out);
    if (retired_) co_return;
    if (!stream && stream_ == Stream::kOpening) {
      NoteFacts(facts, 0);
      stream_ = Stream::kNone;
      stream_opened_.Notify(false);
      co_return;
    }
    // Gone for good, or the server is down: who keeps it up hears of it here first.
    const bool gone = !stream && (stream.error().code == Code::kNotFound ||
                                  stream.error().code == Code::kUnavailable);
    if (gone) {
      co_return Retire(stream.error());
    }
    if (stream) {
      if (std::exchange(stream_, Stream::kOpen) == Stream::kOpen) AssumeChanged();
      stream_opened_.Notify(true);
      const TimePoint since = channel_->deps().clock.Now();
      co_await Follow(std::move(*stream));
      if (retired_) co_return;
      backoff.WasUp(channel_->deps().clock.Now() - since);
    }
    co_await channel_->deps().timers.Sleep(backoff.Next(ThreadRandom().NextUnit()));
  }
}

Task<void> LegacyListens::Follow(ReplyPtr stream) {
  for (;;) {
    Result<std::optional<mcp::Message>> next = co_await stream->Next();
    if (retired_ || !next || !next->has_value()) co_return;
    if ((*next)->kind() == mcp::Kind::kRequest) {
      if (on_request_) {
        on_request_(std::move(**next));
      } else {
        Channel::Answer(channel_, **next, headers_);
      }
    } else {
      Dispatch(**next);
    }
  }
}

}  // namespace switchyard::downstream
