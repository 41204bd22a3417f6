// What breakers say of themselves. Pure.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "policies/lib/shared_breaker.h"

namespace switchyard::policies {

using WallTime = std::chrono::system_clock::time_point;

// To a call that is refused by the breaker of `what` (`server billing`), now.
Error BreakerRefusal(const std::string& what, const SharedBreaker::Facts& facts, WallTime now);

// In lists; its times are absolute.
std::string BreakerNotice(const SharedBreaker::Facts& facts, WallTime now);

}  // namespace switchyard::policies
