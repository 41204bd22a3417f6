// Rules of approval, and the policy around a service: which calls wait, and what is asked of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "approvals/desk.h"
#include "base/worker_timers.h"
#include "config/describe.h"
#include "config/load.h"
#include "mcp/json_string.h"
#include "policies/approval/call.h"
#include "policies/approval/settings.h"
#include "policies/authorize/explain.h"
#include "policies/authorize/settings.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using namespace std::chrono_literals;

std::shared_ptr<const approval::Settings> Read(const std::string& yaml,
                                               const approval::Settings* inherited = nullptr) {
  const config::ProcessEnvironment environment;
  config::Document document(yaml, "test.yaml", environment);
  return approval::ParseSettings(std::move(*document.Root()), inherited);
}

TEST(ApprovalRules, AllThatARuleSaysMustHold) {
  const auto settings =
      Read("rules: [{tool: [pay_*], annotations: writes, arguments: [{at: /amount, min: 100}]}]");
  const auto asks = [&](std::string_view tool, std::string_view arguments, bool read_only = false) {
    return settings->RuleFor(
               {.tool = tool, .hints = {.read_only = read_only}, .arguments = arguments}) !=
           nullptr;
  };
  EXPECT_TRUE(asks("pay_out", R"({"amount":100})"));
  EXPECT_FALSE(asks("pay_out", R"({"amount":99})"));
  EXPECT_FALSE(asks("read", R"({"amount":100})"));
  EXPECT_FALSE(asks("pay_out", R"({"amount":100})", true));
  // What cannot be told is asked.
  EXPECT_TRUE(asks("pay_out", R"({"amount":"100"})"));
  EXPECT_TRUE(asks("pay_out", R"({"amount":1,"amount":2})"));
  EXPECT_FALSE(asks("pay_out", "{}"));
}

TEST(ApprovalRules, HintsThatAreNotGivenAreReadAsTheSpecificationDoes) {
  const auto fits = [](const std::string& word, const Annotations& hints) {
    return Read("rules: [{annotations: " + word + "}]")->RuleFor({.tool = "t", .hints = hints}) !=
           nullptr;
  };
  for (const char* word : {"destructive", "writes", "open_world"}) EXPECT_TRUE(fits(word, {}));
  EXPECT_FALSE(fits("destructive", {.destructive = false}));
  EXPECT_FALSE(fits("destructive", {.read_only = true}));
  EXPECT_TRUE(fits("writes", {.destructive = false}));
  EXPECT_FALSE(fits("writes", {.read_only = true}));
  EXPECT_FALSE(fits("open_world", {.open_world = false}));
  EXPECT_TRUE(fits("[open_world, writes]", {.open_world = false}));
}

