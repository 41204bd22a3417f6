// `requestState` of calls that a group of servers may serve (groups.h): what a member asked its
// client comes back to this member. One layer around whatever state the way to the server makes:
// sealed, worth nothing for another tool or caller or at another endpoint. Pure but for the
// sealer's randomness and the message that it changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/seal.h"
#include "catalog/task_ids.h"
#include "core/call.h"
#include "core/reply.h"

namespace switchyard::catalog {

class MemberStates {
 public:
  explicit MemberStates(const Sealer& sealer) : ids_(sealer) {}

  // Whether the call goes on with what a member asked its client: no other one may see it.
  static bool Concerns(const Call& call);
  // Who asked, and the state from within (as `id`); nullopt = `state` is none of ours that belongs
  // to the call. The call's target has its name.
  std::optional<TaskIds::Named> Read(const Call& call, std::string_view state) const;
  // Leaves only the state from within in the call's message. False: that makes no message.
  static bool TakeOff(Call& call, const std::string& within);

  // Puts the layer around what the reply asks. `call` outlives the reply, this too.
  ReplyPtr Wrap(ReplyPtr reply, const Call& call) const;

 private:
  void Change(mcp::Message& message, const Call& call) const;
  class Wrapped;

  const TaskIds ids_;
};

}  // namespace switchyard::catalog
