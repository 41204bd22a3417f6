#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mailbox.h"
#include "base/worker_timers.h"
#include "policies/opa/decisions.h"
#include "policies/opa/question.h"
#include "unit/policies/support.h"

namespace switchyard::policies::opa {
namespace {

using policies::testing::Loop;
using ::testing::HasSubstr;
using ::testing::Not;
using Found = Result<Decisions::Found>;

class DecisionsTest : public ::testing::Test {
 protected:
  // Somebody who wants to know, until so much later.
  struct Asker {
    std::shared_ptr<std::optional<Found>> found = std::make_shared<std::optional<Found>>();
    TaskHandle task;
  };
  Asker Ask(const std::string& key, Duration ttl = std::chrono::seconds(10),
            Duration patience = std::chrono::seconds(1)) {
    Asker asker;
    asker.task =
        TaskHandle(loop_.executor(), "ask",
                   Into(asker.found, Decisions::Get(decisions_, key, ttl, clock_.Now() + patience,
                                                    [this] { return Answer(); })));
    loop_.Run();
    return asker;
  }
  static Task<void> Into(std::shared_ptr<std::optional<Found>> out, Task<Found> task) {
    out->emplace(co_await std::move(task));
  }
  Task<Result<Said>> Answer() {
    ++asked_;
    if (slow_) co_await gate_.Take();
    co_return answer_;
  }

  ManualClock clock_;
  Loop loop_;
  std::shared_ptr<Decisions> decisions_ = std::make_shared<Decisions>(clock_, 3);
  Mailbox<int> gate_;
  bool slow_ = false;
  int asked_ = 0;
  Result<Said> answer_ = Said{.allow = true};
};

TEST_F(DecisionsTest, HoldForTheirTime) {
  EXPECT_TRUE((**Ask("a").found)->said.allow);
  EXPECT_EQ((**Ask("a").found)->from, Decisions::From::kKept);
  EXPECT_EQ(asked_, 1);
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_EQ((**Ask("a").found)->from, Decisions::From::kAsked);
  EXPECT_EQ(asked_, 2);
  Ask("b", Duration(0));
  Ask("b", Duration(0));
  EXPECT_EQ(asked_, 4) << "no time at all";
}

TEST_F(DecisionsTest, AreAskedForOnceByAllWhoWantToKnow) {
  slow_ = true;
  Asker first = Ask("a", Duration(0)), second = Ask("a", Duration(0));
  EXPECT_EQ(asked_, 1);
  gate_.Put(1);
  loop_.Run();
  EXPECT_EQ((**first.found)->from, Decisions::From::kAsked);
  EXPECT_EQ((**second.found)->from, Decisions::From::kShared);
  EXPECT_TRUE((**second.found)->said.allow);
  EXPECT_EQ(decisions_->size(), 0U);
}

TEST_F(DecisionsTest, WhoAsksMayGiveUpAndTheOthersAskAgain) {
  slow_ = true;
  Asker first = Ask("a"), second = Ask("a");
  first.task.Cancel();
  loop_.Run();
  EXPECT_EQ(asked_, 2);
  gate_.Put(1);
  loop_.Run();
  ASSERT_TRUE(second.found->has_value());
  EXPECT_TRUE((**second.found)->said.allow);
}

TEST_F(DecisionsTest, NobodyWaitsLongerThanItsTime) {
  slow_ = true;
  Asker first = Ask("a"), second = Ask("a", std::chrono::seconds(10), std::chrono::seconds(1));
  clock_.Advance(std::chrono::seconds(1));
  TimersOf(loop_.executor(), clock_).FireDue();
  loop_.Run();
  ASSERT_TRUE(second.found->has_value());
  EXPECT_EQ((*second.found)->error().code, Code::kDeadline);
  gate_.Put(1);
  loop_.Run();
}

TEST_F(DecisionsTest, AFailureIsToldToAllAndNotKept) {
  slow_ = true;
  answer_ = Failure(Code::kUnavailable, Origin::kServer, "down");
  Asker first = Ask("a"), second = Ask("a");
  gate_.Put(1);
  loop_.Run();
  EXPECT_EQ((*first.found)->error().message, "down");
  EXPECT_EQ((*second.found)->error().message, "down");
  slow_ = false;
  answer_ = Said{.allow = true};
  EXPECT_TRUE((**Ask("a").found)->said.allow);
}

TEST_F(DecisionsTest, AreBoundedAndTheLastUsedStay) {
  for (const char* key : {"a", "b", "c"}) Ask(key);
  Ask("a");
  Ask("d");
  EXPECT_EQ(decisions_->size(), 3U);
  EXPECT_EQ((**Ask("a").found)->from, Decisions::From::kKept);
  EXPECT_EQ((**Ask("b").found)->from, Decisions::From::kAsked);
}

TEST(AnExternalDecision, SaysTrueOrFalseOrNothingClear) {
  EXPECT_TRUE(SaidIn(R"({"result":true})")->allow);
  EXPECT_FALSE(SaidIn(R"({"result":false})")->allow);
  EXPECT_TRUE(SaidIn(R"({"result":{"allow":true,"more":1},"decision_id":"x"})")->allow);
  const auto denied = SaidIn(R"({"result":{"allow":false,"reason":"a\u0007b"}})");
  EXPECT_FALSE(denied->allow);
  EXPECT_THAT(denied->reason, Not(HasSubstr("\x07")));
  EXPECT_LE(SaidIn(R"({"result":{"allow":false,"reason":")" + std::string(9999, 'x') + "\"}}")
                ->reason.size(),
            210U);
  for (const char* bad :
       {"", "true", "[]", "{}", R"({"decision_id":"x"})", R"({"result":null})", R"({"result":1})",
        R"({"result":"true"})", R"({"result":{}})", R"({"result":{"allow":1}})",
        R"({"result":[true]})", R"({"result":false,"result":true})",
        R"({"result":{"allow":false,"allow":true}})", R"({"result":true}})"}) {
    EXPECT_FALSE(SaidIn(bad)) << bad;
  }
}

TEST(AQuestion, IsTheSameForTheSameArgumentsHoweverTheyAreWritten) {
  const auto key = [](const std::string& arguments, const std::string& subject = "ada") {
    Call call = policies::testing::ToolCall();
    call.message = policies::testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":)" +
        arguments + "}}");
    call.caller = MakeCaller({.subject = subject});
    Settings settings;
    settings.remote.url = config::Secret("http://opa/");
    const auto question = QuestionOf(call, "tool", settings, {});
    return question ? question->key : "";
  };
  EXPECT_EQ(key(R"({"a":1,"b":2})"), key(R"({ "b":2, "a":1 })"));
  EXPECT_NE(key(R"({"a":1})"), key(R"({"a":2})"));
  EXPECT_NE(key(R"({"a":1})"), key(R"({"a":1})", "bob"));
  EXPECT_EQ(key(R"({"a":1,"a":2})"), "") << "two readers would see two calls";
}

}  // namespace
}  // namespace switchyard::policies::opa
