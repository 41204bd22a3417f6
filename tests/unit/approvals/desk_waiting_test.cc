// Who is sent back while a call waits at the desk: nothing is used up by a call that does not go
// on.
#include <string>

#include <gtest/gtest.h>

#include "approvals/desk.h"
#include "base/clock.h"
#include "telemetry/metrics.h"

namespace switchyard::approvals {
namespace {

using namespace std::chrono_literals;

class DeskWaiting : public ::testing::Test {
 protected:
  DeskWaiting() {
    desk.BeginRules();
    desk.Knows("rule");
    desk.EndRules();
  }
  static Request Ask() {
    return {.subject = "ada", .server = "billing", .tool = "delete", .policy = "rule"};
  }
  std::string Wait(const Request& request) { return desk.Present(request, 10min).approval.id; }
  Result<Desk::Shown> Approve(const std::string& id) {
    return desk.Decide(id, true, "operator", "");
  }

  ManualClock clock;
  telemetry::Metrics metrics;
  Desk desk{clock, metrics};
};

TEST_F(DeskWaiting, WhoIsSentBackUsesNothingUp) {
  const std::string id = Wait(Ask());
  int woken = 0;
  {
    const Desk::Waiting waiting(desk, id, "billing", [&woken] { ++woken; });
    desk.SendBack();
    EXPECT_TRUE(waiting.stale());
    EXPECT_EQ(woken, 1);
    ASSERT_TRUE(Approve(id));
    EXPECT_EQ(desk.Look(Ask(), id, &waiting).verdict, Verdict::kPending);
  }
  const Desk::Waiting anew(desk, id, "billing", [] {});
  EXPECT_EQ(desk.Look(Ask(), id, &anew).verdict, Verdict::kRun);
}

TEST_F(DeskWaiting, WhoIsLetGoAtTheEndUsesNothingUp) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(Approve(id));
  const Desk::Waiting waiting(desk, id, "billing", [] {});
  desk.LetGo();
  EXPECT_EQ(desk.Look(Ask(), id, &waiting).verdict, Verdict::kPending);
  EXPECT_EQ(desk.Look(Ask(), id).verdict, Verdict::kRun);
}

}  // namespace
}  // namespace switchyard::approvals
