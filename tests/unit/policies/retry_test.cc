#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/worker_timers.h"
#include "unit/policies/server_errors.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::Broken;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::Parsed;
using testing::Progress;
using testing::Step;

class RetryPolicy : public ::testing::Test {
 protected:
  // 100ms, then 200ms ... and no jitter, unless `yaml` says otherwise.
  std::shared_ptr<const Policy> Make(const std::string& yaml, const PolicyScope& scope = Server()) {
    return testing::MakePolicy("retry", &retry::Make, yaml,
                               {.clock = clock_,
                                .metrics = metrics_,
                                .random = [this] { return random_.NextUnit(); },
                                .states = &states_},
                               nullptr, scope);
  }
  static PolicyScope Server() {
    return {.level = config::Level::kServer, .endpoint = {}, .server = "x", .glob = {}};
  }
  void Fails(int times, const Error& error) {
    service_.answer = [this, times, error](Call&) -> Result<ReplyPtr> {
      at_.push_back(clock_.Now());
      if (service_.calls <= times) return Failure(error);
      return ReplyWith(std::move(**Answer(R"({"n":1})")));
    };
  }
  void Start(const std::shared_ptr<const Policy>& policy) {
    handle_ = TaskHandle(loop_.executor(), "call", Run(policy));
    loop_.Run();
  }
  Task<void> Run(std::shared_ptr<const Policy> policy) {
    Result<ReplyPtr> reply = co_await policy->Handle(call_, service_);
    while (reply) {
      Step step = co_await (*reply)->Next();
      if (!step) {
        reply = Failure(std::move(step.error()));
        break;
      }
      if (!*step) co_return;
      got_.push_back((**step).ToText());
      if ((**step).is_response()) co_return;
    }
    error_ = reply.error();
  }
  void Advance(Duration by) {
    clock_.Advance(by);
    TimersOf(loop_.executor(), clock_).FireDue();
    loop_.Run();
  }
  // Whatever it takes.
  void Finish(const std::shared_ptr<const Policy>& policy) {
    Start(policy);
    for (int i = 0; i < 100 && got_.empty() && !error_; ++i) Advance(seconds(1));
  }
  std::uint64_t Count(const std::string& outcome) {
    return metrics_.CounterOf("switchyard_retries_total", {"x", outcome}).value();
  }
  void IsOf(Annotations hints) {
    tool_.annotations = hints;
    call_.target.definition = &tool_;
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  States states_;
  FastRandom random_{1};
  Definition tool_{.kind = ItemKind::kTool,
                   .server = "x",
                   .name = "t",
                   .exposed = "x__t",
                   .json = "{}",
                   .annotations = {}};
  Call call_ = [] {
    Call call = testing::ToolCall();
    call.target.name = "t";
    return call;
  }();
  FakeService service_;
  std::vector<TimePoint> at_;
  std::vector<std::string> got_;
  std::optional<Error> error_;
  Loop loop_;
  TaskHandle handle_;
};

TEST_F(RetryPolicy, WhatSurelyDidNotRunIsRepeatedAfterGrowingWaits) {
  const auto policy = Make("{attempts: 4, base: 100ms, jitter: 0}");
  Fails(3, Unsent());
  Start(policy);
  EXPECT_EQ(service_.calls, 1);
  Advance(milliseconds(99));
  EXPECT_EQ(service_.calls, 1);
  Advance(milliseconds(1));
  EXPECT_EQ(service_.calls, 2);
  Advance(milliseconds(199));
  EXPECT_EQ(service_.calls, 2);
  Advance(milliseconds(1));
  EXPECT_EQ(service_.calls, 3);
  Advance(milliseconds(400));
  EXPECT_THAT(got_, ElementsAre(HasSubstr(R"("_meta":{"switchyard/attempts":4},"n":1)")));
  EXPECT_EQ(Count("repeated"), 3U);
  EXPECT_EQ(Count("recovered"), 1U);
}

TEST_F(RetryPolicy, IsOffUnlessSetAndWithAttemptsZero) {
  Fails(1, Unsent());
  Call call = testing::ToolCall();
  const auto unset =
      testing::Settled(&retry::Make, {.clock = clock_, .metrics = metrics_}, nullptr, Server());
  EXPECT_FALSE(loop_.Run(unset.Handle(call, service_)).value());
  service_.calls = 0;
  EXPECT_FALSE(loop_.Run(Make("attempts: 0")->Handle(call_, service_)).value());
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(RetryPolicy, AToolThatMayHaveRunIsNotRepeatedAndTheErrorSaysSo) {
  Fails(1, Broke());
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 1);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message,
            "closed; whether it ran is unknown, so it was not repeated: nothing says that it may "
            "run twice (its hints, _meta.idempotencyKey, retry.idempotent)");
  EXPECT_EQ(error_->data, R"({"origin":"server","code":"unavailable","retryable":false,)"
                          R"("attempts":1,"outcome":"unknown"})");
  EXPECT_EQ(Count("unsafe"), 1U);
}

