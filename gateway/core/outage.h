// What a policy refuses at present, whoever asks: for lists that say so, or leave it out. A value.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace switchyard {

class PolicySet;

struct Outage {
  std::string what;     // is out of order: `server billing`
  std::string reason;   // times in it are absolute: it stays in a list for a while
  TimePoint until;      // then it may be over, or read otherwise
  bool refuses = true;  // false: some calls pass, to see whether it is over
  bool hides = false;   // lists leave out what would be refused
};

// Whether calls that go by this set are answered by other means while their server cannot.
// Thread-safe.
using HasStandIn = std::function<bool(const PolicySet& set)>;

// Of calls of a server's tool ("" = of nothing that is a tool) that go by this set. Thread-safe.
using FindOutage =
    std::function<std::optional<Outage>(const PolicySet& set, std::string_view tool)>;

}  // namespace switchyard
