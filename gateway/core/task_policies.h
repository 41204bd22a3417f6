// What policies go by for a task that a listen tells of: those of the tool that it is a call of.
// The listen itself goes by what its endpoint says, for it may tell of tasks of many tools.
//
// Found in the target of a subscriptions/listen. For the thread that serves the call.
#pragma once

#include <memory>
#include <string_view>

#include "core/policy_set.h"

namespace switchyard {

struct Call;

class TaskPolicies {
 public:
  virtual ~TaskPolicies() = default;

  // `id`: as the caller of `call` knows the task. Null: it is none of the caller's, or nobody says
  // anything.
  virtual std::shared_ptr<const PolicySet> PoliciesOfTask(const Call& call,
                                                          std::string_view id) const = 0;
};

}  // namespace switchyard
