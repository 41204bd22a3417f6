// A policy: sees a call, may answer, refuse, change or watch it, and hands it to `next`. One object
// is shared by all workers, hence const and thread-safe. It costs one file in policies/ and one
// line in policies/order.def.
#pragma once

#include "core/service.h"

namespace switchyard {

class Policy {
 public:
  virtual ~Policy() = default;
  virtual Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const = 0;
};

// Where a policy stands: once per client message, or once per attempt at one server.
enum class Stage : std::uint8_t { kCall, kServer };

}  // namespace switchyard
