// What a client was told holds for its next request, whichever worker serves that.
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

TEST(AClientThatWasToldOfAChange, SeesItOnEveryConnection) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake).Start();
  ModernClient client = gateway.Modern();
  Exchange listen = client.Listen(R"("toolsListChanged":true)");
  ASSERT_TRUE(WaitFor(fake.surface().Named("listening")));
  for (int round = 0; round < 20; ++round) {
    const std::string tool = "fresh" + std::to_string(round);
    fake.surface().AddTool(tool, [](Turn& turn) { turn.Text("ok"); });
    fake.surface().Changed("tools");
    ASSERT_TRUE(listen.NextEvent().has_value());
    for (int call = 0; call < 4; ++call) {  // on new connections, so by all workers
      const Answer answer = client.BeginCall("a__" + tool).Finish();
      ASSERT_EQ(answer.text(), "ok") << "round " << round << ": " << answer;
    }
  }
}

}  // namespace
}  // namespace switchyard::tests
