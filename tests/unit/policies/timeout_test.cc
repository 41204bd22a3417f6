#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/worker_timers.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using testing::Answer;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::Progress;
using testing::Step;
using testing::ToolCall;

// Says what a test puts in, when it does.
class SlowReply final : public Reply {
 public:
  explicit SlowReply(std::shared_ptr<Mailbox<mcp::Message>> inbox) : inbox_(std::move(inbox)) {}
  Task<Step> Next() override {
    mcp::Message message = co_await inbox_->Take();
    co_return std::optional<mcp::Message>(std::move(message));
  }

 private:
  std::shared_ptr<Mailbox<mcp::Message>> inbox_;
};

class TimeoutPolicy : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& yaml = "{}") {
    return testing::MakePolicy("timeout", &timeout::Make, yaml,
                               {.clock = clock_, .metrics = metrics_});
  }
  Result<ReplyPtr> Handle(const std::shared_ptr<const Policy>& policy) {
    auto reply = loop_.Run(policy->Handle(call_, service_));
    return reply ? std::move(*reply) : Failure(Code::kInternal, Origin::kGateway, "hangs");
  }
  // Reads the reply to its end; what it comes to is in messages_ and error_.
  void Start(const std::shared_ptr<const Policy>& policy) {
    handle_ = TaskHandle(loop_.executor(), "call", Read(policy));
    loop_.Run();
  }
  Task<void> Read(std::shared_ptr<const Policy> policy) {
    Result<ReplyPtr> reply = co_await policy->Handle(call_, service_);
    while (reply) {
      Step step = co_await (*reply)->Next();
      if (!step) reply = Failure(std::move(step.error()));
      if (!step || !*step) break;
      ++messages_;
      if ((**step).is_response()) co_return;
    }
    if (!reply) error_ = reply.error();
  }
  void Advance(Duration by) {
    clock_.Advance(by);
    TimersOf(loop_.executor(), clock_).FireDue();
    loop_.Run();
  }
  Duration Left() const { return call_.deadline.at() - clock_.Now(); }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Call call_ = ToolCall();
  FakeService service_;
  int messages_ = 0;
  std::optional<Error> error_;
  Loop loop_;
  TaskHandle handle_;
};

TEST_F(TimeoutPolicy, TheAttemptHasAtMostItsTimeAndWhatComesAfterHasWhatItHad) {
  call_.deadline = Deadline::In(clock_, seconds(100));
  Duration seen{};
  service_.answer = [&](Call&) -> Result<ReplyPtr> {
    seen = Left();
    return FakeService::Script(Answer());
  };
  Result<ReplyPtr> reply = Handle(Make("total: 30s"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(seen, seconds(30));
  EXPECT_EQ(Left(), seconds(30));  // while the reply is read
  reply->reset();
  EXPECT_EQ(Left(), seconds(100));
}

TEST_F(TimeoutPolicy, NeverGivesMoreTimeThanTheCallerHas) {
  call_.deadline = Deadline::In(clock_, seconds(5));
  Result<ReplyPtr> reply = Handle(Make());
  EXPECT_EQ(Left(), seconds(5));
}

TEST_F(TimeoutPolicy, ADeadlineFromBelowNamesServerAndLimit) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kDeadline, Origin::kServer, "read: out of time");
  };
  const Result<ReplyPtr> reply = Handle(Make());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kDeadline);
  EXPECT_EQ(reply.error().message, "server x: no answer within 60s");
  EXPECT_TRUE(call_.deadline.never());
}

TEST_F(TimeoutPolicy, ADeadlineInTheMiddleOfAReplyReadsTheSame) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), testing::Broken(Code::kDeadline, "y"));
  };
  Result<ReplyPtr> reply = Handle(Make("total: 1.5s"));
  ASSERT_TRUE(reply);
  EXPECT_TRUE(*loop_.Run((*reply)->Next()));
  const auto step = loop_.Run((*reply)->Next());
  ASSERT_TRUE(step && !*step);
  EXPECT_EQ(step->error().message, "server x: no answer within 1.5s");
}

