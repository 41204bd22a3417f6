// The key under which ids of tasks are sealed (catalog/task_ids.h). With state.dir it is kept
// there, so that whoever has an id of a task that outlives the gateway can go on asking about it.
#pragma once

#include <string>

#include "base/result.h"
#include "base/seal.h"

namespace switchyard {

// Of the file task_ids.key in `directory`, which is this process' own; made, for this user alone,
// if there is none. "" = no directory: a key of this process. An Error is kInvalid.
Result<Sealer::Key> TaskKeyIn(const std::string& directory);

// The sealer that has it. Opened once, before anybody asks; thread-safe then.
class TaskKey {
 public:
  Result<void> Open(const std::string& directory);
  const Sealer& sealer() const { return sealer_; }

 private:
  Sealer sealer_{Sealer::RandomKey()};
};

}  // namespace switchyard
