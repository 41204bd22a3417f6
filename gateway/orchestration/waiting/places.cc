#include "orchestration/waiting/places.h"

#include <fmt/format.h>

namespace switchyard::orchestration {
namespace {

std::unexpected<Error> NoPlace(std::string why) {
  why += "; ask without wait_ms, or again in a moment";
  return Failure(Error{.code = Code::kRateLimited,
                       .origin = Origin::kClient,
                       .retryable = true,
                       .message = std::move(why)});
}

}  // namespace

Result<Places::Place> Places::Take(const std::string& caller) {
  const std::size_t share = (most_ + 1) / 2;  // of one, one
  const std::lock_guard lock(mutex_);
  if (taken_ >= most_) {
    return NoPlace(fmt::format("{} calls wait here already, the most that may", most_));
  }
  std::size_t& own = by_caller_[caller];
  if (own >= share) {
    return NoPlace(fmt::format(
        "{} of your calls wait here already, the most that calls of one caller may", own));
  }
  ++own;
  ++taken_;
  return Place(*this, caller);
}

void Places::GiveBack(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  --taken_;
  const auto own = by_caller_.find(caller);
  if (--own->second == 0) by_caller_.erase(own);
}

std::size_t Places::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

}  // namespace switchyard::orchestration
