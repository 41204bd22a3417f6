#include "downstream/link_source.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace switchyard::downstream {

LocalLinks::LocalLinks(std::shared_ptr<Channel> channel, ProbeSettings settings)
    : channel_(std::move(channel)), prober_(*channel_, settings) {}

Task<Result<LinkPtr>> LocalLinks::Get(std::uint64_t stale) {
  const std::shared_ptr<LocalLinks> self = shared_from_this();
  if (current_ != nullptr && current_->generation > stale) co_return current_;
  if (stopped_) co_return None("stopped");
  if (!std::exchange(running_, true)) {
    establishing_ =
        TaskHandle(channel_->deps().executor(), "connect " + channel_->server(), Establish(self));
  }
  Result<LinkPtr> link = co_await waiters_.Wait();
  co_return link;
}

Task<Result<LinkPtr>> LocalLinks::Current() {
  if (stopped_) co_return None("stopped");
  // While a session is made anew the server is not down.
  if (current_ == nullptr && running_ && made_ > 0) {
    const std::shared_ptr<LocalLinks> self = shared_from_this();
    Result<LinkPtr> link = co_await waiters_.Wait();
    co_return link;
  }
  if (current_ == nullptr) co_return None("down");
  co_return current_;
}

std::unexpected<Error> LocalLinks::None(std::string_view why) const {
  return Failure(Error{.code = Code::kUnavailable,
                       .origin = Origin::kServer,
                       .retryable = true,
                       .message = "server " + channel_->server() + ": " + std::string(why)});
}

Task<void> LocalLinks::Establish([[maybe_unused]] std::shared_ptr<LocalLinks> self) {
  // A task starts running within its construction: whoever started this one must get to wait first.
  co_await net::post(channel_->deps().executor(), use_task);
  current_ = nullptr;
  Result<Link> made = co_await prober_.Establish();
  if (stopped_) co_return;
  if (!made) {
    co_await channel_->transport().Close();
    running_ = false;
    waiters_.Notify(Failure(std::move(made.error())));
    co_return;
  }
  made->generation = ++made_;
  made->made_at = channel_->deps().clock.Now();
  current_ = std::make_shared<const Link>(std::move(*made));
  running_ = false;
  waiters_.Notify(current_);
}

void LocalLinks::Stop() {
  stopped_ = true;
  on_stale_lists_ = nullptr;
  current_ = nullptr;
  establishing_.Cancel();
  waiters_.Notify(None("stopped"));
}

}  // namespace switchyard::downstream
