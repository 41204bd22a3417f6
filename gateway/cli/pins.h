// `switchyard pins` and `switchyard tools --quarantined`: what is pinned, what waits for somebody
// to look at it, and the verdict of who did. Reads and writes the pins file; a gateway that runs
// notices. Whoever may write the file may decide; no client of the gateway can.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "base/clock.h"

namespace switchyard::cli {

struct PinsOptions {
  std::string config;              // "" = ./switchyard.yaml
  std::string server;              // "" = all
  std::vector<std::string> items;  // as ToString(pins::ItemId); none = all of the server
  bool all = false;                // said on purpose
  std::string hash;                // what an accepted definition's must begin with; "" = any
  std::string to;                  // the new name of a server
  bool json = false;
  bool colours = false;  // stdout is a terminal
};

// All entries, a line each.
int RunPinsList(const PinsOptions& options, std::ostream& out, std::ostream& err);
// What waits: what the scan found, and old and new definition line by line. With `only_held`
// without what is offered all the same.
int RunPinsDiff(const PinsOptions& options, bool only_held, std::ostream& out, std::ostream& err);
// What waits becomes what is pinned.
int RunPinsAccept(const PinsOptions& options, const Clock& clock, std::ostream& out,
                  std::ostream& err);
// As if it had never been seen.
int RunPinsForget(const PinsOptions& options, std::ostream& out, std::ostream& err);
// The pins of a server that was renamed.
int RunPinsMove(const PinsOptions& options, std::ostream& out, std::ostream& err);

}  // namespace switchyard::cli
