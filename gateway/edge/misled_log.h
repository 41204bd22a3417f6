// Tells the log which Host or Origin was refused, and which key of the configuration lets it in:
// whoever set the gateway up reads there why nobody gets in. At once, and then at most once a
// minute each. One a worker; its thread alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log_pace.h"

namespace switchyard::edge {

// What is wrong with where a request says it goes to or comes from.
enum class Misled : std::uint8_t { kNo, kHost, kOrigin };

// What its client is told.
std::string WhyMisled(Misled misled);

class MisledLog {
 public:
  // `value`: of the header, as its client wrote it.
  void Note(Misled misled, std::string_view value, TimePoint now);

 private:
  LogPace hosts_, origins_;
};

}  // namespace switchyard::edge
