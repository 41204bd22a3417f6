// Between the policies that only watch a call and those that go by where it leads: makes a call of
// what does not exist for its caller one of a name that leads nowhere, so that nothing behind it
// can tell the two apart. One a worker and endpoint; borrows both.
#pragma once

#include "catalog/router.h"
#include "core/service.h"

namespace switchyard::catalog {

class Hiding final : public Service {
 public:
  Hiding(const Router& router, Service& next) : router_(router), next_(next) {}
  Task<Result<ReplyPtr>> Handle(Call& call) override;

 private:
  const Router& router_;
  Service& next_;
};

}  // namespace switchyard::catalog
