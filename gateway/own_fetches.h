// What the gateway asks on its own behalf, beside the servers: the fetcher, and the issuers' keys
// that are kept fresh with it. Its work runs on the control thread.
#pragma once

#include <memory>

#include "auth/key_keeper.h"
#include "base/timers.h"
#include "fetch/http_fetcher.h"
#include "outside.h"

namespace switchyard {

class OwnFetches {
 public:
  // All of it outlives this. `timers` are the executor's.
  OwnFetches(Executor executor, Timers& timers, telemetry::Metrics& metrics);

  fetch::Fetcher& fetcher() { return fetcher_; }

  // What a configuration names outside of itself, with keys that are to be fetched.
  Result<Outside> Read(const config::Config& config, std::uint16_t port);

  // On the control thread. Keys are asked for at once: by the first call they are mostly there.
  void Use(std::shared_ptr<const fetch::Terms> terms);

 private:
  void Tick();

  Timers& timers_;
  fetch::HttpFetcher fetcher_;
  auth::KeyKeeper keys_;
  Timers::Handle tick_;
};

}  // namespace switchyard
