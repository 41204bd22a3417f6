#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/breaker_verdict.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::Broken;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using ::testing::Not;
using testing::ProblemsOf;
using testing::Progress;
using testing::Step;
using testing::ToolCall;

using Answers = std::function<Result<ReplyPtr>(Call&)>;

Answers Fails(Code code, Origin origin = Origin::kServer) {
  return [=](Call&) -> Result<ReplyPtr> { return Failure(code, origin, "server x: it broke"); };
}
Answers Says(const Step& step) {
  const std::string text = (*step)->ToText();
  return [text](Call&) -> Result<ReplyPtr> { return ReplyWith(testing::Parsed(text)); };
}

class BreakerPolicy : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& yaml, const void* inherited = nullptr) {
    return testing::MakePolicy("breaker", &breaker::Make, yaml,
                               {.clock = clock_,
                                .metrics = metrics_,
                                .states = &states_,
                                .outages_changed = [this] { ++told_; }},
                               inherited, scope_);
  }
  // "passes", or what the client is told.
  std::string Send(const std::shared_ptr<const Policy>& policy, Call call = ToolCall()) {
    auto result = loop_.Run(policy->Handle(call, service_));
    if (!result) return "hangs";
    if (!*result) return (error_ = (*result).error()).message;
    while ((**result)->Whole() == nullptr) {
      auto next = loop_.Run((**result)->Next());
      if (!next) return "hangs";
      if (!*next) return next->error().message;
      if (**next && (**next)->is_response()) break;
      if (!**next) return "ends";
    }
    return "passes";
  }
  void Break(const std::shared_ptr<const Policy>& policy, Call call = ToolCall()) {
    const Answers before = std::exchange(service_.answer, Fails(Code::kUnavailable));
    for (int i = 0; i < 5; ++i) {
      Call copy;
      copy.message = testing::Parsed(call.message.ToText());
      copy.target = call.target;
      Send(policy, std::move(copy));
    }
    service_.answer = before;
  }
  Call Of(const Definition& tool) const {
    Call call = ToolCall(tool.name);
    call.target.definition = &tool;
    return call;
  }
  static Definition Tool(const std::string& name) {
    Definition tool;
    tool.kind = ItemKind::kTool;
    tool.server = "x";
    tool.name = name;
    return tool;
  }
  // How many of 20 calls that end so reach the server.
  int Reach(const std::string& yaml, const Answers& answers) {
    const auto policy = Make(yaml);
    service_.answer = answers;
    service_.calls = 0;
    for (int i = 0; i < 20; ++i) Send(policy);
    return service_.calls;
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  States states_;
  PolicyScope scope_{.level = config::Level::kServer, .endpoint = {}, .server = "x", .glob = {}};
  FakeService service_;
  Loop loop_;
  Error error_;
  int told_ = 0;
};

TEST_F(BreakerPolicy, LeavesAServerThatKeepsFailingAlone) {
  const auto policy = Make("{}");
  service_.answer = Fails(Code::kUnavailable);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Send(policy), "server x: it broke");
  clock_.Advance(milliseconds(1500));
  EXPECT_EQ(Send(policy),
            "server x: circuit breaker open for 1.5s (5 calls failed one after the other), "
            "probes in 3.5s; last failure: server x: it broke");
  EXPECT_EQ(service_.calls, 5);
  EXPECT_EQ(error_.code, Code::kUnavailable);
  EXPECT_EQ(error_.origin, Origin::kGateway);
  EXPECT_TRUE(error_.retryable) << "nothing ran";
  EXPECT_TRUE(error_.for_agent);
  EXPECT_EQ(error_.data, R"({"origin":"gateway","code":"unavailable","retryable":true,)"
                         R"("breaker":"server x","state":"open","since":"2026-01-01T00:00:01Z",)"
                         R"("reason":"5 calls failed one after the other","retryAfterMs":3500})");
}

TEST_F(BreakerPolicy, ProbesWhenItSaidAndClosesWhenTheProbeSucceeds) {
  const auto policy = Make("{}");
  Break(policy);
  clock_.Advance(seconds(5) - Duration(1));
  EXPECT_THAT(Send(policy), HasSubstr("probes in 1ms"));
  clock_.Advance(Duration(1));
  EXPECT_EQ(Send(policy), "passes");
  EXPECT_EQ(Send(policy), "passes");
}

