#include "policies/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/settings.h"
#include "policies/lib/states.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using ::testing::ElementsAre;

TEST(Registry, KeysStandInTheOrderOfTheFile) {
  std::vector<std::string> names;
  for (const config::PolicyKey& key : PolicyKeys()) names.push_back(key.name);
  EXPECT_THAT(names,
              ElementsAre("telemetry", "audit", "context_budget", "fallback", "authorize", "opa",
                          "rate_limit", "result_cap", "guardrail", "validate", "approval", "cache",
                          "budget", "retry", "breaker", "concurrency", "timeout"));
}

TEST(Registry, AChainHasThePoliciesOfItsStage) {
  const ManualClock clock;
  switchyard::telemetry::Metrics metrics;
  States states;
  const Policies all = MakePolicies({.clock = clock, .metrics = metrics, .states = &states});
  std::size_t slot = 0;
  for (const Stage stage : {Stage::kWatch, Stage::kCall, Stage::kServer}) {
    for (const PlacedPolicy& placed : ChainOf(stage, all)) {
      EXPECT_EQ(placed.slot, slot);
      EXPECT_EQ(placed.policy, all[slot++]);
    }
    EXPECT_EQ(slot, stage == Stage::kWatch ? 2U : stage == Stage::kCall ? 13U : 17U);
  }
}

TEST(Registry, APolicyOfWhichNobodySaidAnythingIsOffUnlessItDoesSomethingAllTheSame) {
  const ManualClock clock;
  switchyard::telemetry::Metrics metrics;
  States states;
  const Policies all = MakePolicies({.clock = clock, .metrics = metrics, .states = &states});
  constexpr PolicyScope kOfX{.endpoint = {}, .server = "x", .glob = {}};
  std::vector<std::shared_ptr<const void>> by_slot;
  for (const auto& policy : all) by_slot.push_back(policy->Bind(nullptr, kOfX));
  const PolicySet set(by_slot);
  std::vector<std::string> on;
  for (std::size_t slot = 0; slot < all.size(); ++slot) {
    if (!all[slot]->IsOff(set)) on.push_back(PolicyKeys()[slot].name);
  }
  EXPECT_THAT(on,
              ElementsAre("telemetry", "fallback", "authorize", "cache", "concurrency", "timeout"));
}

TEST(Registry, KeysKnowTheirStage) {
  EXPECT_EQ(testing::KeyOf("telemetry").stage, Stage::kWatch);
  EXPECT_EQ(testing::KeyOf("timeout").stage, Stage::kServer);
}

struct Limit {
  int most = 7;
};

TEST(Registry, ACallFindsTheSettingsOfItsPolicyByPlace) {
  const ManualClock clock;
  switchyard::telemetry::Metrics metrics;
  const SettingsOf<Limit> second({.clock = clock, .metrics = metrics, .slot = 1});
  Call call;
  EXPECT_EQ(second(call).most, 7);
  const PolicySet set({std::make_shared<Limit>(1), std::make_shared<Limit>(2)});
  call.target.policies = &set;
  EXPECT_EQ(second(call).most, 2);
  const PolicySet nothing({nullptr, nullptr});
  call.target.policies = &nothing;
  EXPECT_EQ(second(call).most, 7);
}

TEST(Registry, DurationsReadWellInMessages) {
  EXPECT_EQ(ShortDuration(std::chrono::seconds(60)), "60s");
  EXPECT_EQ(ShortDuration(std::chrono::milliseconds(1500)), "1.5s");
  EXPECT_EQ(ShortDuration(std::chrono::milliseconds(250)), "250ms");
}

}  // namespace
}  // namespace switchyard::policies
