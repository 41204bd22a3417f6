#include "policies/lib/states.h"

#include <algorithm>

namespace switchyard::policies {

std::shared_ptr<void> States::GetAny(const std::string& name,
                                     const std::function<std::shared_ptr<void>()>& make) {
  const std::lock_guard lock(mutex_);
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    if (std::shared_ptr<void> state = known->second.lock()) return state;
  }
  std::shared_ptr<void> state = make();
  by_name_[name] = state;
  if (by_name_.size() >= sweep_at_) {
    std::erase_if(by_name_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max(kFewest, 2 * by_name_.size());
  }
  return state;
}

std::size_t States::size() const {
  const std::lock_guard lock(mutex_);
  return by_name_.size();
}

}  // namespace switchyard::policies
