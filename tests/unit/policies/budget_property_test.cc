// Budgets under many calls at a time: what is known before a call is never overshot.
#include <atomic>
#include <deque>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/budget_fixture.h"

namespace switchyard::policies {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::Loop;

// Lets each call wait until the test ends it.
class HoldingService final : public Service {
 public:
  Task<Result<ReplyPtr>> Handle(Call& call) override {
    const auto gate = std::make_shared<Mailbox<std::string>>();
    waiting.emplace_back(&call, gate);
    const std::string what = co_await gate->Take();
    if (what == "unreached") {
      co_return Failure({.code = Code::kUnavailable, .retryable = true, .message = "down"});
    }
    if (what == "broken") co_return Failure(Code::kProtocol, Origin::kServer, "broken");
    co_return ReplyWith(std::move(**testing::Answer(what)));
  }
  std::deque<std::pair<Call*, std::shared_ptr<Mailbox<std::string>>>> waiting;
};

class BudgetProperty : public testing::BudgetFixture {
 protected:
  ~BudgetProperty() override { Cancel(); }

  static Task<void> Into(Task<std::string> task) {
    const std::string text = co_await std::move(task);
  }
  void Begin(const std::shared_ptr<const Policy>& policy, Call call) {
    Call& sent = *calls_.emplace_back(std::make_unique<Call>(std::move(call)));
    sent_.emplace_back(loop_.executor(), "call", Into(Read(policy, sent, holding_, error_)));
    loop_.Run();
  }
  // Of all that is under way.
  void Cancel() {
    sent_.clear();
    loop_.Run();
    holding_.waiting.clear();
    calls_.clear();
  }
  void End(std::size_t which, const std::string& how) {
    const auto gate = holding_.waiting.at(which).second;
    holding_.waiting.erase(holding_.waiting.begin() + static_cast<std::ptrdiff_t>(which));
    gate->Put(how);
    loop_.Run();
  }
  std::int64_t Used(const std::string& unit) const {
    const std::string page = metrics_.Serialize();
    const std::string line = R"(switchyard_budget_used{budget="b",scope="",unit=")" + unit + "\"} ";
    const std::size_t at = page.find(line);
    return at == std::string::npos ? 0 : std::stoll(page.substr(at + line.size()));
  }

  HoldingService holding_;
  std::deque<TaskHandle> sent_;
};

TEST_F(BudgetProperty, OfSixtyFourAtTheEdgeOnlyThoseThatFitPass) {
  const auto policy =
      Make("{price: {per_call: 0.3}, budgets: {b: {calls: 10, money: 2, window: 1h}}}");
  for (int i = 0; i < 64; ++i) Begin(policy, Of());
  EXPECT_EQ(holding_.waiting.size(), 6U) << "6 x 0.3 of 2";
  End(0, "unreached");
  Begin(policy, Of());
  EXPECT_EQ(holding_.waiting.size(), 6U) << "what reached no server is free again";
  Begin(policy, Of());
  EXPECT_EQ(holding_.waiting.size(), 6U);
  while (!holding_.waiting.empty()) End(0, "{}");
  EXPECT_EQ(Used("money"), 1'800'000);
}

TEST_F(BudgetProperty, WhateverTheOrderOfBeginningsAndEndsNothingIsOvershot) {
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
    std::mt19937 random(seed);
    const std::string name = "run" + std::to_string(seed);
    // The reservation is the most that an answer can be, so bytes cannot be overshot either.
    const auto policy = Make(
        "{price: {per_call: 0.7}, reserve: {bytes: 100}, budgets: {b: {calls: 40, bytes: 1500, "
        "money: 20, window: 10m}}}",
        nullptr, name);
    for (int step = 0; step < 600; ++step) {
      const unsigned what = random() % 10;
      if (what < 5) {
        Begin(policy, Of());
      } else if (what < 9 && !holding_.waiting.empty()) {
        const std::size_t which = random() % holding_.waiting.size();
        const std::string filler(random() % 80, 'x');
        const unsigned how = random() % 6;
        End(which, how == 0 ? "unreached" : how == 1 ? "broken" : R"({"t":")" + filler + "\"}");
      } else if (!sent_.empty() && random() % 3 == 0) {
        Cancel();
      } else {
        clock_.Advance(milliseconds(random() % 20'000));
      }
      for (const auto& [unit, limit] : std::vector<std::pair<std::string, std::int64_t>>{
               {"calls", 40}, {"bytes", 1500}, {"money", 20'000'000}}) {
        ASSERT_LE(Used(unit), limit) << "seed " << seed << " step " << step << " " << unit;
      }
    }
    Cancel();
    clock_.Advance(minutes(30));
  }
}

TEST_F(BudgetProperty, OverSeveralThreadsNoCallTooManyPasses) {
  const auto policy = Make("{budgets: {b: {calls: 500, window: 1h}}}");
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      testing::FakeService service;
      Loop loop;
      for (int i = 0; i < 400; ++i) {
        Call call = Of();
        const auto reply = loop.Run(policy->Handle(call, service));
        if (reply && *reply) {
          ++passed;
          // The answer, so that it is settled.
          (void)loop.Run((**reply)->Next());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 500);
}

TEST_F(BudgetProperty, AClockThatIsSetBackAndForthGivesNoPeriodTwice) {
  // ManualClock moves both clocks; what a wall clock does alone is that of the keys: the same
  // period, the same counter.
  const auto policy = Make("{budgets: {b: {calls: 3, calendar: minute}}}");
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += Passes(policy) ? 1 : 0;
  EXPECT_EQ(passed, 3);
  clock_.Advance(-minutes(5));
  for (int i = 0; i < 10; ++i) passed += Passes(policy) ? 1 : 0;
  EXPECT_EQ(passed, 6) << "another period has a count of its own";
  clock_.Advance(minutes(5));
  for (int i = 0; i < 10; ++i) passed += Passes(policy) ? 1 : 0;
  EXPECT_EQ(passed, 6) << "the first is still used up";
}

}  // namespace
}  // namespace switchyard::policies
