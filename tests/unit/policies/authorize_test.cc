// The policy authorize between services of a test: what it makes of calls of callers that proved
// who they are.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/resolver.h"
#include "core/sight.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using ::testing::Not;
using testing::ProblemsOf;

class Elsewhere final : public Resolver {
 public:
  const Definition* FindToolOf(std::string_view /*server*/,
                               std::string_view /*tool*/) const override {
    return nullptr;
  }
  const std::shared_ptr<const PolicySet>& PoliciesOfUnknown() const override { return unknown; }
  std::uint64_t UriViewOf(std::string_view /*server*/) const override { return 0; }
  std::shared_ptr<const PolicySet> unknown =
      std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
};

class AuthorizePolicy : public ::testing::Test {
 protected:
  AuthorizePolicy() {
    service_.answer = [this](Call& call) -> Result<ReplyPtr> {
      seen_server_ = call.target.server;
      seen_definition_ = call.target.definition;
      seen_policies_ = call.target.policies;
      if (call.target.server.empty()) {
        return Failure(Code::kNotFound, Origin::kClient, "unknown tool: read");
      }
      return FakeService::Script(testing::Answer());
    };
  }

  void Rules(const std::string& rules) {
    const config::ProcessEnvironment environment;
    config::Document document("rules: [" + rules + "]", "test.yaml", environment);
    auto settings =
        testing::KeyOf("authorize").parse(std::move(*document.Root()), inherited_.get());
    policy_ = authorize::Make({.clock = clock_, .metrics = metrics_, .slot = 0});
    set_ = std::make_shared<const PolicySet>(std::vector{policy_->Bind(
        settings, {.level = config::Level::kServer, .endpoint = {}, .server = "x", .glob = {}})});
    inherited_ = std::move(settings);
    tool_.policies = set_;
  }

  // Of this caller; what it came to in one word.
  std::string Calls(const Principal& caller, const std::string& arguments = "{}") {
    call_ = Call();
    call_.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":)" +
        arguments + "}}");
    call_.caller = MakeCaller(caller);
    call_.target = {.server = tool_.server,
                    .name = tool_.name,
                    .definition = &tool_,
                    .pin = set_,
                    .policies = set_.get(),
                    .others = &elsewhere_};
    std::optional<Result<ReplyPtr>> reply = loop_.Run(policy_->Handle(call_, service_));
    if (!reply) return "nothing";
    if (*reply) return "allowed";
    error_ = reply->error();
    return std::string(ToString(error_.code));
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Elsewhere elsewhere_;
  std::shared_ptr<const void> inherited_;
  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<const PolicySet> set_;
  Definition tool_{.kind = ItemKind::kTool,
                   .server = "x",
                   .name = "read",
                   .exposed = "x__read",
                   .json = "{}",
                   .annotations = {}};
  FakeService service_;
  std::string seen_server_ = "?";
  const Definition* seen_definition_ = nullptr;
  const PolicySet* seen_policies_ = nullptr;
  Call call_;
  Error error_;
  Loop loop_;
};

TEST_F(AuthorizePolicy, LetsThroughWhatARuleAllows) {
  Rules("{effect: allow, who: {scope: files.read}}");
  EXPECT_EQ(Calls({.subject = "ada", .scopes = {"files.read"}}), "allowed");
  EXPECT_EQ(seen_server_, "x");
}

TEST_F(AuthorizePolicy, WhatIsHiddenGoesOnAsACallThatLeadsNowhere) {
  Rules("{name: admins, effect: allow, who: {role: admin}}");
  EXPECT_EQ(Calls({.subject = "ada"}), "not_found");
  EXPECT_EQ(error_.message, "unknown tool: read") << "said by who says it of all";
  EXPECT_EQ(error_.detail, "hidden by rule none") << "for the log";
  EXPECT_EQ(seen_server_, "");
  EXPECT_EQ(seen_definition_, nullptr);
  EXPECT_EQ(seen_policies_, elsewhere_.unknown.get()) << "goes by what calls of no name go by";
}

