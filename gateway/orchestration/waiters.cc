#include "orchestration/waiters.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace switchyard::orchestration {

Waiters::Ticket::Ticket(Waiters& waiters, Timers& timers, Executor executor)
    : waiters_(waiters), timers_(timers) {
  const std::lock_guard lock(waiters_.mutex_);
  place_ = waiters_.next_++;
  waiters_.waiting_.emplace(place_, Waiter{.executor = executor, .box = box_});
}

Waiters::Ticket::~Ticket() {
  bool woken = false;
  {
    const std::lock_guard lock(waiters_.mutex_);
    const auto own = waiters_.waiting_.find(place_);
    woken = own->second.woken;
    waiters_.waiting_.erase(own);
  }
  // Woken for a task that it did not look for any more, or did not come to take.
  if (woken) waiters_.WakeAfter(place_);
  if (owes_) waiters_.WakeAfter(place_);
}

switchyard::Task<bool> Waiters::Ticket::Wait(TimePoint until) {
  const Timers::Handle timer = timers_.At(until, [box = box_] { box->Put(false); });
  const bool woken = co_await box_->Take();
  if (woken) {
    const std::lock_guard lock(waiters_.mutex_);
    waiters_.waiting_.at(place_).woken = false;
  }
  owes_ = woken;
  co_return woken;
}

void Waiters::Ticket::PassOn() {
  owes_ = false;
  waiters_.WakeAfter(place_);
}

void Waiters::WakeOne(Waiter& waiter) {
  waiter.woken = true;
  net::post(waiter.executor, [box = waiter.box] { box->Put(true); });
}

void Waiters::Wake(std::int64_t tasks) {
  const std::lock_guard lock(mutex_);
  for (auto& [place, waiter] : waiting_) {
    if (tasks <= 0) return;
    if (waiter.woken) continue;
    WakeOne(waiter);
    --tasks;
  }
}

void Waiters::WakeAfter(std::uint64_t place) {
  const std::lock_guard lock(mutex_);
  for (auto next = waiting_.upper_bound(place); next != waiting_.end(); ++next) {
    if (next->second.woken) continue;
    WakeOne(next->second);
    return;
  }
}

std::size_t Waiters::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace switchyard::orchestration