TEST_F(BreakerPolicy, OneProbeAtATimePasses) {
  const auto policy = Make("{}");
  Break(policy);
  clock_.Advance(seconds(5));
  service_.hangs = true;
  EXPECT_EQ(Send(policy), "hangs");
  EXPECT_THAT(Send(policy), HasSubstr("half open for 5s"));
  EXPECT_THAT(error_.message, HasSubstr("a probe is under way, try again in 5s"));
  loop_.Drop();
  service_.hangs = false;
  EXPECT_EQ(Send(policy), "passes") << "a probe that was given up makes room";
}

TEST_F(BreakerPolicy, AProbeLastsUntilTheEndOfItsAnswer) {
  const auto policy = Make("{}");
  Break(policy);
  clock_.Advance(seconds(5));
  Call probe = ToolCall();
  auto reply = loop_.Run(policy->Handle(probe, service_));
  ASSERT_TRUE(reply && *reply);
  EXPECT_THAT(Send(policy), HasSubstr("a probe is under way"));
  EXPECT_THAT(Send(policy), HasSubstr("a probe is under way"));
  reply->value().reset();
  EXPECT_EQ(Send(policy), "passes");
}

TEST_F(BreakerPolicy, AFailureInTheMiddleOfAnAnswerCounts) {
  const Answers dies = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), Broken(Code::kUnavailable, "closed"));
  };
  EXPECT_EQ(Reach("{}", dies), 5);
}

TEST_F(BreakerPolicy, WhoGivesUpWhatWaitsAtAServerPassesAnOpenOne) {
  const auto policy = Make("{}");
  service_.answer = Fails(Code::kUnavailable);
  for (int i = 0; i < 20; ++i) Send(policy);
  const int reached = service_.calls;
  Call forsaken = ToolCall();
  forsaken.forsaken = true;
  Send(policy, std::move(forsaken));
  EXPECT_EQ(service_.calls, reached + 1);
}

TEST_F(BreakerPolicy, WhatBreaksCountsAndWhatTheClientDidWrongNever) {
  EXPECT_EQ(Reach("{open_for: 1s}", Fails(Code::kUnavailable)), 5);
  clock_.Advance(hours(1));
  for (const Code code : {Code::kInvalid, Code::kNotFound, Code::kForbidden, Code::kTooLarge,
                          Code::kCancelled, Code::kInternal, Code::kRateLimited}) {
    scope_.server = ToString(code);
    EXPECT_EQ(Reach("{}", Fails(code)), 20) << ToString(code);
  }
  for (const Code code : {Code::kUnavailable, Code::kProtocol, Code::kDeadline}) {
    scope_.server = ToString(code);
    EXPECT_EQ(Reach("{}", Fails(code)), 5) << ToString(code);
  }
}

TEST_F(BreakerPolicy, AStatusThatBlamesTheRequestOrItsCredentialsOpensNone) {
  const auto answers = [](Code code, int status) -> Answers {
    return [=](Call&) -> Result<ReplyPtr> {
      return Failure(Error{.code = code,
                           .origin = Origin::kServer,
                           .message = "server x: no answer of MCP",
                           .data = R"({"status":)" + std::to_string(status) + "}"});
    };
  };
  for (const int status : {400, 406, 413, 414, 415, 422, 431}) {
    const std::string name = std::to_string(status);
    scope_.server = name;
    EXPECT_EQ(Reach("{}", answers(Code::kProtocol, status)), 20) << status;
  }
  for (const int status : {401, 403}) {
    const std::string name = std::to_string(status);
    scope_.server = name;
    EXPECT_EQ(Reach("{}", answers(Code::kUnavailable, status)), 20) << status;
  }
  scope_.server = "408";
  EXPECT_EQ(Reach("{}", answers(Code::kProtocol, 408)), 5) << "the server had no time";
  scope_.server = "503";
  EXPECT_EQ(Reach("{}", answers(Code::kUnavailable, 503)), 5);
}

TEST_F(BreakerPolicy, AProbeThatBlamesTheRequestDecidesNothing) {
  const auto policy = Make("{}");
  Break(policy);
  clock_.Advance(seconds(5));
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Error{.code = Code::kProtocol,
                         .origin = Origin::kServer,
                         .message = "server x: 413",
                         .data = R"({"status":413})"});
  };
  EXPECT_EQ(Send(policy), "server x: 413");
  service_.hangs = true;
  EXPECT_EQ(Send(policy), "hangs") << "the next probe";
  EXPECT_THAT(Send(policy), HasSubstr("a probe is under way")) << "it is still half open";
  loop_.Drop();
}