TEST_F(RetryPolicy, AToolThatSaysItIsIdempotentIsRepeated) {
  IsOf({.idempotent = true});
  Fails(1, Broke());
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 2);
  EXPECT_EQ(got_.size(), 1U);
}

TEST_F(RetryPolicy, AToolThatOnlyReadsIsRepeated) {
  IsOf({.read_only = true});
  Fails(1, Broke());
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(RetryPolicy, HintsCountOnlyWhereTheyAreTrusted) {
  IsOf({.read_only = true, .idempotent = true});
  Fails(1, Broke());
  Finish(Make("trust_hints: false"));
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(RetryPolicy, TheListOfAnOperatorMakesItRepeatable) {
  Fails(1, Broke());
  Finish(Make("idempotent: ['t*']"));
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(RetryPolicy, NeverBeatsHintsAndKeys) {
  IsOf({.read_only = true, .idempotent = true});
  Fails(1, Broke());
  Finish(Make("never: ['t*']"));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_THAT(error_->message, HasSubstr("retry.never has it"));
}

TEST_F(RetryPolicy, AKeyOfTheCallerMakesItRepeatable) {
  call_.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",)"
                         R"("_meta":{"progressToken":1,"idempotencyKey":"order-7"}}})");
  Fails(1, Broke());
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(RetryPolicy, AnEmptyKeyOrOneThatIsNotTrustedDoesNot) {
  call_.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",)"
                         R"("_meta":{"idempotencyKey":""}}})");
  Fails(9, Broke());
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 1);
  call_.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",)"
                         R"("_meta":{"idempotencyKey":"k"}}})");
  error_.reset();
  Finish(Make("trust_keys: false"));
  EXPECT_EQ(service_.calls, 2) << "once more, not twice";
}

TEST_F(RetryPolicy, WhenAttemptsAreUsedUpTheLastErrorSaysHowMany) {
  IsOf({.idempotent = true});
  Fails(9, Broke());
  Finish(Make("attempts: 3"));
  EXPECT_EQ(service_.calls, 3);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "closed; gave up after 3 attempts; whether an attempt ran is unknown");
  EXPECT_EQ(Count("exhausted"), 1U);
}

TEST_F(RetryPolicy, OneAttemptThatMayHaveRunMakesTheWholeCallOneThatMayHave) {
  IsOf({.idempotent = true});
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    return Failure(service_.calls == 1 ? Broke() : Unsent());
  };
  Finish(Make("attempts: 2"));
  ASSERT_TRUE(error_);
  EXPECT_FALSE(error_->retryable);
  EXPECT_THAT(error_->data, HasSubstr(R"("retryable":false,"attempts":2,"outcome":"unknown")"));
}

TEST_F(RetryPolicy, OtherClassesOfErrorsAreLeftAlone) {
  Fails(1, {.code = Code::kProtocol, .retryable = true, .message = "rubbish"});
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_EQ(error_->message, "rubbish");
  EXPECT_EQ(error_->data, "");
  error_.reset();
  service_.calls = 0;
  Finish(Make("on: [protocol]"));
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(RetryPolicy, AWaitThatServersAskForIsKept) {
  Error busy{.code = Code::kRateLimited, .retryable = true, .message = "429"};
  busy.data = R"({"status":429,"retryAfterMs":7000})";
  Fails(1, busy);
  Start(Make("{base: 1ms}"));
  Advance(milliseconds(6999));
  EXPECT_EQ(service_.calls, 1);
  Advance(milliseconds(1));
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(RetryPolicy, AServerThatWantsToBeLeftAloneForLongerThanTheCapIs) {
  Error busy{.code = Code::kRateLimited, .retryable = true, .message = "429"};
  busy.data = R"({"retryAfterMs":60000})";
  Fails(1, busy);
  Finish(Make("cap: 5s"));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_EQ(error_->message, "429; not repeated: it is to be left alone for 60s, retry.cap is 5s");
  EXPECT_TRUE(error_->retryable);
}

TEST_F(RetryPolicy, AStatusThatWillNotChangeIsNotRepeated) {
  IsOf({.idempotent = true});
  Error refused = Broke();
  refused.data = R"({"status":401})";
  Fails(1, refused);
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_EQ(error_->message, "closed");
}

TEST_F(RetryPolicy, NoWaitPassesTheDeadlineOfTheCall) {
  call_.deadline = Deadline::In(clock_, milliseconds(250));
  Fails(9, Unsent());
  Finish(Make("{attempts: 5, base: 100ms, jitter: 0}"));
  EXPECT_EQ(service_.calls, 2);
  EXPECT_EQ(error_->message, "connect: refused; not repeated: no time is left for it");
  EXPECT_EQ(Count("no_time"), 1U);
}

TEST_F(RetryPolicy, NoRepetitionBeginsLaterThanWithin) {
  Fails(9, Unsent());
  Finish(Make("{attempts: 9, base: 1s, backoff: linear, jitter: 0, within: 4s}"));
  EXPECT_EQ(service_.calls, 3);  // at 0, 1 and 3 s; then at 6
}

TEST_F(RetryPolicy, TheDeadlineThatAnAttemptHadIsNotThatOfTheNext) {
  IsOf({.read_only = true});
  Error late{.code = Code::kDeadline, .origin = Origin::kServer, .message = "late"};
  Fails(1, late);
  call_.deadline = Deadline::In(clock_, seconds(100));
  Finish(Make("{}"));
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(RetryPolicy, AReplyThatBreaksBeforeItsFirstMessageIsHadAnew) {
  IsOf({.idempotent = true});
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    if (service_.calls == 1) return FakeService::Script(Broken(Code::kUnavailable, "died"));
    return FakeService::Script(Progress(), Answer());
  };
  Finish(Make("{}"));
  for (int i = 0; i < 3; ++i) Advance(seconds(1));
  ASSERT_EQ(got_.size(), 2U);
  EXPECT_THAT(got_[1], HasSubstr(R"("switchyard/attempts":2)"));
}

TEST_F(RetryPolicy, NothingIsRepeatedOnceAMessageWasDelivered) {
  IsOf({.idempotent = true});
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), Broken(Code::kUnavailable, "died"));
  };
  Start(Make("{}"));
  for (int i = 0; i < 3; ++i) Advance(seconds(5));
  EXPECT_EQ(service_.calls, 1);
  ASSERT_TRUE(error_);
  EXPECT_THAT(error_->message, HasSubstr("a part of its answer had come"));
}

