#include "policies/lib/gate.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/mailbox.h"
#include "base/worker_timers.h"

namespace switchyard::policies {

struct Gate::Waiter {
  explicit Waiter(Executor home) : executor(std::move(home)) {}

  const Executor executor;
  Mailbox<bool> wake;  // the waiter's own thread only
  // Guarded by the gate's mutex.
  bool queued = false;
  std::list<std::shared_ptr<Waiter>>::iterator place;
};

// The place of a waiting task: gives it, or the slot that it got meanwhile, back unless redeemed.
struct Gate::Ticket {
  std::shared_ptr<Gate> gate;
  std::shared_ptr<Waiter> waiter;

  Ticket(std::shared_ptr<Gate> g, std::shared_ptr<Waiter> w)
      : gate(std::move(g)), waiter(std::move(w)) {}
  Ticket(const Ticket&) = delete;
  ~Ticket() {
    if (gate != nullptr && !gate->Dequeue(*waiter)) gate->Leave();
  }

  std::expected<Permit, Refusal> Redeem() {
    const std::shared_ptr<Gate> from = std::exchange(gate, nullptr);
    if (from->Dequeue(*waiter)) return std::unexpected(Refusal::kTimedOut);
    return Permit(from);
  }
};

Gate::Gate(std::size_t max_inside, std::size_t max_waiting)
    : max_inside_(max_inside), max_waiting_(max_waiting) {}
Gate::~Gate() = default;

bool Gate::TakeSlot() {
  std::size_t inside = inside_.load();
  while (inside < max_inside_) {
    if (inside_.compare_exchange_weak(inside, inside + 1)) return true;
  }
  return false;
}

std::optional<Gate::Permit> Gate::TryEnter(const std::shared_ptr<Gate>& gate) {
  if (gate->waiting_.load() > 0 || !gate->TakeSlot()) return std::nullopt;
  return Permit(gate);
}

void Gate::Leave() {
  inside_.fetch_sub(1);
  if (waiting_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  HandOver();
}

bool Gate::Enqueue(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= max_waiting_) return false;
  waiter->place = queue_.insert(queue_.end(), waiter);
  waiter->queued = true;
  waiting_.store(queue_.size());
  HandOver();
  return true;
}

void Gate::HandOver() {
  while (!queue_.empty() && TakeSlot()) {
    const std::shared_ptr<Waiter> waiter = std::move(queue_.front());
    queue_.pop_front();
    waiting_.store(queue_.size());
    waiter->queued = false;
    // Under the lock, so that the waiter's task cannot end, and its worker go, before the post.
    net::post(waiter->executor, [waiter] { waiter->wake.Put(true); });
  }
}

bool Gate::Dequeue(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  if (!waiter.queued) return false;
  waiter.queued = false;
  queue_.erase(waiter.place);
  waiting_.store(queue_.size());
  return true;
}

Task<std::expected<Gate::Permit, Gate::Refusal>> Gate::Enter(std::shared_ptr<Gate> gate,
                                                             TimePoint until, const Clock& clock) {
  const Executor executor = co_await net::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(executor);
  if (!gate->Enqueue(waiter)) co_return std::unexpected(Refusal::kQueueFull);
  Ticket ticket(gate, waiter);
  const Timers::Handle timer =
      TimersOf(executor, clock).At(until, [waiter] { waiter->wake.Put(false); });
  co_await waiter->wake.Take();
  co_return ticket.Redeem();
}

}  // namespace switchyard::policies
