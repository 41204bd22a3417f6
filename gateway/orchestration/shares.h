// What one caller that proved who it is may have of what all share: half of the tasks and half of
// their kinds, so that others have room. Callers that prove nothing cannot be told apart.
#pragma once

#include <string_view>

#include "orchestration/records.h"

namespace switchyard::orchestration {

// kInvalid: the caller has its share of tasks; or of kinds (lanes.h) that are not over, those that
// it was the first to need since nobody did.
Result<void> RefuseMoreTasks(Records& records);
Result<void> RefuseMoreKinds(Records& records);

// A task of this creator comes into being, or is forgotten: 1 or -1.
Result<void> CountTaskOf(Records& records, std::string_view creator, int by);

}  // namespace switchyard::orchestration
