// One thread with an event loop of its own, and everything that one client message walks through on
// it: listener -> connection -> endpoint -> chain (stage call) -> router -> chain (stage server) ->
// downstream. This file and worker.cc are THE wiring.
//
// Public functions are for the server's control thread unless said otherwise; each is carried out
// on the worker's own thread.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/seal.h"
#include "base/timers.h"
#include "catalog/hub.h"
#include "catalog/router.h"
#include "config/config.h"
#include "core/chain.h"
#include "core/deps.h"
#include "edge/endpoint.h"
#include "edge/listener.h"
#include "edge/sessions.h"
#include "home.h"

namespace switchyard {

namespace telemetry {
class Metrics;
}

// What a configuration asks every worker to have. Immutable; made by the server for each reload.
struct Setup {
  using Policies = std::vector<std::shared_ptr<const Policy>>;
  struct ServerSetup {
    std::shared_ptr<Home> home;
    Policies policies;  // stage server
  };
  struct EndpointSetup {
    Policies policies;  // stage call
  };
  edge::Access access;
  std::map<std::string, ServerSetup, std::less<>> servers;
  std::map<std::string, EndpointSetup, std::less<>> endpoints;  // "" = /mcp
  catalog::Catalogs catalogs;                                   // one for each endpoint
};

class Worker {
 public:
  struct Options {
    unsigned index = 0;
    unsigned workers = 1;
    const Clock* clock = nullptr;
    const Sealer* session_sealer = nullptr;
    edge::TaskBoard* tasks = nullptr;
    telemetry::Metrics* metrics = nullptr;
    edge::Listener::Options listener;
    edge::Sessions::Options sessions;
    edge::Sessions::Broadcast broadcast;
    edge::PlainHandler plain;
  };

  explicit Worker(Options options);
  ~Worker();  // Stop() was called, or it never started

  void Start();

  // Runs `function` on the worker's thread; any thread may ask.
  void Post(std::function<void()> function);
  // The same, and waits for it. Not from the worker's own thread.
  void Do(std::function<void()> function);

  // From here on: on the worker's thread only.
  void Configure(std::shared_ptr<const Setup> setup);
  // New catalogs are taken by every worker first and announced to listeners then.
  void Publish(const catalog::Catalogs& catalogs);
  void Announce();
  Result<std::uint16_t> Listen(const std::string& host, std::uint16_t port);
  std::shared_ptr<Service> FindEndpoint(std::string_view name) const;
  edge::Sessions& sessions() { return sessions_; }
  edge::Listener& listener() { return listener_; }
  const Deps& deps() const { return deps_; }
  // Stops accepting and ends every open listen, so that what remains are calls in flight.
  void BeginDrain();
  // How many calls and streams there are; for draining and metrics.
  std::size_t connections() const { return listener_.connections(); }

  // Ends the loop and joins the thread. Everything that was running is unwound.
  void Stop();

 private:
  static constexpr Duration kUnwind = std::chrono::seconds(1);  // what is cancelled has so long

  class EndpointService;
  struct ServerRoute;
  edge::Sessions::Options SessionOptions();
  std::set<std::string, std::less<>> ReplacedServers() const;
  void Tick();
  void Count();

  const Options options_;
  net::io_context context_{1};
  net::executor_work_guard<Executor> work_;
  Timers timers_;
  Deps deps_;
  std::shared_ptr<const Setup> setup_;
  std::map<std::string, std::shared_ptr<ServerRoute>, std::less<>> servers_;
  std::map<std::string, std::shared_ptr<EndpointService>, std::less<>> endpoints_;
  edge::Sessions sessions_;
  edge::Endpoint endpoint_;
  edge::Listener listener_;
  Timers::Handle tick_;
  unsigned ticks_ = 0;
  std::int64_t counted_sessions_ = 0, counted_streams_ = 0;  // what the metrics know of ours
  std::promise<void> ended_;                                 // the loop
  std::thread thread_;
};

}  // namespace switchyard
