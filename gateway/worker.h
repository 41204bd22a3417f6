// One thread with an event loop of its own, and everything that one client message walks through on
// it: listener -> connection -> endpoint -> chain (stage watch) -> what exists for the caller ->
// chain (stage call) -> router -> chain (stage server) -> downstream. This file and worker.cc are
// THE wiring.
//
// Public functions are for the server's control thread unless said otherwise; each is carried out
// on the worker's own thread.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "auth/gate.h"
#include "base/seal.h"
#include "base/timers.h"
#include "catalog/hub.h"
#include "catalog/router.h"
#include "config/config.h"
#include "core/chain.h"
#include "core/deps.h"
#include "edge/endpoint.h"
#include "edge/listener.h"
#include "edge/refusal_count.h"
#include "edge/sessions.h"
#include "home.h"

namespace switchyard {

namespace audit {
class Sink;
}
namespace telemetry {
class Metrics;
}

// What a configuration asks every worker to have. Immutable; made by the server for each reload.
struct Setup {
  struct ServerSetup {
    std::shared_ptr<Home> home;
    std::shared_ptr<const PolicySet> policies;  // of calls that the gateway makes itself
    bool counted = false;                       // its calls in flight: somebody chooses by them
  };
  edge::Access access;
  std::shared_ptr<const edge::TlsServer> tls;  // of the listener; null = none
  std::map<std::string, ServerSetup, std::less<>> servers;
  std::set<std::string, std::less<>> endpoints;  // "" = /mcp
  auth::Authenticators authenticators;           // of those where callers have to say who they are
  catalog::Catalogs catalogs;                    // one for each endpoint
};

class Worker {
 public:
  struct Options {
    unsigned index = 0;
    unsigned workers = 1;
    // Of the same server, by their indexes; asked once all are there.
    std::function<Worker&(unsigned)> peer;
    const Clock* clock = nullptr;
    const Sealer* session_sealer = nullptr;
    const Sealer* task_sealer = nullptr;  // of ids of tasks
    edge::TaskBoard* tasks = nullptr;
    telemetry::Metrics* metrics = nullptr;
    audit::Sink* audit = nullptr;
    LentTokens* lent = nullptr;  // see edge::Endpoint
    edge::Listener::Options listener;
    edge::Sessions::Options sessions;
    edge::PlainHandler plain;
    std::function<void(TimePoint)> housekeeping;  // about once a second; null = none
    FindOutage outage;                            // of members of groups
    // Of a client's state: see catalog::Choosing.
    std::function<std::optional<std::string>(std::string_view state)> state_within;
    FindSight sight;
    // By stage, outermost first. A reload changes what they go by, not them.
    std::vector<PlacedPolicy> watch_policies, call_policies, server_policies;
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
  std::shared_ptr<auth::Gate> FindGate(std::string_view name) const;
  edge::Sessions& sessions() { return sessions_; }
  edge::Listener& listener() { return listener_; }
  const Deps& deps() const { return deps_; }
  // Stops accepting and ends every open listen, so that what remains are calls in flight.
  void BeginDrain();

  // Ends the loop and joins the thread. Everything that was running is unwound.
  void Stop();

 private:
  static constexpr Duration kUnwind = std::chrono::seconds(1);  // what is cancelled has so long

  class EndpointService;
  struct ServerRoute;
  edge::Sessions::Options SessionOptions();
  void Broadcast(const std::function<void(edge::Sessions&)>& run);
  void Move(unsigned to, edge::Handover connection);
  std::set<std::string, std::less<>> ReplacedServers() const;
  void SetGates();
  void Tick();
  void Count();

  const Options options_;
  net::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  net::executor_work_guard<Executor> work_;
  Timers timers_;
  Deps deps_;
  std::shared_ptr<const Setup> setup_;
  std::map<std::string, std::shared_ptr<ServerRoute>, std::less<>> servers_;
  std::map<std::string, std::shared_ptr<EndpointService>, std::less<>> endpoints_;
  std::map<std::string, std::shared_ptr<auth::Gate>, std::less<>> gates_;
  edge::Sessions sessions_;
  edge::RefusalCount refusals_;
  edge::Endpoint endpoint_;
  edge::Listener listener_;
  Timers::Handle tick_;
  TimePoint swept_;                                          // when idle sessions were looked at
  std::int64_t counted_sessions_ = 0, counted_streams_ = 0;  // what the metrics know of ours
  std::promise<void> ended_;                                 // the loop
  std::thread thread_;
};

}  // namespace switchyard
