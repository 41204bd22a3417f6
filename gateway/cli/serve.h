// `switchyard serve`: the gateway until a signal ends it.
//
// SIGTERM and SIGINT end it gracefully: nothing new is accepted, calls in flight finish, children
// are ended; a second one ends it at once. SIGHUP and a change of the configuration file reload it:
// a file with errors is refused whole and what was there stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace switchyard::cli {

struct ServeOptions {
  std::string config;    // "" = ./switchyard.yaml
  std::string listen;    // HOST:PORT instead of the configuration's; "" = that
  unsigned workers = 0;  // 0 = what the configuration says
  bool stdio = false;    // serve a client on stdin and stdout; then no port without `listen`
  std::string program = "switchyard";
};

// Takes over the process' signals and its log; called once, before any thread is started. stdout is
// left alone. Returns the exit status.
int RunServe(const ServeOptions& options);

}  // namespace switchyard::cli
