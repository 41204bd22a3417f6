#include "own_fetches.h"

#include <chrono>
#include <utility>

#include "base/random.h"

namespace switchyard {

OwnFetches::OwnFetches(Executor executor, Timers& timers, telemetry::Metrics& metrics)
    : timers_(timers),
      fetcher_(timers.clock(), metrics),
      keys_({.fetcher = fetcher_,
             .executor = executor,
             .clock = timers.clock(),
             .metrics = metrics,
             .random = [] { return ThreadRandom().NextUnit(); }}) {}

Result<Outside> OwnFetches::Read(const config::Config& config, std::uint16_t port) {
  return ReadOutside(config, port,
                     [this](const config::Issuer& issuer) { return keys_.ProviderFor(issuer); });
}

void OwnFetches::Use(std::shared_ptr<const fetch::Terms> terms) {
  fetcher_.Use(std::move(terms));
  keys_.Retry();  // what was refused may be allowed now
  Tick();
}

void OwnFetches::Tick() {
  keys_.Tick();
  tick_ = timers_.In(std::chrono::seconds(1), [this] { Tick(); });
}

}  // namespace switchyard
