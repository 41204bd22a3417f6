// Policies, outermost first, around an innermost Service. Built once per worker and endpoint or
// server. A call walks through those that are on for what it goes by (PolicySet) alone: the others
// cost it a branch. A layer costs at most a coroutine frame.
#pragma once

#include <cstddef>
#include <vector>

#include "core/policy.h"

namespace switchyard {

class Chain final : public Service {
 public:
  // `innermost` outlives the chain.
  Chain(std::vector<PlacedPolicy> policies, Service& innermost);
  Chain(const Chain&) = delete;
  ~Chain() override;
  Task<Result<ReplyPtr>> Handle(Call& call) override { return HandleFrom(0, call); }

 private:
  class Layer;
  // By the first layer from this one on that is on for the call.
  Task<Result<ReplyPtr>> HandleFrom(std::size_t first, Call& call);

  std::vector<Layer> layers_;
  Service& innermost_;
};

}  // namespace switchyard
