#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class TimeoutPolicy : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& yaml = "{}") {
    return testing::MakePolicy("timeout", &timeout::Make, yaml,
                               {.name = "x", .clock = clock_, .metrics = metrics_});
  }
  Result<ReplyPtr> Handle(const std::shared_ptr<const Policy>& policy) {
    auto reply = loop_.Run(policy->Handle(call_, service_));
    return reply ? std::move(*reply) : Failure(Code::kInternal, Origin::kGateway, "hangs");
  }
  Duration Left() const { return call_.deadline.at() - clock_.Now(); }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Call call_ = ToolCall();
  FakeService service_;
  Loop loop_;
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

TEST_F(TimeoutPolicy, UnknownSettingsAreProblems) {
  EXPECT_THAT(testing::ProblemsOf("timeout", "totl: 1s"), ElementsAre(HasSubstr("totl")));
}

}  // namespace
}  // namespace switchyard::policies
