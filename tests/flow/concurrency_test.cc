// concurrency in a whole gateway: what its metrics show while calls are held.
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

TEST(Concurrency, WhoWaitsAndWhoIsInFlightIsSeenInMetrics) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway
      .Serves("a", fake,
              "policies: {concurrency: {max_in_flight: 1, queue: 2}}, "
              "tool_policies: {\"aw*\": {concurrency: {max_in_flight: 3}}}")
      .Start();
  ModernClient client = gateway.Modern();
  Exchange first = client.BeginCall("a__hold", R"({"label":"1"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:1")));
  Exchange second = client.BeginCall("a__hold", R"({"label":"2"})");
  Exchange other = client.BeginCall("a__await", R"({"event":"e"})");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope=""} 1)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_queued{server="a",scope=""} 1)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope="aw*"} 1)"));
  fake.surface().Named("release:1").Set();
  fake.surface().Named("release:2").Set();
  fake.surface().Named("e").Set();
  EXPECT_EQ(first.Finish().text(), "released 1");
  EXPECT_EQ(second.Finish().text(), "released 2");
  EXPECT_EQ(other.Finish().text(), "happened");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_in_flight{server="a",scope=""} 0)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_concurrency_queued{server="a",scope=""} 0)"));
}

}  // namespace
}  // namespace switchyard::tests