TEST_F(AuthorizePolicy, WhoSawAHiddenCallBeforeMayHoldOnToItsTarget) {
  Rules("{effect: deny}");
  const std::weak_ptr<const PolicySet> before = set_;
  Calls({});
  set_.reset();
  tool_.policies.reset();
  EXPECT_FALSE(before.expired());
  call_ = Call();
  EXPECT_TRUE(before.expired());
}

TEST_F(AuthorizePolicy, ARefusalTellsTheAgentWhatToChangeAndTheLogWhy) {
  Rules("{effect: allow}, {name: small, effect: deny, when: {arguments: [{at: /n, min: 10}]}}");
  EXPECT_EQ(Calls({}, R"({"n":9})"), "allowed");
  EXPECT_EQ(Calls({}, R"({"n":10})"), "forbidden");
  EXPECT_TRUE(error_.for_agent);
  EXPECT_THAT(error_.message, HasSubstr("you may not use x__read with these arguments"));
  EXPECT_THAT(error_.message + error_.data, Not(HasSubstr("small")));
  EXPECT_THAT(error_.data, HasSubstr(R"("dependsOn":["arguments"])"));
  EXPECT_EQ(error_.detail, "denied by rule small");
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(AuthorizePolicy, RefusesOutsideOfItsHoursAndThenNoMore) {
  Rules("{effect: allow, when: {time: [{hours: '01:00-02:00'}]}}");
  EXPECT_EQ(Calls({}), "forbidden");
  EXPECT_THAT(error_.message, HasSubstr("at this time: come at another time"));
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Calls({}), "allowed");
}

TEST_F(AuthorizePolicy, ANearerLevelCannotLiftWhatOneAroundItDenies) {
  Rules("{effect: deny, who: {role: guest}}");
  Rules("{effect: allow}");
  EXPECT_EQ(Calls({.subject = "g", .roles = {"guest"}}), "not_found");
  EXPECT_EQ(Calls({.subject = "u", .roles = {"user"}}), "allowed");
}

TEST_F(AuthorizePolicy, CountsByOutcomeAndRule) {
  Rules("{name: admins, effect: allow, who: {role: admin}}");
  Calls({.subject = "a", .roles = {"admin"}});
  Calls({.subject = "a", .roles = {"admin"}});
  Calls({.subject = "b"});
  const std::string page = metrics_.Serialize();
  EXPECT_THAT(page, HasSubstr(R"(authorize_decisions_total{outcome="allowed",rule="admins"} 2)"));
  EXPECT_THAT(page, HasSubstr(R"(authorize_decisions_total{outcome="hidden",rule="none"} 1)"));
}

TEST_F(AuthorizePolicy, LeavesAloneWhatAsksForNothing) {
  Rules("{effect: deny}");
  Calls({});
  for (const char* method : {"tools/list", "server/discover", "tasks/get"}) {
    Call call;
    call.message = testing::Parsed(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) +
                                   R"(","params":{}})");
    call.target.server = "x";
    call.target.policies = set_.get();
    service_.calls = 0;
    const auto reply = loop_.Run(policy_->Handle(call, service_));
    EXPECT_TRUE(reply && *reply) << method;
    EXPECT_EQ(service_.calls, 1) << method;
  }
}

TEST_F(AuthorizePolicy, ShowsACallerWhatItCouldUseInSomeWay) {
  Rules(
      "{effect: allow, who: {role: admin}}, {effect: allow, what: {tool: 'r*'}, when: {arguments: "
      "[{at: /n, max: 1}]}}");
  const auto sight_of = [this](const Principal& caller) {
    Call call;
    call.caller = MakeCaller(caller);
    return policy_->SightOf(call);
  };
  const auto anybody = sight_of({});
  ASSERT_NE(anybody, nullptr);
  EXPECT_TRUE(anybody->Shows(tool_)) << "with some arguments it may";
  const Lead file{.route = mcp::Route::kResource, .name = "file:///a", .policies = set_.get()};
  EXPECT_FALSE(anybody->MayLead(file));
  EXPECT_EQ(anybody->Hide(file, call_), "hidden by rule none");
  EXPECT_FALSE(anybody->ShowsAny(ItemKind::kPrompt, set_.get()));
  EXPECT_TRUE(anybody->ShowsAny(ItemKind::kTool, set_.get()));
  Definition other = tool_;
  other.name = "write";
  EXPECT_FALSE(anybody->Shows(other));
  const auto admin = sight_of({.subject = "a", .roles = {"admin"}});
  EXPECT_TRUE(admin->Shows(other) && admin->MayLead(file));
}

