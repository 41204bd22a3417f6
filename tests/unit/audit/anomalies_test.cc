#include "audit/anomalies.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class AuditAnomalies : public ::testing::Test {
 protected:
  std::vector<std::string> See(Anomalies& anomalies, Event event) const {
    event.time = now_;
    std::vector<std::string> words;
    for (const Anomalies::Found& found : anomalies.See(event)) {
      words.emplace_back(ToString(found.kind));
    }
    return words;
  }
  static Event Call(const std::string& who, const std::string& tool = "t") {
    return {.subject = who, .server = "s", .item_key = "tool", .item = tool, .outcome = "ok"};
  }
  static Event Denied(const std::string& who) {
    Event event = Call(who);
    event.outcome = "denied";
    return event;
  }

  WallTime now_{1000s};
};

TEST_F(AuditAnomalies, ManyDenialsOfOneCallerAreToldOnceAWindow) {
  Anomalies anomalies({.window = 1min, .denials = 3});
  for (const char* other : {"ada", "bob", "ada", "bob"}) {
    EXPECT_THAT(See(anomalies, Denied(other)), IsEmpty());
  }
  EXPECT_THAT(See(anomalies, Denied("ada")), ElementsAre("denials"));
  EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty());
  now_ += 1min;
  EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty()) << "begins anew";
  EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty());
  EXPECT_THAT(See(anomalies, Denied("ada")), ElementsAre("denials"));
}

TEST_F(AuditAnomalies, ABurstIsOfWhoProvedWhoTheyAre) {
  Anomalies anomalies({.calls = 3, .unseen_tools = false});
  for (int i = 0; i < 5; ++i) EXPECT_THAT(See(anomalies, Call("")), IsEmpty());
  for (int i = 0; i < 2; ++i) EXPECT_THAT(See(anomalies, Call("ada")), IsEmpty());
  EXPECT_THAT(See(anomalies, Call("ada")), ElementsAre("burst"));
}

TEST_F(AuditAnomalies, AToolIsUnseenOnceWhatACallerUsesIsLearnt) {
  Anomalies anomalies({.learn = 1h});
  EXPECT_THAT(See(anomalies, Call("ada", "read")), IsEmpty());
  now_ += 1h;
  EXPECT_THAT(See(anomalies, Call("ada", "read")), IsEmpty());
  EXPECT_THAT(See(anomalies, Call("ada", "wipe")), ElementsAre("unseen_tool"));
  EXPECT_THAT(See(anomalies, Call("ada", "wipe")), IsEmpty());
  EXPECT_THAT(See(anomalies, Call("bob", "wipe")), IsEmpty()) << "is new himself";
  EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty()) << "what was denied was not used";
}

TEST_F(AuditAnomalies, ZeroIsNever) {
  Anomalies anomalies({.denials = 0, .calls = 0, .unseen_tools = false, .learn = 0s});
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty());
    EXPECT_THAT(See(anomalies, Call("ada", std::to_string(i))), IsEmpty());
  }
}

TEST_F(AuditAnomalies, AFloodOfCallersTakesTheRoomOfThoseThatAreWatched) {
  Anomalies anomalies({.denials = 2, .callers = 1000});
  EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty());
  for (int i = 0; i < 100'000; ++i) {
    See(anomalies, Call("u" + std::to_string(i)));
    if (i == 500) See(anomalies, Call("ada"));
  }
  EXPECT_EQ(anomalies.watched(), 1000U);
  EXPECT_THAT(See(anomalies, Denied("ada")), IsEmpty()) << "was forgotten";
}

}  // namespace
}  // namespace switchyard::audit
