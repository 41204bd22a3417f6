#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/rate.h"
#include "policies/lib/store_key.h"
#include "store/memory.h"
#include "unit/policies/remote_store.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::MakePolicy;
using testing::Parsed;
using testing::RemoteStore;
using ::testing::UnorderedElementsAre;

class RateLimitPolicy : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& yaml, Store* store = nullptr) {
    return MakePolicy(
        "rate_limit", &rate_limit::Make, yaml,
        {.clock = clock_, .metrics = metrics_, .store = store != nullptr ? store : &store_},
        nullptr, scope_);
  }
  // "passes", or what the client is told.
  std::string Send(const std::shared_ptr<const Policy>& policy, Call call = testing::ToolCall()) {
    const auto result = loop_.Run(policy->Handle(call, service_));
    if (!result) return "waits";
    if (*result) return "passes";
    error_ = (*result).error();
    return error_.message;
  }
  bool Passes(const std::shared_ptr<const Policy>& policy, Call call = testing::ToolCall()) {
    return Send(policy, std::move(call)) == "passes";
  }
  Call Of(const std::string& subject, const Definition* tool = nullptr) const {
    Call call = testing::ToolCall();
    call.caller = MakeCaller({.subject = subject});
    if (tool != nullptr) {
      call.target.server = tool->server;
      call.target.name = tool->name;
      call.target.definition = tool;
    }
    return call;
  }
  static Call Request(const std::string& method) {
    Call call;
    call.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{}})");
    return call;
  }
  static Definition Tool(const std::string& server, const std::string& name) {
    Definition tool;
    tool.kind = ItemKind::kTool;
    tool.server = server;
    tool.name = name;
    return tool;
  }
  static Call FromClient(const std::string& name, const std::string& session) {
    Call call = testing::ToolCall();
    auto client = std::make_shared<Client>();
    client->name = name;
    client->session = session;
    call.client = client;
    return call;
  }

  PolicyScope scope_;  // of policies that are made from now on
  const Definition read_ = Tool("files", "read");
  const Definition write_ = Tool("files", "write");
  const Definition other_read_ = Tool("disk", "read");
  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  store::MemoryStore store_;
  FakeService service_;
  Loop loop_;
  Error error_;
};

TEST_F(RateLimitPolicy, LetsTheBurstPassAndThenTheRate) {
  const auto policy = Make("{rate: 10/s, burst: 2}");
  EXPECT_TRUE(Passes(policy));
  EXPECT_TRUE(Passes(policy));
  EXPECT_FALSE(Passes(policy));
  clock_.Advance(milliseconds(100));
  EXPECT_TRUE(Passes(policy));
  EXPECT_FALSE(Passes(policy));
  EXPECT_EQ(service_.calls, 3) << "what is refused does not go on";
}

TEST_F(RateLimitPolicy, WhoGivesUpWhatWaitsAtAServerIsNotCounted) {
  const auto policy = Make("{rate: 1/h}");
  EXPECT_TRUE(Passes(policy, Of("ann")));
  Call forsaken = Of("ann");
  forsaken.forsaken = true;
  EXPECT_TRUE(Passes(policy, std::move(forsaken)));
  EXPECT_FALSE(Passes(policy, Of("ann")));
}