// It only takes the time of one that is hidden.
TEST_F(AuthorizePolicy, OfANameThatNobodyHasNothingIsCounted) {
  Rules("{effect: allow, what: {tool: 'r*'}}");
  const auto sight = policy_->SightOf(call_);
  ASSERT_NE(sight, nullptr);
  sight->Miss({.route = mcp::Route::kTool, .name = "nothing", .policies = set_.get()});
  EXPECT_FALSE(metrics_.Serialize().contains("switchyard_authorize_decisions_total{"));
}

TEST_F(AuthorizePolicy, WithoutARuleThereIsNothingToLookAt) {
  Rules("");
  EXPECT_EQ(Calls({}), "allowed");
  EXPECT_EQ(policy_->SightOf(call_), nullptr);
}

TEST(AuthorizeSettings, AreRefusedInWordsThatHelp) {
  using ::testing::ElementsAre;
  EXPECT_THAT(ProblemsOf("authorize", "rules: [{who: {}}]"),
              ElementsAre("rules[0].effect: is missing: allow, deny or require_approval"));
  EXPECT_THAT(ProblemsOf("authorize", "rules: [{effect: allow, what: {tool: []}}]"),
              ElementsAre("rules[0].what.tool: names nothing: leave it out where it does not "
                          "matter"));
  EXPECT_THAT(ProblemsOf("authorize", "rules: [{effect: allow, what: {methods: ping}}]"),
              ElementsAre(HasSubstr("ping is none of tools/call, prompts/get")));
  EXPECT_THAT(
      ProblemsOf("authorize", "rules: [{effect: deny, when: {arguments: [{at: n, glob: x}]}}]"),
      ElementsAre(HasSubstr("must be a JSON pointer such as /amount")));
  EXPECT_THAT(
      ProblemsOf("authorize", "rules: [{effect: deny, when: {arguments: [{at: /n}]}}]"),
      ElementsAre(HasSubstr("tests nothing: needs glob, one_of, regex, min, max or present")));
  EXPECT_THAT(
      ProblemsOf("authorize", "rules: [{effect: deny, when: {arguments: [{at: /n, regex: '('}]}}]"),
      ElementsAre(HasSubstr("is no regular expression of RE2")));
  EXPECT_THAT(
      ProblemsOf("authorize",
                 "rules: [{effect: deny, when: {time: [{days: [monday], hours: '8-18'}]}}]"),
      ElementsAre(HasSubstr("monday is none of mon, tue"),
                  HasSubstr("must be two times of a day such as 08:00-18:00, got 8-18")));
  for (const std::string scope : {R"('a"b')", R"('a\b')", "'a b'", "[good, caf\u00e9]"}) {
    EXPECT_THAT(
        ProblemsOf("authorize", "rules: [{effect: allow, who: {all: [{scope: " + scope + "}]}}]"),
        ElementsAre(HasSubstr("but a scope is visible ASCII without spaces")))
        << scope;
  }
  EXPECT_THAT(ProblemsOf("authorize", "rules: [{effect: deny, when: {}}]"),
              ElementsAre("rules[0].when: says nothing: needs arguments, time or rate"));
  EXPECT_THAT(ProblemsOf("authorize", "rules: [{effect: deny, who: {rol: x}}]"),
              ElementsAre(HasSubstr("did you mean role")));
}

}  // namespace
}  // namespace switchyard::policies
