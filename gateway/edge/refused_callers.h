// Tells the audit log of requests whose credential was refused: when, where, from which address,
// what kind of credential and why; never the credential. A flood fills neither log nor disk: beyond
// kBurst a worker records one a second, and how many it left out. One a worker; its thread alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/event.h"
#include "auth/gate.h"
#include "base/clock.h"

namespace switchyard::edge {

class RefusedCallers {
 public:
  static constexpr unsigned kBurst = 60;
  static constexpr Duration kPause = std::chrono::seconds(1);  // from one to the next, beyond it

  struct Refused {
    std::string endpoint;   // as clients know it
    std::string peer;       // the address that the connection comes from
    std::string_view verb;  // of HTTP
    auth::Evidence evidence = {};
    const auth::Gate::Refused& refused;
  };

  // `sink` null: nobody keeps records. Both outlive this.
  RefusedCallers(audit::Sink* sink, const Clock& clock) : sink_(sink), clock_(clock) {}

  void Note(const Refused& refused);
  // Once a second: what was left out is said when the flood is over, too.
  void Tick();

 private:
  bool TakePlace();
  audit::Event Begun();

  audit::Sink* const sink_;
  const Clock& clock_;
  TimePoint next_ = TimePoint::min();  // as many pauses before now as there are places
  std::uint64_t left_out_ = 0;
};

}  // namespace switchyard::edge