TEST_F(RateLimitPolicy, ARefusalSaysWhichLimitAndExactlyHowLong) {
  const auto policy = Make("{limits: [{name: caller, rate: 600/min, burst: 1, per: principal}]}");
  EXPECT_TRUE(Passes(policy, Of("ann")));
  clock_.Advance(microseconds(59'500));
  EXPECT_EQ(Send(policy, Of("ann")),
            "rate limit caller: 600/min (burst 1) per principal is used up, try again in 41ms");
  EXPECT_EQ(error_.code, Code::kRateLimited);
  EXPECT_TRUE(error_.retryable);
  EXPECT_TRUE(error_.for_agent);
  EXPECT_EQ(error_.data, R"({"origin":"gateway","code":"rate_limited","retryable":true,)"
                         R"("limit":"caller","rate":"600/min","burst":1,"retryAfterMs":41})");
  clock_.Advance(milliseconds(40));
  EXPECT_FALSE(Passes(policy, Of("ann")));
  clock_.Advance(milliseconds(1));
  EXPECT_TRUE(Passes(policy, Of("ann")));
}

TEST_F(RateLimitPolicy, LongWaitsAreNamedToTheMillisecond) {
  const auto policy = Make("{rate: 1/d}");
  EXPECT_TRUE(Passes(policy));
  clock_.Advance(milliseconds(1));
  EXPECT_THAT(Send(policy), HasSubstr("try again in 86399.999s"));
}

TEST_F(RateLimitPolicy, CallersAndToolsHaveBucketsOfTheirOwn) {
  const auto policy = Make("{rate: 1/h, per: [tool, principal]}");
  EXPECT_TRUE(Passes(policy, Of("ann", &read_)));
  EXPECT_TRUE(Passes(policy, Of("bob", &read_)));
  EXPECT_TRUE(Passes(policy, Of("ann", &write_)));
  EXPECT_TRUE(Passes(policy, Of("ann", &other_read_)));
  EXPECT_FALSE(Passes(policy, Of("ann", &read_)));
  EXPECT_FALSE(Passes(policy, Of("bob", &read_)));
}

TEST_F(RateLimitPolicy, NamesThatNoServerListsShareABucket) {
  const auto policy = Make("{rate: 1/h, per: tool}");
  EXPECT_TRUE(Passes(policy, testing::ToolCall("made_up")));
  EXPECT_FALSE(Passes(policy, testing::ToolCall("made_up_as_well")));
}

TEST_F(RateLimitPolicy, SessionsClientsServersAndEndpointsAreToldApart) {
  const auto session = Make("{limits: [{name: s, rate: 1/h, per: session}]}");
  EXPECT_TRUE(Passes(session, FromClient("agent", "1")));
  EXPECT_TRUE(Passes(session, FromClient("agent", "2")));
  EXPECT_FALSE(Passes(session, FromClient("agent", "1")));
  EXPECT_TRUE(Passes(session, FromClient("agent", ""))) << "no session: by its name";
  EXPECT_FALSE(Passes(session, FromClient("agent", "")));
  EXPECT_TRUE(Passes(session, FromClient("other", "")));
  const auto client = Make("{limits: [{name: c, rate: 1/h, per: client}]}");
  EXPECT_TRUE(Passes(client, FromClient("agent", "1")));
  EXPECT_FALSE(Passes(client, FromClient("agent", "2")));
  const auto server = Make("{limits: [{name: v, rate: 1/h, per: server}]}");
  EXPECT_TRUE(Passes(server, Of("", &read_)));
  EXPECT_FALSE(Passes(server, Of("", &write_)));
  EXPECT_TRUE(Passes(server, Of("", &other_read_)));
  const auto endpoint = Make("{limits: [{name: e, rate: 1/h, per: endpoint}]}");
  Call elsewhere = testing::ToolCall();
  elsewhere.endpoint = "elsewhere";
  EXPECT_TRUE(Passes(endpoint));
  EXPECT_TRUE(Passes(endpoint, std::move(elsewhere)));
  EXPECT_FALSE(Passes(endpoint));
}

TEST_F(RateLimitPolicy, ACallTakesOfEveryLimitOrOfNone) {
  const auto policy =
      Make("{limits: [{name: all, rate: 1/h, burst: 3}, {name: each, rate: 1/h, per: principal}]}");
  EXPECT_TRUE(Passes(policy, Of("ann")));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Send(policy, Of("ann")), HasSubstr("limit each"));
  EXPECT_TRUE(Passes(policy, Of("bob")));
  EXPECT_TRUE(Passes(policy, Of("eve")));
  EXPECT_THAT(Send(policy, Of("kim")), HasSubstr("limit all: 1/h (burst 3) is used up"));
}

TEST_F(RateLimitPolicy, OnlyWhatWorksForACallerCountsUnlessItIsSaid) {
  const auto policy = Make("{rate: 1/h}");
  for (int i = 0; i < 5; ++i) {
    for (const char* free : {"tools/list", "resources/list", "server/discover", "tasks/get"}) {
      EXPECT_TRUE(Passes(policy, Request(free))) << free;
    }
    Call notification;
    notification.message = Parsed(R"({"jsonrpc":"2.0","method":"notifications/cancelled"})");
    EXPECT_TRUE(Passes(policy, std::move(notification)));
    EXPECT_TRUE(Passes(policy, testing::ListenCall()));
  }
  EXPECT_TRUE(Passes(policy, Request("resources/read")));
  for (const char* counted : {"tools/call", "prompts/get", "resources/read"}) {
    EXPECT_FALSE(Passes(policy, Request(counted))) << counted;
  }
  const auto lists = Make("{rate: 1/h, burst: 2, methods: [tools/list]}");
  EXPECT_TRUE(Passes(lists, Request("tools/list")));
  EXPECT_TRUE(Passes(lists, Request("tools/list")));
  EXPECT_FALSE(Passes(lists, Request("tools/list")));
  EXPECT_TRUE(Passes(lists));
}

TEST_F(RateLimitPolicy, IsOffUnlessALimitIsSet) {
  const auto policy = Make("{}");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Passes(policy));
  EXPECT_EQ(store_.stats().buckets, 0U);
}

