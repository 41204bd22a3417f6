#include "policies/lib/flight.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/mailbox.h"
#include "base/worker_timers.h"

namespace switchyard::policies {

struct Flight::Waiter {
  explicit Waiter(Executor home) : executor(std::move(home)) {}

  const Executor executor;
  Mailbox<bool> wake;  // the waiter's own thread only
  // Guarded by the flight's mutex.
  bool queued = false;
  Told told = Told::kTimedOut;
  std::list<std::shared_ptr<Waiter>>::iterator place;
};

// The place of a waiting task: gives it, or the lead that it got meanwhile, up unless redeemed.
struct Flight::Ticket {
  std::shared_ptr<Flight> flight;
  std::shared_ptr<Waiter> waiter;

  Ticket(std::shared_ptr<Flight> f, std::shared_ptr<Waiter> w)
      : flight(std::move(f)), waiter(std::move(w)) {}
  Ticket(const Ticket&) = delete;
  ~Ticket() {
    if (flight == nullptr || flight->Dequeue(*waiter)) return;
    if (waiter->told == Told::kLeads) flight->HandOver();
  }

  Told Redeem() {
    const std::shared_ptr<Flight> from = std::exchange(flight, nullptr);
    return from->Dequeue(*waiter) ? Told::kTimedOut : waiter->told;
  }
};

Flight::~Flight() = default;

void Flight::Tell(const std::shared_ptr<Waiter>& waiter, Told told) {
  waiter->queued = false;
  waiter->told = told;
  // Under the lock, so that the waiter's task cannot end, and its worker go, before the post.
  net::post(waiter->executor, [waiter] { waiter->wake.Put(true); });
}

void Flight::End(Landing* landing, Told told) {
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    if (landing != nullptr) landing_.emplace(std::move(*landing));
    for (const std::shared_ptr<Waiter>& waiter : queue_) Tell(waiter, told);
    queue_.clear();
  }
  Over();
}

void Flight::Land(Landing landing) { End(&landing, Told::kLanded); }

void Flight::Scatter() { End(nullptr, Told::kAlone); }

void Flight::HandOver() {
  {
    const std::lock_guard lock(mutex_);
    if (!queue_.empty()) {
      const std::shared_ptr<Waiter> next = std::move(queue_.front());
      queue_.pop_front();
      Tell(next, Told::kLeads);
      return;
    }
    // Whoever queues between here and End() is scattered: alone, but not left.
  }
  Scatter();
}

bool Flight::HasFollowers() const {
  const std::lock_guard lock(mutex_);
  return !queue_.empty();
}

bool Flight::Enqueue(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (over_) return false;
  waiter->place = queue_.insert(queue_.end(), waiter);
  waiter->queued = true;
  return true;
}

bool Flight::Dequeue(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  if (!waiter.queued) return false;
  waiter.queued = false;
  queue_.erase(waiter.place);
  return true;
}

Task<Flight::Told> Flight::Follow(std::shared_ptr<Flight> flight, TimePoint until,
                                  const Clock& clock) {
  const Executor executor = co_await net::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(executor);
  if (!flight->Enqueue(waiter)) {
    co_return flight->landing_ ? Told::kLanded : Told::kAlone;
  }
  Ticket ticket(flight, waiter);
  const Timers::Handle timer =
      TimersOf(executor, clock).At(until, [waiter] { waiter->wake.Put(false); });
  co_await waiter->wake.Take();
  co_return ticket.Redeem();
}

}  // namespace switchyard::policies
