// Equal calls at one time.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/worker_timers.h"
#include "unit/policies/cache_fixture.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::CachePolicy;
using ::testing::HasSubstr;

// Answers when it is told to.
class GatedService final : public Service {
 public:
  Task<Result<ReplyPtr>> Handle(Call& /*call*/) override {
    ++calls;
    const auto gate = std::make_shared<Mailbox<std::string>>();
    gates.push_back(gate);
    const std::string result = co_await gate->Take();
    Result<ReplyPtr> failed = Failure(Code::kUnavailable, Origin::kServer, "down");
    Result<ReplyPtr> late = Failure(Code::kDeadline, Origin::kServer, "late");
    if (result.empty()) co_return failed;
    if (result == "late") co_return late;
    if (result == "budget") {
      failed = Failure(Error{
          .code = Code::kRateLimited, .retryable = true, .message = "budget b", .for_agent = true});
    }
    if (result == "budget") co_return failed;
    testing::Step step = Answer(result);
    co_return ReplyWith(std::move(**step));
  }
  int calls = 0;
  std::vector<std::shared_ptr<Mailbox<std::string>>> gates;
};

class CacheFlights : public CachePolicy {
 protected:
  std::size_t Begin(Call call) {
    calls_.push_back(std::make_unique<Call>(std::move(call)));
    told_.push_back(std::make_shared<std::string>("waits"));
    tasks_.push_back(std::make_unique<TaskHandle>(
        loop_.executor(), "call", Run(policy_, *calls_.back(), server_, told_.back())));
    loop_.Run();
    return told_.size() - 1;
  }
  static Task<void> Run(std::shared_ptr<const Policy> policy, Call& call, Service& next,
                        std::shared_ptr<std::string> told) {
    const std::string text = co_await Read(policy, call, next);
    *told = Told(text);
  }
  void Drop(std::size_t i) {
    tasks_[i] = nullptr;
    loop_.Run();
  }
  void LetGo(std::size_t gate, const std::string& result) {
    server_.gates.at(gate)->Put(result);
    loop_.Run();
  }
  ~CacheFlights() override {
    tasks_.clear();
    loop_.Run();
  }

  std::shared_ptr<const Policy> policy_ = Make("{ttl: 1m}");
  GatedService server_;
  std::vector<std::shared_ptr<std::string>> told_;
  std::vector<std::unique_ptr<TaskHandle>> tasks_;
};

TEST_F(CacheFlights, EqualCallsAtOneTimeAreOneCallToTheServer) {
  for (int i = 0; i < 3; ++i) Begin(Of(search_));
  const std::size_t bob = Begin(Of(search_, "{}", "bob"));
  EXPECT_EQ(server_.calls, 2) << "what another caller asks is another's";
  LetGo(0, "{}");
  EXPECT_EQ(*told_[0], "miss 0");
  EXPECT_EQ(*told_[1], "shared 0");
  EXPECT_EQ(*told_[2], "shared 0");
  EXPECT_EQ(*told_[bob], "waits");
  EXPECT_EQ(*told_[Begin(Of(search_))], "hit 0");
}

TEST_F(CacheFlights, WhoLeadsAndGoesHandsTheLeadOver) {
  for (int i = 0; i < 4; ++i) Begin(Of(search_));
  Drop(1);
  Drop(0);
  EXPECT_EQ(server_.calls, 2) << "one of those that waited asks";
  LetGo(1, "{}");
  EXPECT_EQ(*told_[2], "miss 0");
  EXPECT_EQ(*told_[3], "shared 0");
  EXPECT_EQ(server_.calls, 2);
}

TEST_F(CacheFlights, WhatIsNotToBeSharedSendsEachOnItsOwn) {
  for (int i = 0; i < 3; ++i) Begin(Of(search_));
  LetGo(0, R"({"resultType":"input_required"})");
  EXPECT_EQ(*told_[0], "none");
  EXPECT_EQ(server_.calls, 3);
  LetGo(1, "{}");
  LetGo(2, "{}");
  EXPECT_EQ(*told_[1], "miss 0");
  EXPECT_EQ(*told_[2], "miss 0");
}

