#include "edge/quota.h"

namespace switchyard::edge {

Quota::Permit& Quota::Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    Release();
    quota_ = std::move(other.quota_);
    owner_ = other.owner_;
    crowd_ = other.crowd_;
  }
  return *this;
}

void Quota::Permit::Release() {
  if (quota_ == nullptr) return;
  quota_->Release(owner_, crowd_);
  quota_ = nullptr;
}

std::expected<Quota::Permit, Quota::Refusal> Quota::Take(OwnerId owner) {
  const std::lock_guard lock(mutex_);
  if (count_ >= limits_.total) return std::unexpected(Refusal::kTotal);
  if (owner != 0 && limits_.per_owner > 0) {
    std::size_t& own = by_owner_[owner];
    if (own >= limits_.per_owner) return std::unexpected(Refusal::kOwner);
    ++own;
  }
  ++count_;
  return Permit(shared_from_this(), owner, false);
}

std::expected<Quota::Permit, Quota::Refusal> Quota::TakeInCrowd(OwnerId crowd) {
  const std::lock_guard lock(mutex_);
  if (count_ >= limits_.total) return std::unexpected(Refusal::kTotal);
  const auto own = by_owner_.find(crowd);
  if (in_crowds_ >= crowds() || (own != by_owner_.end() && own->second >= per_crowd())) {
    return std::unexpected(Refusal::kCrowd);
  }
  ++by_owner_[crowd];
  ++in_crowds_;
  ++count_;
  return Permit(shared_from_this(), crowd, true);
}

std::size_t Quota::held() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void Quota::Release(OwnerId owner, bool crowd) {
  const std::lock_guard lock(mutex_);
  --count_;
  if (crowd) --in_crowds_;
  const auto own = by_owner_.find(owner);
  if (own != by_owner_.end() && --own->second == 0) by_owner_.erase(own);
}

}  // namespace switchyard::edge
