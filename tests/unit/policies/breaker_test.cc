#include "policies/lib/breaker.h"

#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace switchyard::policies {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using State = Breaker::State;
using Verdict = Breaker::Verdict;

class BreakerState : public ::testing::Test {
 protected:
  // One call from its admission to its end; false: it was refused.
  bool Call(Verdict verdict, Duration took = milliseconds(1)) {
    const Breaker::Admission admission = breaker.Admit(settings, now);
    if (!admission.admitted) return false;
    breaker.Report(settings, admission.ticket, verdict, took, now);
    return true;
  }
  void Calls(int count, Verdict verdict, Duration took = milliseconds(1)) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(Call(verdict, took)) << i;
  }
  void OpenIt() {
    while (breaker.state() != State::kOpen) ASSERT_TRUE(Call(Verdict::kFailure));
  }
  // How long it refuses from now on, by asking.
  Duration Refuses() { return breaker.Admit(settings, now).retry_after; }

  Breaker::Settings settings;
  Breaker breaker;
  TimePoint now{seconds(1000)};
};

TEST_F(BreakerState, OpensAfterSoManyFailuresOneAfterTheOther) {
  Calls(4, Verdict::kFailure);
  Calls(1, Verdict::kSuccess);
  Calls(4, Verdict::kFailure);
  EXPECT_EQ(breaker.state(), State::kClosed);
  Calls(1, Verdict::kFailure);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.why(), Breaker::Why::kConsecutive);
  EXPECT_FALSE(Call(Verdict::kSuccess));
  EXPECT_EQ(Refuses(), seconds(5));
}

TEST_F(BreakerState, ClosesWhenFewerProbesAreAskedForThanSucceeded) {
  settings.probes = 2;
  OpenIt();
  now += seconds(5);
  Calls(1, Verdict::kSuccess);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  settings.probes = 1;
  Calls(1, Verdict::kSuccess);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(BreakerState, WhatSaysNothingOfTheServerCountsNowhere) {
  Calls(4, Verdict::kFailure);
  Calls(100, Verdict::kNone);
  EXPECT_EQ(breaker.state(), State::kClosed);
  Calls(1, Verdict::kFailure);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST_F(BreakerState, OpensAtAShareOfFailuresOnceThereAreEnoughCalls) {
  settings.consecutive_failures = 0;
  settings.failure_rate = 0.5;
  settings.min_calls = 10;
  Calls(9, Verdict::kFailure);
  EXPECT_EQ(breaker.state(), State::kClosed) << "nine calls are no rate";
  now += seconds(31);
  Calls(6, Verdict::kSuccess);
  Calls(5, Verdict::kFailure);
  EXPECT_EQ(breaker.state(), State::kClosed) << "what is older than the window is forgotten";
  Calls(1, Verdict::kFailure);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.why(), Breaker::Why::kFailureRate);
}

TEST_F(BreakerState, OpensAtAShareOfSlowCallsThoughTheySucceed) {
  settings.slow_rate = 0.5;
  settings.slow_call = seconds(1);
  settings.min_calls = 4;
  Calls(2, Verdict::kSuccess, milliseconds(999));
  Calls(1, Verdict::kSuccess, seconds(1));
  EXPECT_EQ(breaker.state(), State::kClosed);
  Calls(1, Verdict::kSuccess, seconds(1));
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.why(), Breaker::Why::kSlowRate);
  now += seconds(5);
  Calls(1, Verdict::kSuccess, seconds(1));
  EXPECT_EQ(breaker.state(), State::kOpen) << "a slow probe proves nothing";
}

