#include "policies/registry.h"

#include <utility>

#include "config/section.h"

namespace switchyard::policies {

// Every policy defines these two, in its own namespace in its own file. A null config means
// defaults.
#define POLICY(name, stage)                                                          \
  namespace name {                                                                   \
  std::shared_ptr<const void> Parse(config::Section section, const void* inherited); \
  std::shared_ptr<const Policy> Make(const void* config, const PolicyDeps& deps);    \
  }
#include "policies/order.def"
#undef POLICY

std::vector<config::PolicyKey> PolicyKeys() {
  return {
#define POLICY(name, stage) {#name, &name::Parse},
#include "policies/order.def"
#undef POLICY
  };
}

config::PolicySettings Effective(const config::PolicySettings& enclosing,
                                 const config::PolicySettings& own) {
  config::PolicySettings result = own;
  result.by_name.insert(enclosing.by_name.begin(), enclosing.by_name.end());
  return result;
}

std::vector<std::shared_ptr<const Policy>> MakeChain(Stage stage,
                                                     const config::PolicySettings& settings,
                                                     const PolicyDeps& deps) {
  std::vector<std::shared_ptr<const Policy>> chain;
#define POLICY(name, place) \
  if (stage == Stage::place) chain.push_back(name::Make(settings.Find(#name), deps));
#include "policies/order.def"
#undef POLICY
  return chain;
}

}  // namespace switchyard::policies
