#include "policies/registry.h"

#include <algorithm>
#include <utility>

#include "config/section.h"
#include "policies/cache.h"
#include "policies/fallback.h"

namespace switchyard::policies {

// Every policy defines these two, in its own namespace in its own file.
#define POLICY(name, stage, ...)                                                     \
  namespace name {                                                                   \
  std::shared_ptr<const void> Parse(config::Section section, const void* inherited); \
  std::shared_ptr<const Policy> Make(const PolicyDeps& deps);                        \
  }
#include "policies/order.def"
#undef POLICY

namespace {

// An old answer is one of the cache's.
bool WantsOldAnswers(const void* settings) {
  return static_cast<const fallback::FallbackSettings*>(settings)->wants_old_answers();
}
bool KeepsAnswers(const void* settings) {
  const auto* const given = static_cast<const cache::CacheSettings*>(settings);
  return given != nullptr && given->enabled && given->keeps_anything();
}

}  // namespace

std::vector<config::PolicyKey> PolicyKeys() {
  using enum config::Level;
  std::vector<config::PolicyKey> keys = {
#define POLICY(policy, where, ...) \
  {.name = #policy, .parse = &policy::Parse, .stage = Stage::where, .not_at = {__VA_ARGS__}},
#include "policies/order.def"
#undef POLICY
  };
  std::ranges::find(keys, "fallback", &config::PolicyKey::name)->needs = {
      .key = "alternatives",
      .exists = &WantsOldAnswers,
      .other = "cache",
      .is_met = &KeepsAnswers,
      .message =
          "stale gives what the cache keeps, and it keeps nothing of these calls: set "
          "policies.cache for them, or take it out"};
  return keys;
}

#define POLICY(...) +1
static_assert(0
#include "policies/order.def"
              <= PolicySet::kMostPolicies);
#undef POLICY

Policies MakePolicies(PolicyDeps deps) {
  Policies all;
  if (deps.between == nullptr) deps.between = std::make_shared<Between>();
#define POLICY(name, stage, ...) \
  deps.slot = all.size();        \
  all.push_back(name::Make(deps));
#include "policies/order.def"
#undef POLICY
  return all;
}

std::vector<PlacedPolicy> ChainOf(Stage stage, const Policies& all) {
  std::vector<PlacedPolicy> chain;
  std::size_t slot = 0;
#define POLICY(name, place, ...)                                    \
  if (stage == Stage::place) chain.push_back({all.at(slot), slot}); \
  ++slot;
#include "policies/order.def"
#undef POLICY
  return chain;
}

std::optional<Outage> OutageOf(const Policies& all, const PolicySet& set, std::string_view tool) {
  for (const std::shared_ptr<const Policy>& policy : all) {
    if (std::optional<Outage> outage = policy->OutageOf(set, tool)) return outage;
  }
  return std::nullopt;
}

// Outer ones put theirs around those of inner ones.
std::optional<std::string> StateWithin(const Policies& all, std::string_view state) {
  std::optional<std::string> found;
  for (const std::shared_ptr<const Policy>& policy : all) {
    std::optional<std::string> within = policy->StateWithin(found ? *found : state);
    if (within) found = std::move(within);
  }
  return found;
}

bool StandsIn(const Policies& all, const PolicySet& set) {
  return std::ranges::any_of(all, [&set](const auto& policy) { return policy->StandsIn(set); });
}

namespace {

class SightOfAll final : public Sight {
 public:
  explicit SightOfAll(std::vector<std::shared_ptr<const Sight>> sights)
      : sights_(std::move(sights)) {}

  bool Shows(const Definition& item) const override {
    return std::ranges::all_of(sights_, [&](const auto& one) { return one->Shows(item); });
  }
  bool MayLead(const Lead& lead) const override {
    return std::ranges::all_of(sights_, [&](const auto& one) { return one->MayLead(lead); });
  }
  std::string Hide(const Lead& lead, Call& call) const override {
    const auto hides =
        std::ranges::find_if(sights_, [&lead](const auto& one) { return !one->MayLead(lead); });
    return hides == sights_.end() ? std::string() : (*hides)->Hide(lead, call);
  }
  void Miss(const Lead& lead) const override {
    for (const auto& one : sights_) one->Miss(lead);
  }
  bool ShowsAny(ItemKind kind, const PolicySet* policies) const override {
    return std::ranges::all_of(sights_,
                               [&](const auto& one) { return one->ShowsAny(kind, policies); });
  }

 private:
  const std::vector<std::shared_ptr<const Sight>> sights_;
};

}  // namespace

FindSight SightsOf(const Policies& all) {
  std::vector<const Policy*> with_sights;
  for (const auto& policy : all) {
    if (policy->HasSights()) with_sights.push_back(policy.get());
  }
  return [with_sights](const Call& call) -> std::shared_ptr<const Sight> {
    std::shared_ptr<const Sight> first;
    std::vector<std::shared_ptr<const Sight>> sights;
    for (const Policy* policy : with_sights) {
      std::shared_ptr<const Sight> sight = policy->SightOf(call);
      if (sight == nullptr) continue;
      if (first == nullptr) {
        first = std::move(sight);
        continue;
      }
      if (sights.empty()) sights.push_back(first);
      sights.push_back(std::move(sight));
    }
    if (sights.empty()) return first;
    return std::make_shared<SightOfAll>(std::move(sights));
  };
}

BuiltinTools ToolsOf(const Policies& all) {
  BuiltinTools tools;
  for (const auto& policy : all) {
    for (auto& tool : policy->Tools()) tools.push_back(std::move(tool));
  }
  return tools;
}

}  // namespace switchyard::policies
