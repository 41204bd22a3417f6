// What guardrail does about what it finds, in one direction. Immutable after construction; safe
// from any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/guardrail_detectors.h"
#include "policies/lib/guardrail_finder.h"

namespace switchyard::policies::guardrail {

// The later one is the stricter.
enum class Action : std::uint8_t { kOff, kReport, kRedact, kDeny };

struct Rules {
  std::vector<Action> actions = {};      // by DetectorId
  std::vector<std::string> names = {};   // likewise
  std::unique_ptr<const Finder> finder;  // null = everything is off
  bool keys = false;                     // names of members, too
  bool numbered = false;                 // what takes their place tells different ones apart
  // For a person who reads what is left: what takes a place says how long it was, and of what is
  // found only what this says so of is redacted. Null: all of it, and nothing is said.
  bool (*hides)(DetectorId, std::string_view) = nullptr;

  bool off() const { return finder == nullptr; }
};

}  // namespace switchyard::policies::guardrail
