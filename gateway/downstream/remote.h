// Services and links of another worker. A call that hops is copied: the caller may be cancelled and
// forget its Call while the home still works on it, so nothing of it may be borrowed across
// threads.
//
// A hop is a post to the home and a post back. The first message is pulled at home together with
// the call, so a plain call costs one round trip. Dropping the reply drops the real one on its own
// thread. Both workers' contexts outlive every object here; replies and services are released at
// home.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/mailbox.h"
#include "core/service.h"
#include "downstream/link.h"

namespace switchyard::downstream {

// Carries one result back to `here`. If the task that owns it ends without one (a bug, or nobody
// waits any more), an error goes instead: the other side must never wait in vain.
template <class T>
class HopAnswer {
 public:
  HopAnswer(Executor here, std::shared_ptr<Mailbox<Result<T>>> box)
      : here_(here), box_(std::move(box)) {}
  HopAnswer(const HopAnswer&) = delete;
  ~HopAnswer() {
    if (box_ != nullptr) {
      Send(Failure(Code::kInternal, Origin::kGateway, "a hop between workers had no result"));
    }
  }
  void Send(Result<T> result) {
    net::post(here_, [box = std::exchange(box_, nullptr), result = std::move(result)]() mutable {
      box->Put(std::move(result));
    });
  }

 private:
  const Executor here_;
  std::shared_ptr<Mailbox<Result<T>>> box_;
};

// Runs `work` on `home`, a coroutine of its own, and gives its result here. When the caller is
// cancelled the work goes on and its result is dropped.
template <class T>
Task<Result<T>> AskHome(Executor home, Executor here, std::function<Task<Result<T>>()> work) {
  auto box = std::make_shared<Mailbox<Result<T>>>();
  auto run = [](std::function<Task<Result<T>>()> job, Executor back,
                std::shared_ptr<Mailbox<Result<T>>> waiting) -> Task<void> {
    HopAnswer<T> answer(back, std::move(waiting));
    Result<T> result = co_await job();
    answer.Send(std::move(result));
  };
  net::post(home, [home, here, run, work = std::move(work), box]() mutable {
    Spawn(home, "hop", run(std::move(work), here, std::move(box)));
  });
  Result<T> result = co_await box->Take();
  co_return result;
}

class RemoteService final : public Service {
 public:
  // `service` lives on `home`, the executor of worker `home_worker`, and is released there. `here`
  // is the worker that uses *this.
  RemoteService(Executor home, unsigned home_worker, Executor here,
                std::shared_ptr<Service> service);
  ~RemoteService() override;

  Task<Result<ReplyPtr>> Handle(Call& call) override;

 private:
  const Executor home_;
  const unsigned home_worker_;
  const Executor here_;
  std::shared_ptr<Service> service_;
};

class RemoteLinks final : public LinkSource {
 public:
  RemoteLinks(Executor home, Executor here, std::shared_ptr<LinkSource> links);
  ~RemoteLinks() override;

  Task<Result<LinkPtr>> Get(std::uint64_t stale) override;
  Task<Result<LinkPtr>> Current() override;
  void ListsAreStale() override;

 private:
  const Executor home_;
  const Executor here_;
  std::shared_ptr<LinkSource> links_;
};

// A copy of a call that nothing of the original must outlive, but for what its `pin` keeps. It has
// no `route`: it ends on another thread.
struct OwnedCall {
  explicit OwnedCall(const Call& original);
  OwnedCall(const OwnedCall&) = delete;

  std::string endpoint;
  Call call;
};

}  // namespace switchyard::downstream
