#include "downstream/flood_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace switchyard::downstream {
namespace {

constexpr Duration kTellAgain = std::chrono::minutes(1);
// Longer ago makes no difference.
constexpr Duration kEach = Duration(std::chrono::seconds(1)) / FloodWatch::kPerSecond;
constexpr Duration kFullAfter =
    std::chrono::seconds(FloodWatch::kBurst / FloodWatch::kPerSecond + 1);

}  // namespace

FloodWatch::FloodWatch(std::string server, const Clock& clock)
    : server_(std::move(server)), clock_(clock), since_(clock.Now()) {}

void FloodWatch::Look() {
  const TimePoint now = clock_.Now();
  const Duration passed = std::min<Duration>(now - since_, kFullAfter);
  const std::int64_t earned = passed / kEach;
  // What is less than one message stays for the next look.
  since_ = passed < kFullAfter ? since_ + earned * kEach : now;
  left_ = std::min(left_ + earned, kBurst) - std::exchange(unseen_, 0);
  if (left_ >= 0) return;
  left_ = 0;
  if (told_ != TimePoint::min() && now - told_ < kTellAgain) return;
  told_ = now;
  spdlog::warn(
      "server {} floods: {} notifications so far, and more than {} a second; those that nobody "
      "takes are dropped",
      server_, total_, kPerSecond);
}

}  // namespace switchyard::downstream
