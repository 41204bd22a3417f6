#include "downstream/transports.h"

#include <utility>

#include "config/config.h"

namespace switchyard::downstream {

Placement PlacementOf(const config::Server& server) {
#define TRANSPORT(name, condition, placement) \
  if (condition) return Placement::placement;
#include "downstream/transports.def"
#undef TRANSPORT
  return Placement::kEachWorker;
}

std::unique_ptr<Transport> MakeTransport(const config::Server& server, const Deps& deps,
                                         const Surroundings& surroundings) {
#define TRANSPORT(name, condition, placement) \
  if (condition) return name::Make(server, deps, surroundings);
#include "downstream/transports.def"
#undef TRANSPORT
  std::unreachable();
}

}  // namespace switchyard::downstream
