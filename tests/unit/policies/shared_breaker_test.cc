#include "policies/lib/shared_breaker.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard::policies {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Breaker::State;
using Verdict = Breaker::Verdict;

class BreakerOfAll : public ::testing::Test {
 protected:
  bool Call(Verdict verdict, std::string_view failure = {}) {
    const auto ticket = breaker.Admit(settings, now);
    if (!ticket) return false;
    breaker.Report(settings, *ticket, verdict, milliseconds(1), now, failure);
    return true;
  }

  Breaker::Settings settings;
  TimePoint now{seconds(1000)};
  std::vector<State> changes;
  SharedBreaker breaker{
      [this](const SharedBreaker::Facts& facts) { changes.push_back(facts.state); }};
};

TEST_F(BreakerOfAll, TellsEachChangeOnceAndInOrder) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Call(Verdict::kFailure));
  EXPECT_FALSE(breaker.closed());
  EXPECT_FALSE(Call(Verdict::kSuccess));
  now += seconds(5);
  EXPECT_TRUE(Call(Verdict::kFailure));
  now += seconds(10);
  EXPECT_TRUE(Call(Verdict::kSuccess));
  EXPECT_TRUE(breaker.closed());
  EXPECT_EQ(changes, (std::vector{State::kOpen, State::kHalfOpen, State::kOpen, State::kHalfOpen,
                                  State::kClosed}));
}

TEST_F(BreakerOfAll, ASuccessBetweenFailuresEndsTheirRow) {
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(Call(i % 5 == 4 ? Verdict::kSuccess : Verdict::kFailure));
  EXPECT_TRUE(breaker.closed());
}

TEST_F(BreakerOfAll, RatesSeeTheSuccessesToo) {
  settings.consecutive_failures = 0;
  settings.failure_rate = 0.5;
  settings.min_calls = 10;
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(Call(Verdict::kSuccess));
  for (int i = 0; i < 11; ++i) EXPECT_TRUE(Call(Verdict::kFailure));
  EXPECT_TRUE(breaker.closed());
  EXPECT_TRUE(Call(Verdict::kFailure));
  EXPECT_FALSE(breaker.closed());
  EXPECT_EQ(breaker.Look(now).why, "at least 50% of the calls within 30s failed");
}

TEST_F(BreakerOfAll, SaysWhyAndWhatFailedLast) {
  const std::string longer = std::string(199, 'x') + "é and more";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Call(Verdict::kFailure, i == 4 ? longer : "early"));
  now += seconds(2);
  const SharedBreaker::Facts facts = breaker.Look(now);
  EXPECT_EQ(facts.why, "5 calls failed one after the other");
  EXPECT_EQ(facts.last, std::string(199, 'x')) << "cut between characters";
  EXPECT_EQ(facts.open_since, seconds(2));
  EXPECT_EQ(facts.retry_after, seconds(3));
}

TEST_F(BreakerOfAll, ManyThreadsLeaveItAsItShouldBe) {
  const auto run = [this](Verdict verdict) {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this, verdict] {
        for (int i = 0; i < 2000; ++i) Call(verdict);
      });
    }
  };
  run(Verdict::kSuccess);
  EXPECT_TRUE(breaker.closed());
  run(Verdict::kFailure);
  EXPECT_EQ(changes, std::vector{State::kOpen});
  now += seconds(5);
  run(Verdict::kSuccess);
  EXPECT_TRUE(breaker.closed());
}

}  // namespace
}  // namespace switchyard::policies