TEST(ApprovalRules, ACostThatNobodyKnowsIsAsked) {
  const auto settings = Read("rules: [{cost: \"0.50\"}]");
  const auto asks = [&](std::optional<std::int64_t> cost) {
    return settings->RuleFor({.tool = "t", .cost = cost}) != nullptr;
  };
  EXPECT_TRUE(asks(std::nullopt));
  EXPECT_TRUE(asks(500'000));
  EXPECT_FALSE(asks(499'999));
}

TEST(ApprovalRules, ANearerLevelAddsAndMayTurnItOff) {
  const auto far = Read("{rules: [{tool: a}], hold: 1s}");
  const auto near = Read("{rules: [{tool: b}], by: operator}", far.get());
  EXPECT_NE(near->RuleFor({.tool = "a"}), nullptr);
  EXPECT_NE(near->RuleFor({.tool = "b"}), nullptr);
  EXPECT_EQ(near->RuleFor({.tool = "c"}), nullptr);
  EXPECT_EQ(Read("enabled: false", near.get())->RuleFor({.tool = "a"}), nullptr);
}

TEST(ApprovalRules, AnotherTextIsAnotherPolicy) {
  const auto policy = [](const std::string& rule) {
    return Read("rules: [" + rule + "]")->rules.front()->policy;
  };
  EXPECT_EQ(policy("{name: n, tool: [a, b]}"), policy("{tool: [a, b], name: n}"));
  EXPECT_NE(policy("{name: n, tool: [a, b]}"), policy("{name: n, tool: [a]}"));
  EXPECT_NE(policy("{name: n, tool: a}"), policy("{name: n, tool: a, cost: 1}"));
  EXPECT_NE(policy("{name: n, tool: a}"), policy("{name: n, tool: a, annotations: writes}"));
  const auto from = [&policy](const std::string& min) {
    return policy("{name: n, arguments: [{at: /n, min: " + min + "}]}");
  };
  EXPECT_NE(from("1000000"), from("1000001"));
  EXPECT_NE(from("0.1234567"), from("0.1234568"));
}

TEST(ApprovalRules, WhatSaysNothingOrNoSuchThingIsAProblem) {
  using testing::ProblemsOf;
  EXPECT_THAT(ProblemsOf("approval", "rules: [{name: n}]"),
              ::testing::ElementsAre(HasSubstr("says nothing")));
  EXPECT_THAT(ProblemsOf("approval", "rules: [{annotations: idempotent}]"),
              ::testing::Contains(HasSubstr("none of destructive")));
  EXPECT_THAT(ProblemsOf("approval", "by: nobody"),
              ::testing::Contains(HasSubstr("none of client, operator")));
  EXPECT_THAT(ProblemsOf("approval", "rules: [{tool: t, arguments: [{at: x, min: 1}]}]"),
              ::testing::Contains(HasSubstr("must be a JSON pointer")));
  EXPECT_THAT(ProblemsOf("authorize", "rules: [{effect: require_approval, what: {prompt: p}}]"),
              ::testing::Contains(HasSubstr("require_approval is for tools")));
}

TEST(ApprovalChecks, WhatIsForgottenAndWhoMayDecideIsSaid) {
  const auto said = [](const std::string& text) {
    const config::LoadResult loaded =
        config::LoadText("servers: {}\npolicies: {approval: {rules: [{tool: t}]}}\n" + text,
                         "test.yaml", PolicyKeys(), config::ProcessEnvironment());
    EXPECT_TRUE(loaded);
    return config::Describe(loaded->config);
  };
  const std::string open = said("");
  EXPECT_THAT(open, HasSubstr("approvals are kept in memory alone"));
  EXPECT_THAT(open, HasSubstr("every program on this machine can approve calls"));
  const std::string kept = "state: {dir: /var/lib/x}\n";
  EXPECT_THAT(said(kept + "listen: {address: \"127.0.0.1:1\", allowed_hosts: [h]}"),
              HasSubstr("nobody but users of clients can approve calls"));
  EXPECT_THAT(said(kept + "listen: {address: \"127.0.0.1:1\", public_url: \"https://a.example\"}"),
              HasSubstr("nobody but users of clients can approve calls"));
  EXPECT_THAT(said(kept + "admin: {token: 0123456789abcdef}"),
              ::testing::Not(HasSubstr("approve calls")));
}

TEST(AuthorizeApproval, DenyWinsThenRequireApprovalThenAllow) {
  const config::ProcessEnvironment environment;
  const auto explain = [&](const std::string& rules, const std::string& arguments = "{}") {
    config::Document document("rules: [" + rules + "]", "test.yaml", environment);
    const auto settings = authorize::ParseSettings(std::move(*document.Root()), nullptr);
    EXPECT_FALSE(document.problems().has_errors());
    return authorize::Explain(
        *settings, {},
        {.endpoint = "", .server = "s", .tool = "t", .arguments = arguments, .now = {}});
  };
  const std::string allow = "{effect: allow}", asks = "{name: asks, effect: require_approval}",
                    deny = "{effect: deny}";
  EXPECT_EQ(explain(allow).approval, "");
  EXPECT_EQ(explain(asks).outcome, "allowed");
  EXPECT_EQ(explain(asks).approval, "asks");
  EXPECT_EQ(explain(allow + "," + asks).approval, "asks");
  EXPECT_THAT(explain(asks + "," + allow).because, HasSubstr("once a person has approved it"));
  EXPECT_EQ(explain(allow + "," + asks + "," + deny).outcome, "hidden");
  const std::string large =
      "{name: large, effect: require_approval, when: {arguments: [{at: /n, min: 10}]}}";
  EXPECT_EQ(explain(allow + "," + large, R"({"n":9})").approval, "");
  EXPECT_EQ(explain(allow + "," + large, R"({"n":10})").approval, "large");
  // Where it cannot be told a person is asked, but it allows nothing by that.
  EXPECT_EQ(explain(allow + "," + large, R"({"n":"10"})").approval, "large");
  EXPECT_EQ(explain(large, R"({"n":"10"})").outcome, "denied");
  EXPECT_EQ(explain(large, R"({"n":10})").outcome, "allowed");
}

TEST(ApprovalStates, OfAnotherDefinitionOrRuleIsAnotherCallThatGoesOn) {
  const approvals::Request request{.tool = "t", .digest = "d", .definition = "1", .policy = "2"};
  approvals::Request other = request;
  other.definition = "3";
  EXPECT_NE(approval::GoesOnKey(other), approval::GoesOnKey(request));
  other = request;
  other.policy = "3";
  EXPECT_NE(approval::GoesOnKey(other), approval::GoesOnKey(request));
  other = request;
  other.digest = "3";
  EXPECT_NE(approval::GoesOnKey(other), approval::GoesOnKey(request));
}

TEST(ApprovalRequests, OfAGroupARepeatIsTheSameCallWhicheverMemberItGoesTo) {
  Definition group{}, best{}, other{};
  for (Definition* one : {&group, &best, &other}) {
    one->name = "t";
    one->exposed = "g__t";
    one->json = R"({"name":"t"})";
    if (one != &group) one->listed = &group;
  }
  best.server = "b";
  other.server = "a";
  other.json = R"({"name":"t","title":"T"})";
  const auto of = [](const Definition& member) {
    Call call = testing::ToolCall("g__t");
    call.target.server = member.server;
    call.target.definition = &member;
    return approval::RequestOf(call).value();
  };
  const auto share = [](const Definition& one) { return std::make_shared<Definition>(one); };
  group.members = {share(best), share(other)};
  const approvals::Request first = of(best);
  EXPECT_EQ(first.server, "a, b");
  EXPECT_EQ(of(other).CallKey(), first.CallKey());
  EXPECT_EQ(of(other).definition, first.definition);
  group.members = {share(other), share(best)};
  EXPECT_EQ(of(other).definition, first.definition);
  other.json = R"({"name":"t","title":"another"})";
  group.members = {share(best), share(other)};
  EXPECT_NE(of(best).definition, first.definition);
}

class ApprovalShown : public ::testing::Test {
 protected:
  // The arguments {"cmd": text} as a person reads them.
  static std::string Shown(const std::string& text) {
    Call call = testing::ToolCall();
    call.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"cmd":)" +
        mcp::Quote(text) + "}}}");
    const auto request = approval::RequestOf(call);
    return request ? request->arguments : request.error().message;
  }
  // A private key around `body`, in parts, lest somebody takes this file for one.
  static std::string Pem(const std::string& body, const std::string& label = "PRIVATE KEY",
                         const std::string& end = "PRIVATE KEY") {
    return std::string(5, '-') + "BEGIN " + label + std::string(5, '-') + body +
           std::string(5, '-') + "END " + end + std::string(5, '-');
  }
  static inline const std::string kLine = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
};

TEST_F(ApprovalShown, AKeyIsHiddenAndItsLengthIsSaid) {
  for (const std::string& body :
       {"\n" + kLine + "\n" + kLine + "\nAw==\n", "\r\n" + kLine + "\r\n", kLine,
        "\\n" + kLine + "\\nAw==\\n",
        "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0FAB\n\n" + kLine + "\n"}) {
    const std::string key = Pem(body);
    const std::string shown = Shown("save " + key + " there");
    EXPECT_THAT(shown, HasSubstr("save [redacted:private_key " + std::to_string(key.size()) +
                                 " bytes] there"))
        << body;
    EXPECT_THAT(shown, ::testing::Not(HasSubstr(kLine))) << body;
  }
  EXPECT_THAT(Shown("x " + Pem("").substr(0, 27) + "\n" + kLine),
              HasSubstr("[redacted:private_key"));
}

TEST_F(ApprovalShown, NothingElseHidesBetweenTheLinesOfAKey) {
  const std::string evil = "rm -rf /srv";
  for (const std::string& text :
       {Pem("AAAAAAAAAAAAAAAA\n" + evil + " #"), Pem("\n" + kLine + "\n" + evil + "\n" + kLine),
        Pem("\n" + kLine + "\n", "; " + evil + "; PRIVATE KEY"),
        Pem("\n" + kLine + "\n", "PRIVATE KEY", "; " + evil + ";"),
        Pem("\nDEK-Info: " + evil + "\n" + kLine + "\n"),
        Pem("").substr(0, 27) + "\n" + evil + "\n" + kLine}) {
    EXPECT_THAT(Shown("echo ok #" + text), HasSubstr(evil)) << text;
  }
  EXPECT_THAT(Shown(Pem("\n" + kLine + "\nreboot\n" + kLine)), HasSubstr("reboot"));
}

TEST_F(ApprovalShown, WhatIsMoreThanAWordIsNoPassword) {
  EXPECT_THAT(Shown("password=hX7vQ2mK9wLp4z"), HasSubstr("[redacted:assignment 14 bytes]"));
  EXPECT_THAT(Shown("token='x;rm -rf /srv1Q9'"), HasSubstr("rm -rf /srv1Q9"));
  EXPECT_THAT(Shown("curl ftp://a:b;reboot$IFS-f@h"), HasSubstr("reboot"));
}

TEST(ApprovalStates, OpenOnlyAsTheyWereSealed) {
  const Sealer sealer(Sealer::RandomKey());
  const approval::OwnState state{.kind = approval::OwnState::Kind::kGoesOn,
                                 .text = "ticket",
                                 .call_key = "key",
                                 .inner = "\"a\\nb\n\""};
  const std::string sealed = approval::Seal(sealer, state);
  const auto opened = approval::Open(sealer, sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->text, "ticket");
  EXPECT_EQ(opened->call_key, "key");
  EXPECT_EQ(opened->inner, state.inner);
  EXPECT_FALSE(approval::Open(sealer, sealed + "x"));
  EXPECT_FALSE(approval::Open(Sealer(Sealer::RandomKey()), sealed));
  EXPECT_FALSE(approval::Open(sealer, "ap1."));
}

class ApprovalPolicy : public ::testing::Test {
 protected:
  ApprovalPolicy() {
    tool.kind = ItemKind::kTool;
    tool.server = "x";
    tool.name = "t";
    tool.exposed = "x__t";
    tool.json = R"({"name":"t"})";
    call = testing::ToolCall("x__t");
    call.target.name = "t";
    call.target.definition = &tool;
    desk.BeginRules();
    policy = testing::MakePolicy("approval", &approval::Make, "{hold: 10s, rules: [{tool: t}]}",
                                 {.clock = clock, .metrics = metrics, .approvals = &desk});
    desk.EndRules();
  }

  ManualClock clock;
  switchyard::telemetry::Metrics metrics;
  approvals::Desk desk{clock, metrics};
  Definition tool{};
  Call call;
  FakeService service;
  Loop loop;
  std::shared_ptr<const Policy> policy;
};

TEST_F(ApprovalPolicy, ACallIsHeldAndGoesOnOnceItIsApproved) {
  auto reply = loop.Run(policy->Handle(call, service));
  ASSERT_TRUE(reply && *reply);
  EXPECT_FALSE(loop.Run((**reply)->Next()));
  EXPECT_EQ(service.calls, 0);
  ASSERT_TRUE(desk.Decide(desk.List().front().approval.id, true, "operator", ""));
  loop.Run();
  EXPECT_EQ(service.calls, 1);
  EXPECT_TRUE(call.once);
}

TEST_F(ApprovalPolicy, OfOneThatIsDroppedTheRequestStays) {
  {
    auto reply = loop.Run(policy->Handle(call, service));
    ASSERT_TRUE(reply && *reply);
    EXPECT_EQ(desk.List().front().waiting, 1U);
  }
  ASSERT_EQ(desk.List().size(), 1U);
  EXPECT_EQ(desk.List().front().waiting, 0U);
}

TEST_F(ApprovalPolicy, OtherToolsAndOtherMethodsPass) {
  call.target.name = "other";
  loop.Run(policy->Handle(call, service));
  EXPECT_EQ(service.calls, 1);
  Call listen = testing::ListenCall();
  loop.Run(policy->Handle(listen, service));
  EXPECT_EQ(service.calls, 2);
  EXPECT_TRUE(desk.List().empty());
}

TEST_F(ApprovalPolicy, WhatNoPersonReadsOfACallIsNotPassedOn) {
  for (const char* more : {R"("inputResponses":{"k":{"action":"accept","content":{"all":true}}})",
                           R"("requestState":"theirs")", R"("inputResponses":{})"}) {
    call.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x__t",)" +
        std::string(more) + "}}");
    auto reply = loop.Run(policy->Handle(call, service));
    ASSERT_TRUE(reply) << more;
    ASSERT_FALSE(*reply) << more;
    EXPECT_THAT(reply->error().message, HasSubstr("start the call again"));
  }
  EXPECT_EQ(service.calls, 0);
  EXPECT_TRUE(desk.List().empty());
}

TEST_F(ApprovalPolicy, NothingThatIsKeptAnswersInItsStead) {
  call.only_kept = 1s;
  auto reply = loop.Run(policy->Handle(call, service));
  ASSERT_TRUE(reply);
  EXPECT_FALSE(*reply);
  EXPECT_EQ(service.calls, 0);
}

}  // namespace
}  // namespace switchyard::policies
