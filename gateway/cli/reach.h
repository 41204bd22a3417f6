// Finds the gateway that a subcommand talks to: a running one, or one of its own for the time of a
// command.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "cli/client.h"
#include "cli/exit.h"
#include "config/config.h"

namespace switchyard {
class Server;
}
namespace switchyard::telemetry {
class Log;
}

namespace switchyard::cli {

// For servers of a gateway that is started for one command.
inline constexpr std::chrono::seconds kServersPatience{30};

// As given on the command line; both empty = ./switchyard.yaml, else the default address.
struct Where {
  std::string config;
  std::string url;
  std::string token = {};  // that says who asks; "" = none
};

// A gateway to talk to. What was started for it ends with it.
class Reached {
 public:
  // A gateway for the time of a command; empty = somebody else's is used.
  struct Own {
    std::unique_ptr<telemetry::Log> log;
    std::unique_ptr<Server> server;  // ends before its log
  };

  Reached(GatewayUrl url, Own own, config::Config config);
  Reached(Reached&&) noexcept;
  ~Reached();

  Client& client() { return *client_; }
  const std::string& url() const { return client_->url(); }
  const config::Config& config() const { return config_; }  // empty when only a URL was given
  // Waits for the servers of one that was started for this: until all are up or were found down.
  // False: some were neither within that time.
  bool WaitForServers(std::chrono::nanoseconds patience);

 private:
  Own own_;  // outlives client_
  config::Config config_;
  std::unique_ptr<Client> client_;
};

struct Unreached {
  Exit exit;
  std::string message;  // what went wrong and what to do about it
};

// A URL is taken as it is. A configuration: the gateway at its address if something listens there,
// else one that is started from it on a free port of 127.0.0.1, quiet. Problems of the
// configuration go to `err`.
std::expected<Reached, Unreached> Reach(const Where& where, std::ostream& err);

// Where the running gateway should be; starts nothing. `admin_token`: where the one of the
// configuration goes, if there is one.
std::expected<GatewayUrl, Unreached> UrlOfRunning(const Where& where, std::ostream& err,
                                                  std::string* admin_token = nullptr);

// What to say, and how to exit, when a request at `url` failed.
Unreached Explain(const Error& error, const std::string& url);

}  // namespace switchyard::cli
