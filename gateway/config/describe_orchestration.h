// The orchestration service as `switchyard check` says it: lines that end, none where it is off.
#pragma once

#include <string>

#include "config/config.h"

namespace switchyard::config {

std::string DescribeOrchestration(const Config& config);

}  // namespace switchyard::config
