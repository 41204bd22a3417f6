// What the configuration says of `opa`.
#pragma once

#include <chrono>
#include <memory>

#include "config/section.h"
#include "fetch/remote.h"

namespace switchyard::policies::opa {

struct Settings {
  fetch::Remote remote = {};
  std::chrono::nanoseconds ttl = std::chrono::seconds(10);  // of a decision; 0 = each call asks
  bool whole_arguments = false;                             // else their digest alone

  bool on() const { return !remote.url.empty(); }
};

// Problems are told to the section.
std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited);

}  // namespace switchyard::policies::opa
