// `requestState` as the gateway gives it to clients: a sealed token that is worth something only to
// the same caller, at the same endpoint, for the same call (method, target, arguments) and for a
// while. What does not fit is refused with one text for every reason, so that nobody learns from
// it. protocol: basic/patterns/mrtr, server requirements. Pure but for the sealer's randomness.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/seal.h"
#include "core/call.h"

namespace switchyard::downstream {

struct RequestState {
  // kParked: `text` is the ticket of a parked call. kWrapped: `text` is a ticket of its own and
  // then the state that the server gave.
  enum class Kind : char { kParked = 'p', kWrapped = 'w' };
  Kind kind = Kind::kWrapped;
  std::string text;
};

using WallTime = std::chrono::system_clock::time_point;

// Random bytes by which one state is told from all others.
inline constexpr std::size_t kTicketSize = 16;
std::string NewTicket();

std::string SealState(const Sealer& sealer, const Call& call, std::string_view server,
                      const RequestState& state, WallTime expires);

// The state that `call` brings back for `server`.
Result<RequestState> OpenState(const Sealer& sealer, const Call& call, std::string_view server,
                               WallTime now);

// The refusal, whatever was wrong.
Error BadState();

// SHA-256 of what the call is about: its target and its arguments, whatever the order of their
// members.
std::string DigestOf(const Call& call);

}  // namespace switchyard::downstream