TEST_F(BreakerState, ThenAsManyProbesPassAsItTakesAndDecide) {
  settings.probes = 2;
  OpenIt();
  now += seconds(5);
  const Breaker::Admission first = breaker.Admit(settings, now);
  const Breaker::Admission second = breaker.Admit(settings, now);
  EXPECT_TRUE(first.admitted && second.admitted);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.Admit(settings, now).admitted);
  breaker.Report(settings, first.ticket, Verdict::kSuccess, {}, now);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.Admit(settings, now).admitted);
  breaker.Report(settings, second.ticket, Verdict::kSuccess, {}, now);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(BreakerState, AProbeThatSaysNothingMakesRoomForAnother) {
  OpenIt();
  now += seconds(5);
  Calls(3, Verdict::kNone);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  Calls(1, Verdict::kSuccess);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(BreakerState, AProbeThatHangsIsTakenForFailedInTheEnd) {
  OpenIt();
  now += seconds(5);
  const Breaker::Admission hangs = breaker.Admit(settings, now);
  ASSERT_TRUE(hangs.admitted);
  now += settings.max_open_for - milliseconds(1);
  EXPECT_EQ(Refuses(), settings.open_for);
  now += milliseconds(1);
  EXPECT_EQ(Refuses(), seconds(10)) << "it is open again";
  breaker.Report(settings, hangs.ticket, Verdict::kSuccess, {}, now);
  EXPECT_EQ(breaker.state(), State::kOpen) << "too late";
  now += seconds(10);
  Calls(1, Verdict::kSuccess);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(BreakerState, ACallThatIsGivenUpIsSlowOnceItTookLong) {
  settings.slow_rate = 1;
  settings.slow_call = seconds(1);
  settings.min_calls = 2;
  Calls(50, Verdict::kNone, milliseconds(999));
  EXPECT_EQ(breaker.state(), State::kClosed);
  Calls(2, Verdict::kNone, seconds(1));
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.why(), Breaker::Why::kSlowRate);
}

TEST_F(BreakerState, KnowsSinceWhenItIsNotClosed) {
  OpenIt();
  const TimePoint opened = now;
  now += seconds(5);
  Calls(1, Verdict::kFailure);
  now += seconds(1);
  EXPECT_EQ(breaker.since(), opened) << "it did not recover in between";
}

TEST_F(BreakerState, StaysOpenTwiceAsLongEachTimeUpToABound) {
  settings.max_open_for = seconds(30);
  OpenIt();
  for (const int open : {5, 10, 20, 30, 30}) {
    EXPECT_EQ(Refuses(), seconds(open));
    now += seconds(open) - milliseconds(1);
    EXPECT_EQ(Refuses(), milliseconds(1));
    now += milliseconds(1);
    Calls(1, Verdict::kFailure);
    EXPECT_EQ(breaker.why(), Breaker::Why::kProbe);
  }
}

TEST_F(BreakerState, BeginsAnewOnlyAfterItStayedClosedForAsLongAsItWasOpen) {
  OpenIt();
  now += seconds(5);
  Calls(1, Verdict::kSuccess);
  now += seconds(4);
  OpenIt();
  EXPECT_EQ(Refuses(), seconds(10)) << "it flaps";
  now += seconds(10);
  Calls(1, Verdict::kSuccess);
  now += seconds(10);
  OpenIt();
  EXPECT_EQ(Refuses(), seconds(5));
}

TEST_F(BreakerState, ResultsOfCallsFromBeforeItOpenedDecideNothing) {
  const Breaker::Admission old = breaker.Admit(settings, now);
  OpenIt();
  now += seconds(5);
  const Breaker::Admission probe = breaker.Admit(settings, now);
  breaker.Report(settings, old.ticket, Verdict::kFailure, {}, now);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  breaker.Report(settings, probe.ticket, Verdict::kSuccess, {}, now);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(BreakerState, AClockThatStepsBackDoesNotKeepItOpenForHours) {
  OpenIt();
  now -= hours(10);
  EXPECT_EQ(Refuses(), seconds(5));
  now += seconds(5);
  EXPECT_TRUE(Call(Verdict::kSuccess));
}

// On random calls that overlap, verdicts and clocks.
TEST(BreakerProperty, NoMoreProbesThanAllowedAndNoCallWhileOpen) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    FastRandom random(seed);
    Breaker::Settings settings;
    settings.consecutive_failures = static_cast<unsigned>(random.Next() % 4);
    settings.failure_rate = random.NextUnit();
    settings.slow_rate = random.NextUnit();
    settings.slow_call = milliseconds(500);
    settings.min_calls = static_cast<unsigned>(random.Next() % 8);
    settings.window = seconds(random.Next() % 20 + 1);
    settings.probes = static_cast<unsigned>(random.Next() % 4 + 1);
    Breaker breaker;
    TimePoint now{seconds(1000)};
    std::deque<Breaker::Ticket> flying, probing;
    Duration left{};  // what was named last, while it is open
    for (int step = 0; step < 500; ++step) {
      const Duration by = milliseconds(random.Next() % 2000);
      now += by;
      if (breaker.state() == State::kOpen) left -= by;
      if (random.Next() % 2 == 0) {
        const bool was_open = breaker.state() == State::kOpen;
        const Breaker::Admission admission = breaker.Admit(settings, now);
        ASSERT_EQ(admission.admitted, admission.retry_after == Duration::zero()) << seed;
        if (was_open) ASSERT_EQ(admission.admitted, left <= Duration::zero()) << seed;
        if (!admission.admitted) continue;
        if (breaker.state() == State::kHalfOpen) {
          if (was_open) probing.clear();
          probing.push_back(admission.ticket);
          ASSERT_LE(probing.size(), settings.probes) << seed;
        } else {
          flying.push_back(admission.ticket);
        }
      } else {
        auto& from = random.Next() % 2 == 0 ? flying : probing;
        if (from.empty()) continue;
        const State before = breaker.state();
        breaker.Report(settings, from.front(), static_cast<Verdict>(random.Next() % 3),
                       milliseconds(random.Next() % 1000), now);
        from.pop_front();
        if (before == State::kOpen) ASSERT_EQ(breaker.state(), State::kOpen) << seed;
        if (before != State::kOpen && breaker.state() == State::kOpen) {
          left = breaker.OpenFor(now);
          ASSERT_GE(left, settings.open_for) << seed;
          ASSERT_LE(left, settings.max_open_for) << seed;
        }
      }
    }
  }
}

}  // namespace
}  // namespace switchyard::policies
