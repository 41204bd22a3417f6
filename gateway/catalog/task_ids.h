// Task ids as clients know them: sealed tokens that say which server's task is meant, of which
// tool, and whose it is. No table: any worker opens them. Worth nothing to another caller or at
// another endpoint (TASKX: ids are bound to the caller). Pure but for the sealer's randomness; safe
// on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/seal.h"
#include "core/call.h"

namespace switchyard::catalog {

class TaskIds {
 public:
  // kTask: an id. kHeld: the requestState of a call that the gateway holds until its task ends; it
  // belongs to the tool, too. kMember: the same of one that a member of a group serves, around the
  // state that comes from within (as `id`).
  enum class Use : std::uint8_t { kTask, kHeld, kMember };

  struct Named {
    std::string server;
    std::string id;         // the server's own
    std::string tool = {};  // by the server's own name; Seal() takes that of the call's target
  };

  explicit TaskIds(const Sealer& sealer) : sealer_(sealer) {}

  std::string Seal(Use use, const Call& call, const Named& task) const;

  // nullopt: not ours, or of another endpoint or caller, or, unless it is an id, of another tool.
  // Whoever is not its caller cannot tell it from one that was made up.
  std::optional<Named> Open(Use use, const Call& call, std::string_view token) const;

 private:
  const Sealer& sealer_;
};

}  // namespace switchyard::catalog
