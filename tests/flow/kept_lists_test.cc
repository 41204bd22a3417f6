// What a server offered stays on the lists for a while when it is down, or fails to list anew: who
// calls is told what is the matter, and not that there is no such tool.
#include <gtest/gtest.h>

#include "support/becomes.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using std::chrono::seconds;

class KeptLists : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "") {
    fake.ExpectComplaints();
    gateway.GoesBy(clock).Serves("a", fake, keys).Start();
  }
  bool IsMissing() {
    return client().Request({.method = "tools/list"}).Contains(R"("switchyard/missing":)");
  }
  bool IsListed() { return !client().Tools().empty(); }
  Answer Echo() { return client().Call("a__echo", R"({"text":"x"})"); }
  ModernClient& client() {
    if (client_ == nullptr) client_ = std::make_unique<ModernClient>(gateway.port());
    return *client_;
  }
  void Leap(Duration by) {
    clock.Advance(by);
    client().HangUp();
  }

  LeapingClock clock;
  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;

 private:
  std::unique_ptr<ModernClient> client_;
};

INSTANTIATE_TEST_SUITE_P(Era, KeptLists, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(KeptLists, OfAServerThatGoesAndComesBack) {
  Start();
  fake.Down();
  EXPECT_TRUE(Becomes([this] { return IsMissing(); })) << "everybody is told";
  EXPECT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 0)"));
  EXPECT_TRUE(IsListed());
  const Answer refused = Echo();
  EXPECT_EQ(refused.code(), -32603) << "not an unknown tool: " << refused;
  EXPECT_TRUE(refused.Contains("server a")) << refused;
  fake.Up();
  EXPECT_TRUE(Becomes([this] { return !IsMissing(); }));
  EXPECT_EQ(Echo().text(), "x");
}

TEST_P(KeptLists, OfAServerThatStaysAwayGoInTheEnd) {
  Start();
  fake.Down();
  EXPECT_TRUE(Becomes([this] { return IsMissing(); }));
  Leap(seconds(31));
  EXPECT_TRUE(Becomes([this] { return !IsListed(); }));
  EXPECT_TRUE(IsMissing());
  EXPECT_TRUE(Echo().Contains("server a is down: ")) << "not an unknown tool";
  fake.Up();
  EXPECT_TRUE(Becomes([this] { return Echo().text() == "x"; }));
}

TEST_P(KeptLists, OfAServerThatFailsToListAnewStayWhileItAnswersCalls) {
  Start();
  fake.surface().OnMethod("tools/list", [](Turn& turn) { turn.Error(-32000, "not now"); });
  ASSERT_TRUE(WaitFor(fake.surface().Named("listening")));
  fake.surface().Changed("tools");
  EXPECT_TRUE(Becomes([this] { return IsMissing(); })) << "everybody is told";
  EXPECT_TRUE(IsListed());
  EXPECT_EQ(Echo().text(), "x");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 1)"));
  Leap(seconds(60));
  EXPECT_EQ(Echo().text(), "x");
  EXPECT_TRUE(IsListed());
  fake.surface().OnMethod("tools/list", nullptr);
  fake.surface().AddTool("new", [](Turn& turn) { turn.Text("new"); });
  EXPECT_TRUE(Becomes([this] { return client().Call("a__new").text() == "new"; }));
  EXPECT_TRUE(Becomes([this] { return !IsMissing(); }));
}

}  // namespace
}  // namespace switchyard::tests
