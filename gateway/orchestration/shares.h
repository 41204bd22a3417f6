// What one caller that proved who it is may have of what all share: half of the tasks and half of
// their kinds, so that others have room. Callers that prove nothing cannot be told apart.
#pragma once

#include <cstdint>
#include <string_view>

#include "orchestration/records.h"

namespace switchyard::orchestration {

// kInvalid: the records have no room (size.h), or with so many more there are too many tasks, or
// more of the caller's than its share; or more kinds (lanes.h) that are not over than its share, of
// those that it was the first to need since nobody did. Both change nothing.
Result<void> RefuseMoreTasks(Records& records, std::int64_t more = 1);
Result<void> RefuseMoreKinds(Records& records, std::int64_t more = 1);

// A task of this creator comes into being, or is forgotten: 1 or -1.
Result<void> CountTaskOf(Records& records, std::string_view creator, int by);

}  // namespace switchyard::orchestration