TEST_F(BreakerPolicy, QueuesOfTheGatewayAreNoFaultOfTheServer) {
  EXPECT_EQ(Reach("{}", Fails(Code::kDeadline, Origin::kGateway)), 20);
  EXPECT_EQ(Reach("{failures: [rate_limited]}", Fails(Code::kRateLimited, Origin::kGateway)), 20);
  EXPECT_EQ(Reach("{failures: [rate_limited]}", Fails(Code::kRateLimited)), 5);
}

TEST_F(BreakerPolicy, ErrorsThatAServerAnswersCountWhenAskedFor) {
  const auto error = [](int code) {
    return Says(testing::Parsed(R"({"jsonrpc":"2.0","id":1,"error":{"code":)" +
                                std::to_string(code) + R"(,"message":"m"}})"));
  };
  EXPECT_EQ(Reach("{}", error(-32603)), 20);
  EXPECT_EQ(Reach("{failures: [error]}", error(-32602)), 20) << "it blames the request";
  EXPECT_EQ(Reach("{failures: [error]}", error(-32021)), 20);
  EXPECT_EQ(Reach("{failures: [error]}", error(-32603)), 5);
  scope_.server = "y";
  EXPECT_EQ(Reach("{}", Says(Answer(R"({"isError":true,"content":[]})"))), 20);
  EXPECT_EQ(Reach("{failures: [tool_error]}", Says(Answer(R"({"isError":true,"content":[]})"))), 5);
}

TEST_F(BreakerPolicy, SlowCallsOpenItThoughTheySucceed) {
  const auto policy = Make("{slow_rate: 0.5, slow_call: 2s, min_calls: 4}");
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    clock_.Advance(seconds(2));
    return ReplyWith(std::move(**Answer()));
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Send(policy), "passes");
  EXPECT_THAT(Send(policy), HasSubstr("(at least 50% of the calls within 30s took 2s or more)"));
}

TEST_F(BreakerPolicy, AToolOfItsOwnBreakerTakesNoOtherAlong) {
  const Definition bad = Tool("bad"), good = Tool("good");
  const auto policy = Make("{per: [tool]}");
  Break(policy, Of(bad));
  EXPECT_THAT(Send(policy, Of(bad)), HasSubstr("tool bad of server x: circuit breaker open"));
  EXPECT_EQ(Send(policy, Of(good)), "passes");
  EXPECT_EQ(Send(policy), "passes") << "what names no tool has no breaker";
}

TEST_F(BreakerPolicy, AProbeOfTheServerIsNotUsedUpByAToolThatIsRefused) {
  const Definition bad = Tool("bad"), good = Tool("good");
  const auto policy = Make("{per: [server, tool]}");
  Break(policy, Of(bad));
  clock_.Advance(seconds(5));
  EXPECT_EQ(Send(policy, Of(good)), "passes") << "it closes the server's";
  service_.answer = Fails(Code::kUnavailable);
  Send(policy, Of(bad));  // its probe
  service_.answer = [](Call&) -> Result<ReplyPtr> { return FakeService::Script(Answer()); };
  EXPECT_THAT(Send(policy, Of(bad)), HasSubstr("tool bad"));
  EXPECT_EQ(Send(policy, Of(good)), "passes");
}

TEST_F(BreakerPolicy, StreamsThatLastAndNotificationsAreNotJudged) {
  const auto policy = Make("{}");
  Break(policy);
  Call notification = ToolCall();
  notification.message =
      testing::Parsed(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{}})");
  EXPECT_EQ(Send(policy, std::move(notification)), "passes");
  EXPECT_EQ(Send(policy, testing::ListenCall()), "passes");
}

TEST_F(BreakerPolicy, IsOffUnlessItIsSaidAndWhereItIsSwitchedOff) {
  EXPECT_EQ(Reach("{enabled: false}", Fails(Code::kUnavailable)), 20);
  const PolicyDeps deps{.clock = clock_, .metrics = metrics_, .states = &states_};
  const std::shared_ptr<const Policy> policy = breaker::Make(deps);
  EXPECT_EQ(policy->Bind(nullptr, scope_), nullptr);
}

