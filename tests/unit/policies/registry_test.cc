#include "policies/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/settings.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using ::testing::ElementsAre;

TEST(Registry, KeysStandInTheOrderOfTheFile) {
  std::vector<std::string> names;
  for (const config::PolicyKey& key : PolicyKeys()) names.push_back(key.name);
  EXPECT_THAT(names, ElementsAre("telemetry", "concurrency", "timeout"));
}

TEST(Registry, AChainHasThePoliciesOfItsStageWithDefaults) {
  const ManualClock clock;
  switchyard::telemetry::Metrics metrics;
  const PolicyDeps deps{.name = "x", .clock = clock, .metrics = metrics};
  EXPECT_EQ(MakeChain(Stage::kCall, {}, deps).size(), 1U);
  EXPECT_EQ(MakeChain(Stage::kServer, {}, deps).size(), 2U);
}

TEST(Registry, OwnSettingsHideThoseOfTheEnclosingLevel) {
  const auto outer = std::make_shared<int>(1), own = std::make_shared<int>(2);
  const config::PolicySettings result =
      Effective({.by_name = {{"a", outer}, {"b", outer}}}, {.by_name = {{"a", own}}});
  EXPECT_EQ(result.Find("a"), own.get());
  EXPECT_EQ(result.Find("b"), outer.get());
  EXPECT_EQ(result.Find("c"), nullptr);
}

TEST(Registry, DurationsReadWellInMessages) {
  EXPECT_EQ(ShortDuration(std::chrono::seconds(60)), "60s");
  EXPECT_EQ(ShortDuration(std::chrono::milliseconds(1500)), "1.5s");
  EXPECT_EQ(ShortDuration(std::chrono::milliseconds(250)), "250ms");
}

}  // namespace
}  // namespace switchyard::policies