TEST_F(RateLimitPolicy, AReloadKeepsWhatWasUsedUp) {
  EXPECT_TRUE(Passes(Make("{rate: 2/h}")));
  EXPECT_TRUE(Passes(Make("{rate: 2/h}")));
  EXPECT_FALSE(Passes(Make("{rate: 2/h}")));
  EXPECT_TRUE(Passes(Make("{rate: 3/h}"))) << "other numbers are another limit";
}

TEST_F(RateLimitPolicy, EachLevelCountsItsOwnCalls) {
  const auto everywhere = Make("{rate: 1/h}");
  scope_.level = config::Level::kEndpoint;
  scope_.endpoint = "e";
  const auto endpoint = Make("{rate: 1/h}");
  scope_.server = "other";
  const auto endpoint_at_another_server = Make("{rate: 1/h}");
  scope_.level = config::Level::kServer;
  const auto server = Make("{rate: 1/h}");
  EXPECT_TRUE(Passes(everywhere));
  EXPECT_TRUE(Passes(endpoint));
  EXPECT_FALSE(Passes(endpoint_at_another_server)) << "the limit is the endpoint's";
  EXPECT_TRUE(Passes(server));
  EXPECT_FALSE(Passes(everywhere));
}

TEST_F(RateLimitPolicy, AStoreThatHasToBeWaitedForIsAsGood) {
  RemoteStore remote(store_);
  const auto policy = Make("{rate: 10/s, burst: 1}", &remote);
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(Send(policy), HasSubstr("try again in 100ms"));
  clock_.Advance(milliseconds(100));
  EXPECT_TRUE(Passes(policy));
}

TEST_F(RateLimitPolicy, AStoreThatCannotBeAskedDoesNotStopTraffic) {
  RemoteStore remote(store_);
  remote.down = true;
  const auto policy = Make("{rate: 1/h}", &remote);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(rate_limit_calls_total{limit="default",outcome="unknown"} 3)"));
}

TEST_F(RateLimitPolicy, CountsWhatItLetsPassAndWhatItRefusesByLimit) {
  const auto policy = Make("{limits: [{name: all, rate: 9/h}, {name: each, rate: 1/h}]}");
  for (int i = 0; i < 3; ++i) Send(policy);
  const std::string text = metrics_.Serialize();
  for (const char* line :
       {R"({limit="all",outcome="allowed"} 1)", R"({limit="all",outcome="refused"} 0)",
        R"({limit="each",outcome="allowed"} 1)", R"({limit="each",outcome="refused"} 2)"}) {
    EXPECT_THAT(text, HasSubstr(std::string("switchyard_rate_limit_calls_total") + line));
  }
}

TEST_F(RateLimitPolicy, ALevelInheritsWhatItDoesNotSay) {
  const config::ProcessEnvironment environment;
  config::Document document(
      "{rate: 1/h, burst: 5, limits: [{name: a, rate: 2/h}], methods: [tools/call]}", "test.yaml",
      environment);
  const std::shared_ptr<const void> outer =
      testing::KeyOf("rate_limit").parse(std::move(*document.Root()), nullptr);
  const PolicyDeps deps{.clock = clock_, .metrics = metrics_, .store = &store_};
  const auto policy = MakePolicy("rate_limit", &rate_limit::Make, "burst: 3", deps, outer.get());
  EXPECT_TRUE(Passes(policy));
  EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(Send(policy), HasSubstr("limit a"));
  const auto without = MakePolicy("rate_limit", &rate_limit::Make, "limits: []", deps, outer.get());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Passes(without)) << i;
  EXPECT_THAT(Send(without), HasSubstr("limit default: 1/h (burst 5)"));
  EXPECT_TRUE(Passes(without, Request("prompts/get")));
}

