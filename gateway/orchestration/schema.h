// The tables of the orchestration service, as steps from one version to the next.
#pragma once

#include "core/database.h"

namespace switchyard::orchestration {

const DatabaseSchema& Schema();

}  // namespace switchyard::orchestration
