#include "policies/lib/settings.h"

#include <fmt/format.h>

namespace switchyard::policies {

std::string ShortDuration(Duration duration) {
  using namespace std::chrono;
  if (duration < seconds(1))
    return fmt::format("{:g}ms", std::chrono::duration<double, std::milli>(duration).count());
  return fmt::format("{:g}s", std::chrono::duration<double>(duration).count());
}

}  // namespace switchyard::policies
