// Rules of authorize that hold for calls beyond a rate, or within it.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/notes.h"
#include "store/memory.h"
#include "unit/policies/remote_store.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::ProblemsOf;

class AuthorizeRate : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& rules, Store* store) {
    const config::ProcessEnvironment environment;
    config::Document document("rules: [" + rules + "]", "test.yaml", environment);
    auto settings = testing::KeyOf("authorize").parse(std::move(*document.Root()), nullptr);
    for (const config::Problem& problem : document.problems().Errors()) {
      ADD_FAILURE() << problem.ToString();
    }
    policy_ = authorize::Make({.clock = clock_, .metrics = metrics_, .store = store, .slot = 0});
    set_ = std::make_shared<const PolicySet>(std::vector{policy_->Bind(
        settings, {.level = config::Level::kServer, .endpoint = {}, .server = "x", .glob = {}})});
    tool_.policies = set_;
    return policy_;
  }
  void Rules(const std::string& rules) { Make(rules, &store_); }

  std::string Calls(const std::string& subject, const std::string& arguments = "{}",
                    const std::string& more = "") {
    call_ = Call();
    call_.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":)" +
        arguments + more + "}}");
    call_.caller = MakeCaller({.subject = subject});
    call_.target = {.server = tool_.server,
                    .name = tool_.name,
                    .definition = &tool_,
                    .pin = set_,
                    .policies = set_.get()};
    std::optional<Result<ReplyPtr>> reply = loop_.Run(policy_->Handle(call_, service_));
    if (!reply) return "waits";
    const bool asks = call_.notes != nullptr && !call_.notes->approval_rule.empty();
    if (*reply) return asks ? "needs approval" : "allowed";
    error_ = reply->error();
    return std::string(ToString(error_.code));
  }
  // How many of so many calls are allowed.
  int Allowed(int calls, const std::string& subject, const std::string& arguments = "{}") {
    int allowed = 0;
    for (int i = 0; i < calls; ++i) allowed += Calls(subject, arguments) == "allowed" ? 1 : 0;
    return allowed;
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  store::MemoryStore store_;
  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<const PolicySet> set_;
  Definition tool_{.kind = ItemKind::kTool,
                   .server = "x",
                   .name = "read",
                   .exposed = "x__read",
                   .json = "{}",
                   .annotations = {}};
  FakeService service_;
  Call call_;
  Error error_;
  Loop loop_;
};

TEST_F(AuthorizeRate, WhatIsOverItIsDeniedForEachCallerByItself) {
  Rules("{effect: allow}, {name: often, effect: deny, when: {rate: {over: 3/min}}}");
  EXPECT_EQ(Allowed(5, "ada"), 3);
  EXPECT_EQ(Allowed(5, "bob"), 3);
  EXPECT_EQ(Calls("ada"), "forbidden");
  EXPECT_THAT(error_.message, HasSubstr("at this time"));
  EXPECT_EQ(error_.detail, "denied by rule often");
  clock_.Advance(seconds(20));
  EXPECT_EQ(Allowed(3, "ada"), 1) << "one every twenty seconds";
}

TEST_F(AuthorizeRate, WhatIsWithinItIsAllowed) {
  Rules("{effect: allow, when: {rate: {within: 2/h}}}");
  EXPECT_EQ(Allowed(4, "ada"), 2);
}

TEST_F(AuthorizeRate, WhatIsOverItNeedsAPerson) {
  Rules("{effect: allow}, {effect: require_approval, when: {rate: {over: 1/min}}}");
  EXPECT_EQ(Calls("ada"), "allowed");
  EXPECT_EQ(Calls("ada"), "needs approval");
}

TEST_F(AuthorizeRate, OnlyCallsForWhichAllElseHoldsAreCounted) {
  Rules(
      "{effect: allow}, {effect: deny, when: {rate: {over: 1/min}, arguments: [{at: /n, min: "
      "100}]}}");
  EXPECT_EQ(Allowed(5, "ada", R"({"n":1})"), 5);
  EXPECT_EQ(Allowed(3, "ada", R"({"n":100})"), 1);
  EXPECT_EQ(Allowed(2, "ada", R"({"n":1})"), 2);
}

TEST_F(AuthorizeRate, IsCountedPerWhatTheRuleSays) {
  Rules("{effect: allow}, {effect: deny, when: {rate: {over: 2/min, per: []}}}");
  EXPECT_EQ(Allowed(1, "ada") + Allowed(1, "bob") + Allowed(2, "eve"), 2);
}

TEST_F(AuthorizeRate, EachRuleCountsForItself) {
  Rules(
      "{effect: allow}, {effect: deny, when: {rate: {over: 4/min}}}, {name: b, effect: deny, when: "
      "{rate: {over: 2/s}}}");
  EXPECT_EQ(Allowed(3, "ada"), 2);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Allowed(3, "ada"), 1);
}

// Whether it is one only those know who asked.
TEST_F(AuthorizeRate, AnAnswerInTheMiddleOfACallCountsAndIsApprovedIfThatWasWanted) {
  Rules("{effect: allow}, {effect: deny, when: {rate: {over: 1/min}}}");
  EXPECT_EQ(Calls("ada"), "allowed");
  EXPECT_EQ(Calls("ada", "{}", R"(,"requestState":"s","inputResponses":{})"), "forbidden");
  Rules("{effect: allow}, {effect: require_approval, when: {rate: {over: 1/min}}}");
  EXPECT_EQ(Calls("eve", "{}", R"(,"requestState":"s")"), "needs approval")
      << "what a person was asked for before";
}

TEST_F(AuthorizeRate, AStoreThatAnswersLaterIsWaitedFor) {
  testing::RemoteStore remote(store_);
  Make("{effect: allow}, {effect: deny, when: {rate: {over: 1/min}}}", &remote);
  EXPECT_EQ(Allowed(2, "ada"), 1);
}

TEST_F(AuthorizeRate, WithoutACountAllowDoesNotHoldAndDenyDoes) {
  Make("{effect: allow, when: {rate: {within: 9/s}}}", nullptr);
  EXPECT_EQ(Calls("ada"), "forbidden");
  Make("{effect: allow}, {effect: deny, when: {rate: {over: 9/s}}}", nullptr);
  EXPECT_EQ(Calls("ada"), "forbidden");
}

TEST_F(AuthorizeRate, MustBeOneThatCanBeRead) {
  const auto problems = [](const std::string& rate) {
    return ProblemsOf("authorize", "{rules: [{effect: deny, when: {rate: " + rate + "}}]}");
  };
  EXPECT_THAT(problems("{}"), Contains(HasSubstr("needs over or within")));
  EXPECT_THAT(problems("{over: 1/s, within: 1/s}"), Contains(HasSubstr("needs over or within")));
  EXPECT_THAT(problems("{over: often}"), Contains(HasSubstr("must be a rate such as")));
  EXPECT_THAT(problems("{over: 1/s, per: [x]}"), Contains(HasSubstr("x is none of")));
}

}  // namespace
}  // namespace switchyard::policies
