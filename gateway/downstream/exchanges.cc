#include "downstream/exchanges.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace switchyard::downstream {
namespace {

std::optional<std::uint64_t> ToNumber(std::string_view raw) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (raw.empty() || error != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return number;
}

}  // namespace

struct Exchanges::Pending {
  std::uint64_t id = 0;
  std::uint64_t mark = 0;
  bool quiet = false;  // log messages are never its own
  bool lasting = false;
  Mailbox<Result<mcp::Message>> box;
  std::size_t unread_notes = 0;
  std::size_t unread_bytes = 0;
  Timers::Handle timer;
};

class Exchanges::ExchangeReply final : public Reply {
 public:
  ExchangeReply(std::shared_ptr<Exchanges> owner, std::shared_ptr<Pending> pending)
      : owner_(std::move(owner)), pending_(std::move(pending)) {}
  ~ExchangeReply() override {
    const auto found = owner_->pending_.find(pending_->id);
    if (found == owner_->pending_.end() || found->second != pending_) return;
    owner_->GiveUp(*pending_);
    owner_->pending_.erase(found);
  }

  Task<Result<std::optional<mcp::Message>>> Next() override {
    if (ended_) co_return std::nullopt;
    Result<mcp::Message> message = co_await pending_->box.Take();
    ended_ = !message || message->is_response();
    if (!message) co_return Failure(std::move(message.error()));
    if (!ended_) {
      --pending_->unread_notes;
      pending_->unread_bytes -= message->size();
    }
    std::optional<mcp::Message> next = std::move(*message);
    co_return next;
  }

 private:
  std::shared_ptr<Exchanges> owner_;
  std::shared_ptr<Pending> pending_;
  bool ended_ = false;
};

Exchanges::Exchanges(std::string server, const Deps& deps, Limits limits)
    : server_(std::move(server)), deps_(deps), limits_(limits) {}

Exchanges::~Exchanges() = default;

Result<ReplyPtr> Exchanges::Add(const Outgoing& out, std::uint64_t mark) {
  const std::optional<std::uint64_t> id = ToNumber(out.id);
  if (!id || pending_.contains(*id)) {
    return Failure(Code::kInternal, Origin::kGateway,
                   "server " + server_ + ": bad request id " + std::string(out.id));
  }
  auto pending = std::make_shared<Pending>();
  pending->id = *id;
  pending->mark = mark;
  pending->quiet = out.quiet;
  pending->lasting = out.lasting;
  highest_id_ = std::max(highest_id_, *id);
  pending_.emplace(*id, pending);
  pending->timer = deps_.timers.At(out.deadline.at(), [this, id = *id] {
    // Not retryable even when still unsent: what is queued will be sent.
    Fail(id, {.code = Code::kDeadline,
              .origin = Origin::kServer,
              .message = "server " + server_ + ": no answer in time"});
  });
  return std::make_unique<ExchangeReply>(shared_from_this(), std::move(pending));
}

Exchanges::Routed Exchanges::Route(mcp::Message& message) {
  if (message.is_response()) return RouteResponse(message);
  if (EndListen(message)) return Routed::kTaken;
  Pending* owner = OwnerOf(message);
  if (owner == nullptr) return Routed::kUnclaimed;
  if (owner->unread_notes >= limits_.unread_notes ||
      owner->unread_bytes + message.size() > limits_.unread_bytes) {
    return Routed::kTaken;
  }
  ++owner->unread_notes;
  owner->unread_bytes += message.size();
  owner->box.Put(std::move(message));
  return Routed::kTaken;
}

Exchanges::Routed Exchanges::RouteResponse(mcp::Message& message) {
  std::optional<std::uint64_t> id = ToNumber(message.id());
  // An error about what could not be read bears no id; alone in flight it is ours.
  const bool nameless = message.id().empty() || message.id() == "null";
  if (nameless && pending_.size() == 1 && !AnyGivenUp()) {
    id = pending_.begin()->first;
    message.SetId(std::to_string(*id));
  }
  const auto asked = id ? pending_.find(*id) : pending_.end();
  if (id && !given_up_.empty()) NoteAnswer(*id, asked != pending_.end() && asked->second->quiet);
  if (asked != pending_.end()) {
    Finish(*id, std::move(message));
    return Routed::kTaken;
  }
  return id && *id <= highest_id_ ? Routed::kLate : Routed::kUnknown;
}