TEST_F(CacheFlights, AnErrorIsSharedAndNotKept) {
  for (int i = 0; i < 3; ++i) Begin(Of(search_));
  LetGo(0, "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*told_[i], "error: down");
  EXPECT_EQ(server_.calls, 1);
  Begin(Of(search_));
  EXPECT_EQ(server_.calls, 2);
  LetGo(1, R"({"isError":true})");
  Begin(Of(search_));
  EXPECT_EQ(server_.calls, 3);
}

TEST_F(CacheFlights, WhatIsTooSlowForTheFirstIsNotWaitedForByOneAfterTheOther) {
  for (int i = 0; i < 3; ++i) {
    Call call = Of(search_);
    call.deadline = Deadline(clock_.Now() + seconds(60));
    Begin(std::move(call));
  }
  clock_.Advance(seconds(5));  // timeout.total, say: of the attempt, not of the call
  LetGo(0, "late");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*told_[i], "error: late");
  EXPECT_EQ(server_.calls, 1);
}

TEST_F(CacheFlights, WhoseOwnTimeIsOutTakesNobodyAlong) {
  Call hasty = Of(search_);
  hasty.deadline = Deadline(clock_.Now() + seconds(1));
  Begin(std::move(hasty));
  const std::size_t patient = Begin(Of(search_));
  clock_.Advance(seconds(1));
  LetGo(0, "late");
  EXPECT_EQ(*told_[0], "error: late");
  EXPECT_EQ(server_.calls, 2);
  LetGo(1, "{}");
  EXPECT_EQ(*told_[patient], "miss 0");
}

TEST_F(CacheFlights, ARefusalByABudgetIsForWhomItConcerns) {
  for (int i = 0; i < 3; ++i) Begin(Of(search_));
  LetGo(0, "budget");
  EXPECT_THAT(*told_[0], HasSubstr("budget b"));
  EXPECT_EQ(*told_[1], "waits");
  EXPECT_EQ(server_.calls, 2) << "the next one may have room";
  LetGo(1, "{}");
  EXPECT_EQ(*told_[1], "miss 0");
  EXPECT_EQ(*told_[2], "shared 0");
}

TEST_F(CacheFlights, WhoComesAfterAChangeDoesNotJoinWhatWasAskedBeforeIt) {
  const auto cache = cache::Make({.clock = clock_, .metrics = metrics_});
  const PolicySet set = Bind(*cache, "{ttl: 1h}");
  policy_ = cache;
  const auto call = [&] {
    Call made = Of(search_);
    made.target.policies = &set;
    return made;
  };
  Begin(call());
  cache->ServerListed("x");
  Begin(call());
  EXPECT_EQ(server_.calls, 2);
  LetGo(0, "{}");
  EXPECT_EQ(*told_[1], "waits");
  LetGo(1, "{}");
  EXPECT_EQ(*told_[1], "miss 0");
}

TEST_F(CacheFlights, AnOldAnswerIsHeldBackFromThoseWhoMayAskOthersFirst) {
  policy_ = Make("{ttl: 1m, stale_if_error: 1h}");
  Begin(Of(search_));
  LetGo(0, "{}");
  clock_.Advance(seconds(120));
  const auto patient = [this] {
    Call call = Of(search_);
    call.others_first = true;
    return call;
  };
  const std::size_t leads = Begin(patient()), other = Begin(patient()), alone = Begin(Of(search_));
  LetGo(1, "");
  EXPECT_EQ(*told_[leads], "error: down");
  EXPECT_EQ(*told_[other], "error: down");
  EXPECT_EQ(*told_[alone], "stale 120000") << "who has nobody else to ask";
  const auto oldest = seconds(60) + std::chrono::hours(1);
  EXPECT_EQ(calls_[leads]->spare, oldest);
  EXPECT_EQ(calls_[other]->spare, oldest);
  const auto kept = [this](Duration at_most) {
    Call call = Of(search_);
    call.only_kept = at_most;
    return *told_[Begin(std::move(call))];
  };
  EXPECT_EQ(kept(calls_[leads]->spare), "stale 120000");
  clock_.Advance(oldest);
  const std::size_t late = Begin(patient());
  LetGo(2, "");
  EXPECT_EQ(*told_[late], "error: down");
  EXPECT_EQ(calls_[late]->spare, Duration::zero()) << "it is too old by now";
}

TEST_F(CacheFlights, AFollowerHasItsOwnDeadline) {
  Begin(Of(search_));
  Call hasty = Of(search_);
  hasty.deadline = Deadline(clock_.Now() + seconds(1));
  const std::size_t follower = Begin(std::move(hasty));
  EXPECT_EQ(*told_[follower], "waits");
  clock_.Advance(seconds(1));
  TimersOf(loop_.executor(), clock_).FireDue();
  loop_.Run();
  EXPECT_THAT(*told_[follower], HasSubstr("no answer in time"));
  EXPECT_EQ(server_.calls, 1);
}

}  // namespace
}  // namespace switchyard::policies
