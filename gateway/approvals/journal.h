// Where approvals outlive the process. One thread at a time: under the lock of the Desk.
#pragma once

#include <functional>
#include <string_view>

#include "approvals/approval.h"
#include "base/result.h"

namespace switchyard::approvals {

class Journal {
 public:
  virtual ~Journal() = default;

  // Each that is there. kInvalid: something is that makes no sense.
  virtual Result<void> Load(const std::function<void(Approval)>& each) = 0;
  // Writes one, or another state of it. What was written survives a kill -9.
  virtual Result<void> Put(const Approval& approval) = 0;
  virtual Result<void> Erase(std::string_view id) = 0;
  // Erases one that is about to be used; done, it is gone even if the power fails at once.
  virtual Result<void> Use(std::string_view id) = 0;
};

}  // namespace switchyard::approvals
