// What the last error of several attempts says of all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/worker_timers.h"
#include "unit/policies/server_errors.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using ::testing::HasSubstr;

Error Says(int status) {
  return {.code = Code::kProtocol,
          .origin = Origin::kServer,
          .message = std::to_string(status),
          .data = R"({"status":)" + std::to_string(status) + "}"};
}

class RetryOutcome : public ::testing::Test {
 protected:
  // The error of a call of a tool that may run twice, whose attempts fail so.
  Error After(const std::vector<Error>& errors, const std::string& yaml = "{}") {
    const auto policy = testing::MakePolicy(
        "retry", &retry::Make, yaml,
        {.clock = clock_, .metrics = metrics_, .random = [] { return 0.5; }, .states = &states_});
    service_.calls = 0;
    service_.answer = [this, errors](Call&) -> Result<ReplyPtr> {
      return Failure(errors.at(static_cast<std::size_t>(service_.calls) - 1));
    };
    Call call = testing::ToolCall();
    call.target.name = "t";
    call.target.definition = &tool_;
    std::optional<Error> error;
    const TaskHandle handle(loop_.executor(), "call", Into(policy, call, error));
    for (int i = 0; i < 100 && !error; ++i) {
      loop_.Run();
      clock_.Advance(std::chrono::seconds(1));
      TimersOf(loop_.executor(), clock_).FireDue();
    }
    attempts_ = call.attempts;
    return error.value_or(Error{.message = "hangs"});
  }

  testing::FakeService service_;
  unsigned attempts_ = 0;

 private:
  Task<void> Into(std::shared_ptr<const Policy> policy, Call& call, std::optional<Error>& error) {
    const Result<ReplyPtr> reply = co_await policy->Handle(call, service_);
    error = reply ? Error{.message = "answered"} : reply.error();
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  States states_;
  Definition tool_{.kind = ItemKind::kTool,
                   .server = "x",
                   .name = "t",
                   .exposed = "x__t",
                   .json = "{}",
                   .annotations = {.idempotent = true}};
  testing::Loop loop_;
};

TEST_F(RetryOutcome, WhateverEndedItAnAttemptThatMayHaveRunIsSaidSo) {
  Error opened = Unsent();
  opened.message = "server x: circuit breaker open";
  opened.for_agent = true;
  const Error rubbish{.code = Code::kProtocol, .origin = Origin::kServer, .message = "rubbish"};
  for (const Error& last : {opened, rubbish, Unsent()}) {
    const Error error = After({Broke(), last}, "{attempts: 2}");
    EXPECT_THAT(error.message, HasSubstr(last.message));
    EXPECT_THAT(error.message, HasSubstr("; whether an attempt ran is unknown"));
    EXPECT_FALSE(error.retryable);
    EXPECT_THAT(error.data, HasSubstr(R"("attempts":2,"outcome":"unknown")"));
  }
}

TEST_F(RetryOutcome, ALastAttemptOfAClassThatIsNotRepeatedMayHaveRunToo) {
  const Error rubbish{.code = Code::kProtocol, .origin = Origin::kServer, .message = "rubbish"};
  const Error error = After({Unsent(), rubbish});
  EXPECT_EQ(service_.calls, 2);
  EXPECT_EQ(error.message, "rubbish; whether an attempt ran is unknown");
  EXPECT_THAT(error.data, HasSubstr(R"("attempts":2,"outcome":"unknown")"));
}

TEST_F(RetryOutcome, TheCallKnowsHowManyAttemptsItTook) {
  After({Unsent(), Unsent(), Unsent()});
  EXPECT_EQ(attempts_, 3U);
  After({Broke()}, "{on: [deadline]}");
  EXPECT_EQ(attempts_, 1U);
}

TEST_F(RetryOutcome, WhereSurelyNothingRanNothingIsSaidOfIt) {
  EXPECT_EQ(After({Unsent(), Unsent()}, "{attempts: 2}").message,
            "connect: refused; gave up after 2 attempts");
  EXPECT_EQ(After({Unsent(), Says(413)}).message, "413") << "the server did not take it";
  EXPECT_EQ(After({Broke()}, "{on: [deadline]}").message, "closed") << "not for retry to say";
}

}  // namespace
}  // namespace switchyard::policies
