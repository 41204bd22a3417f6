#include "downstream/flood_watch.h"

#include <utility>

#include <spdlog/spdlog.h>

namespace switchyard::downstream {

FloodWatch::FloodWatch(std::string server, const Clock& clock)
    : server_(std::move(server)), clock_(clock) {}

void FloodWatch::Look() {
  const TimePoint now = clock_.Now();
  if (!rate_.Add(std::exchange(unseen_, 0), now) || !pace_.Due(now)) return;
  spdlog::warn(
      "server {} floods: {} notifications so far, and more than {} a second; those that nobody "
      "takes are dropped, and beyond {} it is cut off",
      server_, total_, kFloodNamed.per_second, kFloodCutOff.ToText());
}

std::string FloodEnd::Why() { return "floods: more than " + kFloodCutOff.ToText(); }

}  // namespace switchyard::downstream
