#include "core/chain.h"

#include <ranges>
#include <utility>

namespace switchyard {

class Chain::Layer final : public Service {
 public:
  Layer(std::shared_ptr<const Policy> policy, Service& next)
      : policy_(std::move(policy)), next_(next) {}
  Task<Result<ReplyPtr>> Handle(Call& call) override { return policy_->Handle(call, next_); }

 private:
  std::shared_ptr<const Policy> policy_;
  Service& next_;
};

Chain::Chain(std::vector<std::shared_ptr<const Policy>> policies, Service& innermost)
    : first_(&innermost) {
  for (auto& policy : policies | std::views::reverse) {
    layers_.push_back(std::make_unique<Layer>(std::move(policy), *first_));
    first_ = layers_.back().get();
  }
}

Chain::~Chain() = default;

}  // namespace switchyard
