#include "core/resolver.h"

#include <utility>

#include "core/call.h"
#include "core/policy_set.h"

namespace switchyard {

void LeadNowhere(Call& call) {
  struct Pins {
    std::shared_ptr<const void> before;
    std::shared_ptr<const PolicySet> policies;
  };
  Target nowhere;
  nowhere.transparent = call.target.transparent;
  auto pins = std::make_shared<Pins>();
  if (call.target.others != nullptr) pins->policies = call.target.others->PoliciesOfUnknown();
  nowhere.policies = pins->policies.get();
  pins->before = std::move(call.target.pin);
  nowhere.pin = std::move(pins);
  call.target = std::move(nowhere);
}

}  // namespace switchyard