TEST_F(BreakerPolicy, AReloadKeepsItOpenAndNewSettingsHoldAtOnce) {
  const auto policy = Make("{}");
  Break(policy);
  const auto reloaded = Make("{probes: 2}");
  EXPECT_THAT(Send(reloaded), HasSubstr("circuit breaker open"));
  scope_.level = config::Level::kEndpoint;
  scope_.endpoint = "team";
  EXPECT_EQ(Send(Make("{}")), "passes") << "another level has one of its own";
}

TEST_F(BreakerPolicy, ShowsItsStateAndCountsItsChangesAndRefusals) {
  const Definition bad = Tool("bad");
  const auto policy = Make("{per: [server, tool], consecutive_failures: 5}");
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(breaker_state{server="x",scope="",tool=""} 0)"));
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr(R"(tool="bad")")));
  Break(policy, Of(bad));
  Send(policy, Of(bad));
  clock_.Advance(seconds(5));
  service_.hangs = true;
  Send(policy, Of(bad));
  const std::string text = metrics_.Serialize();
  for (const char* line : {R"(breaker_state{server="x",scope="",tool=""} 1)",
                           R"(breaker_state{server="x",scope="",tool="bad"} 1)",
                           R"(breaker_transitions_total{server="x",scope="",to="open"} 2)",
                           R"(breaker_transitions_total{server="x",scope="",to="half_open"} 2)",
                           R"(breaker_refused_total{server="x",scope=""} 1)"}) {
    EXPECT_THAT(text, HasSubstr(std::string("switchyard_") + line));
  }
  loop_.Drop();
}

TEST_F(BreakerPolicy, SaysInListsWhatItRefusesAndUntilWhen) {
  const PolicySet any({});
  const auto policy = Make("{hide: true}");
  EXPECT_FALSE(policy->OutageOf(any, "t"));
  Break(policy);
  EXPECT_EQ(told_, 1);
  std::optional<Outage> outage = policy->OutageOf(any, "t");
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->what, "server x");
  EXPECT_EQ(outage->reason,
            "circuit breaker open since 2026-01-01T00:00:01Z (5 calls failed one after the other), "
            "probes at 2026-01-01T00:00:06Z");
  EXPECT_EQ(outage->until, clock_.Now() + seconds(5));
  EXPECT_TRUE(outage->hides);
  clock_.Advance(seconds(5));
  outage = policy->OutageOf(any, "t");
  ASSERT_TRUE(outage);
  EXPECT_FALSE(outage->hides) << "somebody has to find it, to probe it";
  EXPECT_THAT(outage->reason, HasSubstr("half open"));
  EXPECT_EQ(outage->until, TimePoint::max());
  EXPECT_EQ(Send(policy), "passes");
  EXPECT_FALSE(policy->OutageOf(any, "t"));
  EXPECT_EQ(told_, 3);
}

TEST_F(BreakerPolicy, HidesTheToolThatIsOpenAlone) {
  const PolicySet any({});
  const Definition bad = Tool("bad");
  const auto policy = Make("{hide: true, per: [tool]}");
  Break(policy, Of(bad));
  EXPECT_TRUE(policy->OutageOf(any, "bad"));
  EXPECT_FALSE(policy->OutageOf(any, "good"));
  EXPECT_FALSE(policy->OutageOf(any, ""));
}

TEST_F(BreakerPolicy, SettingsThatMakeNoSenseAreProblems) {
  const auto problems = [](const std::string& yaml) { return ProblemsOf("breaker", yaml); };
  EXPECT_THAT(problems("{consecutive_failures: 0}"), ElementsAre(HasSubstr("judges nothing")));
  EXPECT_THAT(problems("{failures: []}"), ElementsAre(HasSubstr("failures: is empty")));
  EXPECT_THAT(
      problems("{failures: [client]}"),
      ElementsAre(HasSubstr("client is none of unavailable, deadline"), HasSubstr("is empty")));
  EXPECT_THAT(problems("{per: [endpoint]}"),
              ElementsAre(HasSubstr("endpoint is none of server, tool")));
  EXPECT_THAT(problems("{per: []}"), ElementsAre(HasSubstr("needs server, tool or both")));
  EXPECT_THAT(problems("{open_for: 10m}"),
              ElementsAre(HasSubstr("300s is less than open_for, 600s")));
  EXPECT_THAT(problems("{failure_rate: 50}"), ElementsAre(HasSubstr("failure_rate")));
  EXPECT_THAT(problems("{slow_rate: 0.5, consecutive_failures: 0, failures: []}"), ElementsAre());
}

}  // namespace
}  // namespace switchyard::policies
