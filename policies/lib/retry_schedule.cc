#include "policies/lib/retry_schedule.h"

#include <algorithm>
#include <cmath>

namespace switchyard::policies {

Duration RetrySchedule::Wait(unsigned repetition, double random) const {
  if (growth == Growth::kImmediate || repetition == 0) return {};
  const double first = static_cast<double>(base.count());
  const double most = static_cast<double>(cap.count());
  const double grown = growth == Growth::kLinear
                           ? first * repetition
                           : std::ldexp(first, static_cast<int>(std::min(repetition - 1, 1000U)));
  const double step = std::min(grown, most);
  return Duration(static_cast<Duration::rep>(step * (1 - jitter * random)));
}

}  // namespace switchyard::policies
