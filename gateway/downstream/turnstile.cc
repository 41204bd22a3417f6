#include "downstream/turnstile.h"

#include <algorithm>

namespace switchyard::downstream {

// Its turn may come while its task is being cancelled: then it goes on to the next.
struct Turnstile::Waiter {
  explicit Waiter(std::shared_ptr<Turnstile> turnstile) : owner(std::move(turnstile)) {
    owner->waiting_.push_back(this);
  }
  Waiter(const Waiter&) = delete;
  ~Waiter() { std::erase(owner->waiting_, this); }

  const std::shared_ptr<Turnstile> owner;
  Turn turn;
  bool has_turn = false;
  Mailbox<bool> news;
};

std::unexpected<Error> Turnstile::Refusal(std::string_view why) const {
  return Failure(Error{
      .code = Code::kRateLimited, .retryable = true, .message = busy_ + ", " + std::string(why)});
}

Task<Result<Turnstile::Turn>> Turnstile::Enter(Deadline deadline) {
  const std::shared_ptr<Turnstile> self = shared_from_this();
  if (!std::exchange(taken_, true)) co_return Turn(self);
  if (waiting_.size() >= kMaxWaiting) {
    co_return Refusal(std::to_string(kMaxWaiting) + " more are waiting");
  }
  Waiter waiter(self);
  const Timers::Handle timer = timers_.At(deadline.at(), [&waiter] { waiter.news.Put(false); });
  co_await waiter.news.Take();
  if (!waiter.has_turn) co_return NoTurnInTime();
  co_return std::move(waiter.turn);
}

void Turnstile::Next() {
  taken_ = false;
  if (waiting_.empty()) {
    if (on_free_) on_free_();
    return;
  }
  Waiter* next = waiting_.front();
  waiting_.pop_front();
  taken_ = true;
  next->turn = Turn(shared_from_this());
  next->has_turn = true;
  next->news.Put(true);
}

}  // namespace switchyard::downstream
