// The whole gateway: owns the workers, the listeners and what they share; starts, reloads, drains
// and stops them. Thread-safe: callers take turns.
#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

namespace switchyard {

namespace fetch {
class Fetcher;
}
namespace telemetry {
class Log;
}

class Server {
 public:
  struct Options {
    config::Config config;
    const Clock* clock = &Clock::Real();
    // Asks authorization servers in place of its own; for tests. Outlives the server.
    fetch::Fetcher* fetcher = nullptr;
    unsigned workers = 0;           // 0 = what the configuration says, there 0 = one a core
    bool listen = true;             // false: no TCP (serve --stdio)
    telemetry::Log* log = nullptr;  // where lines about calls go; null = none; outlives the server
    std::string own_binary = "/proc/self/exe";  // what `command: switchyard` stands for
  };

  explicit Server(Options options);
  ~Server();  // Stop()

  // Reads its state, listens and starts every server in the background; returns as soon as it
  // listens. kInvalid: state.dir cannot be used; kUnavailable: it cannot listen.
  Result<void> Start();
  std::uint16_t port() const;  // the port that was bound, once started

  // Replaces the configuration: servers come and go, calls in flight finish, servers that did not
  // change are not touched. `config` was checked. What cannot change without a restart (listen's
  // address, workers, caps, the log's format, state.dir) stays and is logged.
  Result<void> Reload(config::Config config);

  // Serves one client over a pair of file descriptors, which it takes. What it gives is ready at
  // the end of input, when the server stops, or at once when it does not run: to wait for, not to
  // get.
  std::future<void> ServeStdio(int in, int out);

  // Stops accepting, lets calls in flight finish for at most `grace`, then ends every child.
  void Stop(Duration grace = std::chrono::seconds(5));

  // Waits until every enabled server is up or was found down once. False: the time was not enough.
  bool WaitUntilSettled(Duration timeout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace switchyard
