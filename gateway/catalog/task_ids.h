// Task ids as clients know them: sealed tokens that say which server's task is meant, and whose it
// is. No table: any worker opens them. Worth nothing to another caller or at another endpoint
// (TASKX: ids are bound to the caller). Pure but for the sealer's randomness; safe on any thread.
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
    std::string id;  // the server's own
  };

  explicit TaskIds(const Sealer& sealer) : sealer_(sealer) {}

  std::string Seal(Use use, const Call& call, const Named& task) const;

  enum class Owner : bool { kAnyone, kCaller };
  // nullopt: not ours, or of another endpoint, tool or, for kCaller, caller. Before the policies
  // ran nobody knows the caller.
  std::optional<Named> Open(Use use, const Call& call, std::string_view token, Owner owner) const;

 private:
  const Sealer& sealer_;
};

}  // namespace switchyard::catalog
