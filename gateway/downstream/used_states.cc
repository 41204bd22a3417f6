#include "downstream/used_states.h"

namespace switchyard::downstream {

std::optional<UsedStates::Use> UsedStates::Begin(std::string ticket, TimePoint now,
                                                 TimePoint until) {
  const std::scoped_lock lock(mutex_);
  while (!kept_.empty() && kept_.front().first <= now) {
    taken_.erase(kept_.front().second);
    kept_.pop_front();
  }
  if (!taken_.insert(ticket).second) return std::nullopt;
  return Use(this, std::move(ticket), until);
}

UsedStates::Use::~Use() {
  if (states_ == nullptr) return;
  const std::scoped_lock lock(states_->mutex_);
  states_->taken_.erase(ticket_);
}

void UsedStates::Use::Keep() {
  UsedStates* states = std::exchange(states_, nullptr);
  if (states == nullptr) return;
  const std::scoped_lock lock(states->mutex_);
  if (states->kept_.size() >= states->most_) {
    states->taken_.erase(states->kept_.front().second);
    states->kept_.pop_front();
  }
  states->kept_.emplace_back(until_, std::move(ticket_));
}

}  // namespace switchyard::downstream
