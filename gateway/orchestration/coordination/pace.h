// How much an agent says: what it may send within a window, and whether it is still there.
#pragma once

#include <cstdint>
#include <string_view>

#include "orchestration/agents.h"

namespace switchyard::orchestration {

// All agents of a caller that proved who it is may send as much as so many agents may.
inline constexpr std::int64_t kPacesOfACaller = 10;
// kRateLimited, with what is allowed and when it may send again, if the agent, or its caller, sent
// so much already that one more is too much. An agent goes by its id: who registers anew does not
// begin anew.
Result<void> MaySend(Records& records, std::string_view agent);

inline constexpr std::int64_t kMostCounted = 10'000;
// Messages it sent within the window before now; counts to kMostCounted.
Result<std::int64_t> SentWithin(Records& records, std::int64_t box, std::int64_t window_ms);

// Milliseconds since its last word; whether that is less than so much, and it calls itself neither
// offline nor broken.
std::int64_t SilentFor(const Agent& agent, std::int64_t now);
bool Responds(const Agent& agent, std::int64_t now, std::int64_t threshold_ms);

}  // namespace switchyard::orchestration