TEST_F(TimeoutPolicy, TheCallersOwnDeadlineAndOtherErrorsAreLeftAlone) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kDeadline, Origin::kGateway, "call: out of time");
  };
  call_.deadline = Deadline::In(clock_, seconds(5));
  EXPECT_EQ(Handle(Make()).error().message, "call: out of time");
  call_.deadline = Deadline();
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnavailable, Origin::kServer, "refused");
  };
  EXPECT_EQ(Handle(Make()).error().message, "refused");
}

TEST_F(TimeoutPolicy, StreamsThatAreMeantToLastHaveNoEnd) {
  call_ = testing::ListenCall();
  const Result<ReplyPtr> reply = Handle(Make());
  EXPECT_TRUE(call_.deadline.never());
}

TEST_F(TimeoutPolicy, ZeroMeansNoLimit) {
  const Result<ReplyPtr> reply = Handle(Make("total: 0s"));
  EXPECT_TRUE(call_.deadline.never());
}

TEST_F(TimeoutPolicy, ACallThatIsDroppedGetsItsDeadlineBack) {
  service_.hangs = true;
  const auto policy = Make();
  EXPECT_EQ(Handle(policy).error().message, "hangs");
  EXPECT_EQ(Left(), seconds(60));
  loop_.Drop();
  EXPECT_TRUE(call_.deadline.never());
}

TEST_F(TimeoutPolicy, SilenceBeforeTheAnswerEndsTheAttempt) {
  service_.hangs = true;
  Start(Make("{total: 60s, idle: 10s}"));
  Advance(std::chrono::milliseconds(9'999));
  EXPECT_FALSE(error_);
  Advance(std::chrono::milliseconds(1));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Code::kDeadline);
  EXPECT_EQ(error_->message, "server x: no message for 10s");
  EXPECT_TRUE(call_.deadline.never());
}

TEST_F(TimeoutPolicy, EachMessageGivesIdleItsTimeAnewAndNotTotal) {
  auto inbox = std::make_shared<Mailbox<mcp::Message>>();
  service_.answer = [inbox](Call&) -> Result<ReplyPtr> {
    return std::make_unique<SlowReply>(inbox);
  };
  Start(Make("{total: 60s, idle: 10s}"));
  const Duration total = Left();
  for (int i = 1; i <= 5; ++i) {
    Advance(seconds(9));
    inbox->Put(std::move(**Progress()));
    loop_.Run();
    EXPECT_EQ(messages_, i);
    EXPECT_EQ(Left(), total - seconds(9 * i));
  }
  Advance(seconds(10));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "server x: no further message for 10s");
}

TEST_F(TimeoutPolicy, AnAnswerWithinIdleIsGiven) {
  auto inbox = std::make_shared<Mailbox<mcp::Message>>();
  service_.answer = [inbox](Call&) -> Result<ReplyPtr> {
    return std::make_unique<SlowReply>(inbox);
  };
  Start(Make("idle: 10s"));
  Advance(seconds(9));
  inbox->Put(std::move(**Answer()));
  loop_.Run();
  EXPECT_EQ(messages_, 1);
  EXPECT_FALSE(error_);
}

TEST_F(TimeoutPolicy, WhoGoesAwayWhileSilenceIsWatchedLeavesNothingBehind) {
  service_.hangs = true;
  Start(Make("idle: 10s"));
  handle_ = TaskHandle();
  loop_.Run();
  EXPECT_TRUE(call_.deadline.never());
  Advance(seconds(20));
  EXPECT_FALSE(error_);
  EXPECT_EQ(messages_, 0);
}

TEST_F(TimeoutPolicy, AnIdleThatIsNeverReachedIsAProblem) {
  EXPECT_THAT(testing::ProblemsOf("timeout", "{total: 10s, idle: 11s}"),
              ElementsAre("idle: is longer than total, so it would never be reached: 11s > 10s"));
  EXPECT_THAT(testing::ProblemsOf("timeout", "{total: 0s, idle: 11s}"), ElementsAre());
}

TEST_F(TimeoutPolicy, UnknownSettingsAreProblems) {
  EXPECT_THAT(testing::ProblemsOf("timeout", "totl: 1s"), ElementsAre(HasSubstr("totl")));
}

}  // namespace
}  // namespace switchyard::policies
