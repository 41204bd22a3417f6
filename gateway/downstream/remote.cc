#include "downstream/remote.h"

#include <optional>

namespace switchyard::downstream {
namespace {

using Pulled = Result<std::optional<mcp::Message>>;

bool IsLast(const Pulled& next) { return !next || !next->has_value() || (*next)->is_response(); }

// One call at home. Made here, then touched by the home's thread only; the two sides talk through
// posts. What it holds is released at home, whoever lets go first.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Executor home, Executor here, std::shared_ptr<Service> service, const Call& call)
      : home_(home), here_(here), service_(std::move(service)), owned_(std::in_place, call) {}

  // At home: pulls the next message, calling first if that was not done yet, and posts it to `box`.
  void Pull(std::shared_ptr<Mailbox<Pulled>> box) {
    pulling_ = TaskHandle(home_, "remote call", RunPull(shared_from_this(), std::move(box)));
  }

  // At home: what is under way is cancelled, the reply dropped. A pull that was woken just before
  // still stands on the reply: then the two go together, when it is unwound.
  void End() {
    if (!pulling_.running()) reply_.reset();
    pulling_.Cancel();
  }

  Executor home() const { return home_; }

 private:
  Task<void> RunPull([[maybe_unused]] std::shared_ptr<Exchange> self,
                     std::shared_ptr<Mailbox<Pulled>> box) {
    HopAnswer<std::optional<mcp::Message>> answer(here_, std::move(box));
    Pulled next;
    if (!std::exchange(called_, true)) {
      Result<ReplyPtr> reply = co_await service_->Handle(owned_->call);
      if (reply) {
        reply_ = std::move(*reply);
      } else {
        next = Failure(std::move(reply.error()));
      }
    }
    if (reply_ != nullptr) next = co_await reply_->Next();
    // What the reply holds (a permit, a place in a queue) is free as soon as it is over, and the
    // other side need not come back to say so.
    if (IsLast(next)) {
      reply_ = nullptr;
      owned_ = std::nullopt;
      service_ = nullptr;
    }
    answer.Send(std::move(next));
  }

  const Executor home_;
  const Executor here_;
  std::shared_ptr<Service> service_;
  std::optional<OwnedCall> owned_;
  bool called_ = false;
  ReplyPtr reply_;  // borrows owned_
  TaskHandle pulling_;
};

// This side of an exchange: ends it at home when dropped before its last message.
class Leash {
 public:
  explicit Leash(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  Leash(const Leash&) = delete;
  ~Leash() {
    if (over_) return;
    const Executor home = exchange_->home();
    net::post(home, [exchange = std::move(exchange_)] { exchange->End(); });
  }

  Task<Pulled> Pull() {
    auto box = std::make_shared<Mailbox<Pulled>>();
    net::post(exchange_->home(), [exchange = exchange_, box] { exchange->Pull(box); });
    Pulled next = co_await box->Take();
    over_ = IsLast(next);
    co_return next;
  }

 private:
  std::shared_ptr<Exchange> exchange_;
  bool over_ = false;
};

class RemoteReply final : public Reply {
 public:
  RemoteReply(std::unique_ptr<Leash> leash, std::optional<mcp::Message> first)
      : leash_(std::move(leash)), first_(std::move(first)), ended_(!first_) {}

  Task<Pulled> Next() override {
    if (first_) co_return std::exchange(first_, std::nullopt);
    if (ended_) co_return std::nullopt;
    Result<std::optional<mcp::Message>> next = co_await leash_->Pull();
    co_return next;
  }

 private:
  std::unique_ptr<Leash> leash_;
  std::optional<mcp::Message> first_;
  bool ended_;
};

}  // namespace

OwnedCall::OwnedCall(const Call& original)
    : endpoint(original.endpoint),
      call{.message = original.message.Clone(),
           .client = original.client,
           .endpoint = endpoint,
           .progress_token = original.progress_token,
           .log_level = original.log_level,
           .header_params = original.header_params,
           .caller = original.caller,
           .deadline = original.deadline,
           .target = original.target,
           .forsaken = original.forsaken,
           .depth = original.depth} {}

RemoteService::RemoteService(Executor home, unsigned home_worker, Executor here,
                             std::shared_ptr<Service> service)
    : home_(home), home_worker_(home_worker), here_(here), service_(std::move(service)) {}

RemoteService::~RemoteService() {
  net::post(home_, [service = std::move(service_)] {});
}

Task<Result<ReplyPtr>> RemoteService::Handle(Call& call) {
  call.done_at = home_worker_;
  auto leash = std::make_unique<Leash>(std::make_shared<Exchange>(home_, here_, service_, call));
  Result<std::optional<mcp::Message>> first = co_await leash->Pull();
  if (!first) co_return Failure(std::move(first.error()));
  if (*first && (**first).is_response()) co_return ReplyWith(std::move(**first));
  co_return std::make_unique<RemoteReply>(std::move(leash), std::move(*first));
}

RemoteLinks::RemoteLinks(Executor home, Executor here, std::shared_ptr<LinkSource> links)
    : home_(home), here_(here), links_(std::move(links)) {}

RemoteLinks::~RemoteLinks() {
  net::post(home_, [links = std::move(links_)] {});
}

Task<Result<LinkPtr>> RemoteLinks::Get(std::uint64_t stale) {
  std::function<Task<Result<LinkPtr>>()> work = [links = links_, stale] {
    return links->Get(stale);
  };
  Result<LinkPtr> link = co_await AskHome<LinkPtr>(home_, here_, std::move(work));
  co_return link;
}

void RemoteLinks::ListsAreStale() {
  net::post(home_, [links = links_] { links->ListsAreStale(); });
}

Task<Result<LinkPtr>> RemoteLinks::Current() {
  std::function<Task<Result<LinkPtr>>()> work = [links = links_] { return links->Current(); };
  Result<LinkPtr> link = co_await AskHome<LinkPtr>(home_, here_, std::move(work));
  co_return link;
}

}  // namespace switchyard::downstream
