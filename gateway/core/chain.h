// Policies, outermost first, around an innermost Service. Built once per worker and endpoint or
// server; a layer costs one coroutine frame.
#pragma once

#include <memory>
#include <vector>

#include "core/policy.h"

namespace switchyard {

class Chain final : public Service {
 public:
  // `innermost` outlives the chain.
  Chain(std::vector<std::shared_ptr<const Policy>> policies, Service& innermost);
  ~Chain() override;
  Task<Result<ReplyPtr>> Handle(Call& call) override { return first_->Handle(call); }

 private:
  class Layer;
  std::vector<std::unique_ptr<Layer>> layers_;
  Service* first_;
};

}  // namespace switchyard