TEST_F(RateLimitPolicy, ABurstOfAnEarlierLevelStaysWhenTheRateChanges) {
  const std::vector<std::string> levels = {"{rate: 10/s, burst: 3}", "rate: 1/h"};
  const config::ProcessEnvironment environment;
  config::Document document(levels[0], "test.yaml", environment);
  const auto outer = testing::KeyOf("rate_limit").parse(std::move(*document.Root()), nullptr);
  const auto policy =
      MakePolicy("rate_limit", &rate_limit::Make, levels[1],
                 {.clock = clock_, .metrics = metrics_, .store = &store_}, outer.get());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Passes(policy));
  EXPECT_THAT(Send(policy), HasSubstr("1/h (burst 3)"));
}

TEST_F(RateLimitPolicy, SettingsThatMakeNoSenseAreProblems) {
  const auto problems = [](const std::string& yaml) {
    return testing::ProblemsOf("rate_limit", yaml);
  };
  EXPECT_THAT(problems("rate: 10"), ElementsAre(HasSubstr("10/s, 600/min, 100/h or 5000/d")));
  EXPECT_THAT(problems("rate: 0/s"), ElementsAre(HasSubstr("got 0/s")));
  EXPECT_THAT(problems("rate: 1000001/s"), ElementsAre(HasSubstr("a million a second at most")));
  EXPECT_THAT(problems("burst: 5"), ElementsAre(HasSubstr("needs rate")));
  EXPECT_THAT(problems("{rate: 1/d, burst: 3651}"), ElementsAre(HasSubstr("ten years")));
  EXPECT_THAT(problems("{rate: 1/s, per: [header]}"),
              ElementsAre(HasSubstr("header is none of principal, client")));
  EXPECT_THAT(problems("limits: [{rate: 1/s}]"), ElementsAre(HasSubstr("limits[0].name")));
  EXPECT_THAT(problems("limits: [{name: a, rate: 1/s}, {name: a, rate: 2/s}]"),
              ElementsAre(HasSubstr("a is taken by another limit")));
  EXPECT_THAT(problems("limits: [{name: default, rate: 1/s}]"), ElementsAre(HasSubstr("taken")));
  EXPECT_THAT(problems("limits: [{name: a, rate: 1/s, brust: 2}]"),
              ElementsAre(HasSubstr("burst")));
  EXPECT_THAT(problems("methods: [notifications/cancelled, initialize, x]"),
              UnorderedElementsAre(HasSubstr("notifications/cancelled is no request"),
                                   HasSubstr("initialize is no"), HasSubstr("x is no")));
  std::string many = "limits: [";
  for (int i = 0; i < 16; ++i) many += "{name: l" + std::to_string(i) + ", rate: 1/s},";
  EXPECT_THAT(problems(many + "]"), ElementsAre(HasSubstr("16 limits, at most 15")));
}

TEST(Rate, IsReadExactlyOrNotAtAll) {
  EXPECT_EQ(ParseRate("10/s")->interval(), milliseconds(100));
  EXPECT_EQ(ParseRate("600/min")->interval(), milliseconds(100));
  EXPECT_EQ(ParseRate("100/h")->interval(), seconds(36));
  EXPECT_EQ(ParseRate("2/d")->interval(), hours(12));
  EXPECT_EQ(ParseRate("7/s")->interval(), Duration(142'857'143)) << "rounded up";
  for (const char* bad : {"", "/", "10", "10/", "/s", "10/m", "10/S", "-1/s", "1.5/s", " 1/s",
                          "1/s ", "+1/s", "1e3/s", "99999999999999999999/s"}) {
    EXPECT_FALSE(ParseRate(bad)) << bad;
  }
}

TEST(StoreKeys, PartsDoNotRunIntoEachOther) {
  const auto key = [](std::initializer_list<std::string_view> parts) {
    StoreKey made;
    for (const std::string_view part : parts) made.Add(part);
    return std::string(made.text());
  };
  EXPECT_NE(key({"a", "bc"}), key({"ab", "c"}));
  EXPECT_NE(key({"1:a"}), key({"", "1:a"}));
  EXPECT_NE(key({"a"}), key({"a", ""}));
  const std::string long_part(1000, 'x');
  EXPECT_LT(key({long_part}).size(), 100U);
  EXPECT_NE(key({long_part}), key({long_part + "y"}));
  EXPECT_NE(key({long_part}), key({key({long_part})}));
}

}  // namespace
}  // namespace switchyard::policies