TEST_F(RetryPolicy, TheBudgetOfTheServerStopsAStorm) {
  const auto policy = Make("{attempts: 3, backoff: immediate, budget: 0.1, budget_min: 5}");
  Fails(1'000'000, Unsent());
  for (int i = 0; i < 1000; ++i) {
    error_.reset();
    Start(policy);
    ASSERT_TRUE(error_);
  }
  EXPECT_LE(service_.calls, 1000 + 5 + 100);
  EXPECT_GE(service_.calls, 1000 + 5 + 90);
  EXPECT_THAT(error_->message, HasSubstr("retry budget of the server is used up (10% of its calls "
                                         "and 5 more in 10s)"));
  Advance(seconds(11));
  Fails(service_.calls + 1, Unsent());
  got_.clear();
  Start(policy);
  EXPECT_EQ(got_.size(), 1U) << "later there is one again";
}

TEST_F(RetryPolicy, ABudgetIsOfTheServerAndOutlivesAReload) {
  Fails(1'000'000, Unsent());
  const std::string yaml = "{attempts: 100, backoff: immediate, budget: 0, budget_min: 7}";
  const auto before = Make(yaml);
  Start(before);
  EXPECT_EQ(service_.calls, 8);
  const auto after =
      Make(yaml, {.level = config::Level::kTool, .endpoint = {}, .server = "x", .glob = "t*"});
  Start(after);
  EXPECT_EQ(service_.calls, 9);
  const auto elsewhere =
      Make(yaml, {.level = config::Level::kServer, .endpoint = {}, .server = "y", .glob = {}});
  Start(elsewhere);
  EXPECT_EQ(service_.calls, 17);
}

TEST_F(RetryPolicy, ListensNotificationsAndAnswersToQuestionsAreNotRepeated) {
  Fails(9, Unsent());
  const auto policy = Make("backoff: immediate");
  Call listen = testing::ListenCall();
  Call note;
  note.message = Parsed(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{}})");
  Call answer = testing::ToolCall();
  answer.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",)"
                          R"("requestState":"s","inputResponses":{}}})");
  for (Call* call : {&listen, &note, &answer}) {
    service_.calls = 0;
    EXPECT_FALSE(loop_.Run(policy->Handle(*call, service_)).value());
    EXPECT_EQ(service_.calls, 1);
  }
}

TEST_F(RetryPolicy, WhatIsReadIsRepeatableAndATaskIsNot) {
  const auto policy = Make("backoff: immediate");
  for (const auto& [method, calls] :
       {std::pair{"resources/read", 2}, {"prompts/get", 2}, {"tasks/get", 1}}) {
    service_.calls = 0;
    Fails(1, Broke());
    Call call;
    call.message =
        Parsed(std::string(R"({"jsonrpc":"2.0","id":1,"method":")") + method + R"(","params":{}})");
    loop_.Run(policy->Handle(call, service_));
    EXPECT_EQ(service_.calls, calls) << method;
  }
}

TEST_F(RetryPolicy, WhoGoesAwayWhileItWaitsIsNotSentAgain) {
  Fails(9, Unsent());
  Start(Make("base: 1s"));
  handle_ = TaskHandle();
  loop_.Run();
  Advance(seconds(5));
  EXPECT_EQ(service_.calls, 1);
}

}  // namespace
}  // namespace switchyard::policies
