// What the parsers and messages of all policies share.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"

namespace switchyard::policies {

// A level says only what differs: its settings begin as a copy of the enclosing level's.
template <class Config>
std::shared_ptr<Config> CopyOrDefault(const void* inherited) {
  return inherited == nullptr ? std::make_shared<Config>()
                              : std::make_shared<Config>(*static_cast<const Config*>(inherited));
}

template <class Config>
Config ValueOrDefault(const void* config) {
  return config == nullptr ? Config() : *static_cast<const Config*>(config);
}

// For messages: 60s, 1.5s, 250ms.
std::string ShortDuration(Duration duration);

}  // namespace switchyard::policies