// Of servers modern ones alone cancel, and nothing but a listen (SUB, CAN). Whether its result
// follows does not matter.
bool Exchanges::EndListen(const mcp::Message& message) {
  if (message.method() != mcp::Method::kCancelled) return false;
  const std::string_view raw_id = message.Get(mcp::Key::kRequestId);
  const std::optional<std::uint64_t> id = ToNumber(raw_id);
  const auto listen = id ? pending_.find(*id) : pending_.end();
  if (listen == pending_.end() || !listen->second->lasting) return false;
  Finish(*id, mcp::Message::FromResult(raw_id, std::string(R"({"resultType":"complete"})")));
  return true;
}

bool Exchanges::Spoil(std::string_view raw_id, Error error) {
  const std::optional<std::uint64_t> id = ToNumber(raw_id);
  const auto asked = id ? pending_.find(*id) : pending_.end();
  if (asked == pending_.end()) return false;
  if (!given_up_.empty()) NoteAnswer(*id, asked->second->quiet);
  Finish(*id, Failure(std::move(error)));
  return true;
}

Exchanges::Pending* Exchanges::OwnerOf(const mcp::Message& message) {
  if (message.kind() == mcp::Kind::kRequest) return nullptr;
  std::string_view mark = message.method() == mcp::Method::kProgress
                              ? message.Get(mcp::Key::kProgressToken)
                              : message.Get(mcp::MetaKey::kSubscriptionId);
  if (const std::optional<std::uint64_t> id = ToNumber(mark)) {
    const auto found = pending_.find(*id);
    return found == pending_.end() ? nullptr : found->second.get();
  }
  // Log messages bear no mark at all on a shared channel: with one call in flight it is its own.
  // Those of a call that was given up do not count: told to stop, a server has nothing to log.
  if (message.method() != mcp::Method::kLogMessage) return nullptr;
  Pending* only = nullptr;
  for (const auto& [id, pending] : pending_) {
    if (pending->quiet) continue;
    if (only != nullptr) return nullptr;
    only = pending.get();
  }
  return only;
}

std::size_t Exchanges::open_calls() const {
  const auto open =
      std::ranges::count_if(pending_, [](const auto& entry) { return !entry.second->quiet; });
  const auto unseen = std::ranges::count_if(given_up_, [now = deps_.clock.Now()](const auto& one) {
    return !one.read && one.until > now;
  });
  return static_cast<std::size_t>(open + unseen);
}

void Exchanges::GiveUp(const Pending& pending) {
  if (pending.quiet) return;
  if (given_up_.size() >= limits_.given_up) given_up_.pop_front();
  given_up_.push_back({.id = pending.id,
                       .last_sent = highest_id_,
                       .until = deps_.clock.Now() + limits_.given_up_for});
}

bool Exchanges::AnyGivenUp() const {
  return !given_up_.empty() && given_up_.back().until > deps_.clock.Now();
}

// Input is read in order, so who answers a request has read what was sent before it. Calls may be
// answered late and out of order; a quiet one, such as a ping, tells.
void Exchanges::NoteAnswer(std::uint64_t id, bool quiet) {
  std::erase_if(given_up_, [id, now = deps_.clock.Now()](const GivenUp& one) {
    return one.id == id || one.until <= now;
  });
  if (!quiet) return;
  for (GivenUp& one : given_up_) one.read = one.read || id > one.last_sent;
}

void Exchanges::Finish(std::uint64_t id, Result<mcp::Message> outcome) {
  const auto node = pending_.extract(id);
  if (node.empty()) return;
  node.mapped()->timer.Cancel();
  node.mapped()->box.Put(std::move(outcome));
}

void Exchanges::Fail(std::uint64_t id, Error error) {
  const auto found = pending_.find(id);
  if (found != pending_.end() && !error.retryable) GiveUp(*found->second);
  Finish(id, Failure(std::move(error)));
}

void Exchanges::FailAll(const Error& error, const std::function<bool(std::uint64_t mark)>& unseen) {
  for (auto& [id, pending] : std::exchange(pending_, {})) {
    Error own = error;
    own.retryable = unseen(pending->mark);
    pending->timer.Cancel();
    pending->box.Put(Failure(std::move(own)));
  }
}

}  // namespace switchyard::downstream
