// What each room is told of the configuration. Pure functions.
#pragma once

#include <vector>

#include "catalog/catalog.h"
#include "config/config.h"
#include "edge/endpoint.h"

namespace switchyard {

// `wanted` 0: as configured, else one a core.
unsigned WorkersOf(const config::Listen& listen, unsigned wanted);
edge::Access AccessOf(const config::Listen& listen);
std::vector<catalog::EndpointView> ViewsOf(const config::Config& config);    // "" = all, at /mcp
std::vector<catalog::ServerNaming> NamingsOf(const config::Config& config);  // the enabled ones

}  // namespace switchyard
