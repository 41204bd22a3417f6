#include "core/chain.h"

#include <utility>

namespace switchyard {

// A policy and, as a Service, what is behind it.
class Chain::Layer final : public Service {
 public:
  Layer(PlacedPolicy placed, Chain& chain, std::size_t behind)
      : placed_(std::move(placed)), chain_(chain), behind_(behind) {}

  bool IsOff(const PolicySet& set) const { return set.IsOff(placed_.slot); }
  Task<Result<ReplyPtr>> Enter(Call& call) { return placed_.policy->Handle(call, *this); }
  Task<Result<ReplyPtr>> Handle(Call& call) override { return chain_.HandleFrom(behind_, call); }

 private:
  PlacedPolicy placed_;
  Chain& chain_;
  std::size_t behind_;
};

Chain::Chain(std::vector<PlacedPolicy> policies, Service& innermost) : innermost_(innermost) {
  layers_.reserve(policies.size());
  for (PlacedPolicy& placed : policies) {
    layers_.emplace_back(std::move(placed), *this, layers_.size() + 1);
  }
}

Chain::~Chain() = default;

// A policy may send on another call than it was given, so each is asked for anew.
Task<Result<ReplyPtr>> Chain::HandleFrom(std::size_t first, Call& call) {
  const PolicySet* const set = call.target.policies;
  for (std::size_t i = first; i < layers_.size(); ++i) {
    if (set == nullptr || !layers_[i].IsOff(*set)) return layers_[i].Enter(call);
  }
  return innermost_.Handle(call);
}

}  // namespace switchyard
