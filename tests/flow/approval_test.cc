// approval in a whole gateway, decided by whoever runs it: calls that are held, come back, run once
// and not otherwise; clients of both eras.
#include "flow/approval.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "cli/approvals.h"
#include "support/doc_examples.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

const std::string kHeld = "{hold: 30s, rules: [{name: wipes, tool: wipe}]}";
const std::string kAtOnce = "{hold: 0s, rules: [{name: wipes, tool: wipe}]}";

class Approval : public ApprovalFixture, public ::testing::TestWithParam<Era> {
 protected:
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Era, Approval, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Approval, ACallWaitsForAPersonAndThenRunsOnce) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  const std::string id = Waits(1);
  EXPECT_EQ(wiped, 0);
  const json::value shown = List()[0];
  EXPECT_EQ(TextAt(shown, "/tool"), "wipe");
  EXPECT_EQ(TextAt(shown, "/exposed"), "a__wipe");
  EXPECT_EQ(TextAt(shown, "/rule"), "wipes");
  EXPECT_THAT(TextAt(shown, "/arguments"), HasSubstr(R"("label": "x")"));
  Approve(id);
  EXPECT_EQ(call.Finish().text(), "wiped x");
  EXPECT_EQ(wiped, 1);
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(Decide(id, R"({"decision":"approve"})").status, 404);
  EXPECT_EQ(NewClient()->Call("a__echo", R"({"text":"free"})").text(), "free");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_approval_decisions_total{outcome="used"} 1)"));
}

TEST_P(Approval, WhatAPersonDeniesDoesNotRunAndIsToldWhy) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  Decide(Waits(1), R"({"decision":"deny","reason":"not on fridays"})");
  const Answer answer = call.Finish();
  EXPECT_EQ(answer.at("/result/isError"), true) << answer;
  EXPECT_THAT(answer.text(), HasSubstr("not on fridays"));
  const Answer again = NewClient()->Call("a__wipe", R"({"label":"x"})");
  EXPECT_THAT(again.text(), HasSubstr("not on fridays")) << again;
  EXPECT_EQ(wiped, 0);
}

TEST_P(Approval, AfterAWhileTheCallerGetsAHandleAndTheIdenticalCallComesBackForIt) {
  Start(kAtOnce);
  const Answer held = NewClient()->Call("a__wipe", R"({"label":"x","n":1.0})");
  EXPECT_EQ(held.at("/result/isError"), true) << held;
  EXPECT_EQ(Status(held), "pending");
  EXPECT_THAT(held.text(), HasSubstr(Id(held)));
  // The same, written in another way, is the same.
  EXPECT_EQ(Id(NewClient()->Call("a__wipe", R"({"n":1.0, "label":"\u0078"})")), Id(held));
  Approve(Id(held));
  EXPECT_EQ(NewClient()->Call("a__wipe", R"({"label":"x","n":1.0})").text(), "wiped x");
  const Answer next = NewClient()->Call("a__wipe", R"({"label":"x","n":1.0})");
  EXPECT_EQ(Status(next), "pending") << next;
  EXPECT_NE(Id(next), Id(held));
  EXPECT_EQ(wiped, 1);
}

TEST_P(Approval, TheHoldEndsByTheClock) {
  gateway.GoesBy(clock);
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe");
  const std::string id = Waits(1);
  clock.Advance(31s);
  const Answer answer = call.Finish();
  EXPECT_EQ(Status(answer), "pending") << answer;
  EXPECT_EQ(Id(answer), id);
  EXPECT_EQ(Waits(0), id);
  clock.Advance(15min);
  EXPECT_TRUE(Becomes([this] { return List().empty(); }));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_approval_decisions_total{outcome="expired"} 1)"));
}

TEST_P(Approval, OtherArgumentsAreNotCoveredAndNamingTheApprovalVoidsIt) {
  Start(kAtOnce);
  const std::string id = Id(NewClient()->Call("a__wipe", R"({"label":"x"})"));
  Approve(id);
  const Answer other = NewClient()->Call("a__wipe", R"({"label":"all"})");
  EXPECT_EQ(Status(other), "pending") << other;
  const Answer edited =
      NewClient()->Call("a__wipe", R"({"label":"all"})", R"("switchyard/approval":")" + id + '"');
  EXPECT_EQ(Status(edited), "void") << edited;
  EXPECT_THAT(edited.text(), HasSubstr("edited arguments void it"));
  EXPECT_EQ(Status(NewClient()->Call("a__wipe", R"({"label":"x"})")), "pending");
  EXPECT_EQ(wiped, 0);
}

TEST_P(Approval, ManyIdenticalCallsAtOnceAreOneAndOnlyOneRuns) {
  Start(kHeld);
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Exchange> calls;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(NewClient());
    calls.push_back(clients.back()->BeginCall("a__wipe", R"({"label":"x"})"));
  }
  Approve(Waits(6));
  int ran = 0, used = 0;
  for (Exchange& call : calls) {
    const Answer answer = call.Finish();
    ran += answer.text() == "wiped x" ? 1 : 0;
    used += answer.text().find("good for one call only") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(used, 5);
  EXPECT_EQ(wiped, 1);
}

TEST_P(Approval, DifferentCallsWaitSideBySide) {
  Start(kHeld);
  const auto one = NewClient(), two = NewClient();
  Exchange first = one->BeginCall("a__wipe", R"({"label":"1"})");
  Exchange second = two->BeginCall("a__wipe", R"({"label":"2"})");
  ASSERT_TRUE(Becomes([this] { return List().size() == 2; }));
  for (const json::value& shown : List()) {
    const bool is_second = TextAt(shown, "/arguments").find("\"2\"") != std::string::npos;
    Decide(TextAt(shown, "/id"),
           is_second ? R"({"decision":"approve"})" : R"({"decision":"deny"})");
  }
  EXPECT_EQ(second.Finish().text(), "wiped 2");
  EXPECT_THAT(first.Finish().text(), HasSubstr("denied"));
}

TEST_P(Approval, ACancelledCallLeavesWhatItWaitedFor) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  const std::string id = Waits(1);
  client->Cancel(call);
  EXPECT_EQ(Waits(0), id);
  Approve(id);
  EXPECT_EQ(NewClient()->Call("a__wipe", R"({"label":"x"})").text(), "wiped x");
}

TEST_P(Approval, ProgressIsToldMeanwhileAndRisesUpToTheServersOwn) {
  gateway.GoesBy(clock);
  fake.surface().AddTool("steps", [](Turn& turn) {
    turn.Progress(0, 2);
    turn.Progress(1, 2);
    turn.Text("done");
  });
  Start("{hold: 10m, rules: [{tool: steps}]}");
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__steps", "{}", R"("progressToken":"p")");
  const std::string first = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(first), "/params/progressToken"), "p") << first;
  const std::string id = Waits(1);
  EXPECT_THAT(first, HasSubstr(id));
  clock.Advance(6s);
  const std::string second = call.NextEvent().value_or("");
  EXPECT_THAT(second, HasSubstr(id));
  Approve(id);
  double last = At(Parse(second), "/params/progress").to_number<double>();
  EXPECT_GT(last, At(Parse(first), "/params/progress").to_number<double>());
  const Answer answer = call.Finish();
  EXPECT_EQ(answer.text(), "done");
  for (const std::string& event : answer.events) {
    const double value = At(Parse(event), "/params/progress").to_number<double>();
    EXPECT_GT(value, last) << event;
    last = value;
  }
  EXPECT_EQ(last, 1);
}

TEST_P(Approval, TheToolsOwnTimeoutDoesNotRunMeanwhile) {
  gateway.GoesBy(clock).Serves("a", fake).With(
      "policies", "{timeout: {total: 5s}, approval: {hold: 10m, rules: [{tool: wipe}]}}");
  gateway.Start();
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  const std::string id = Waits(1);
  clock.Advance(60s);
  Approve(id);
  EXPECT_EQ(call.Finish().text(), "wiped x");
}

TEST_P(Approval, AReloadWithAnotherRuleVoidsWhatWaits) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  const std::string id = Waits(1);
  gateway.With("log", "{calls: false}").Reload();  // nothing of it
  EXPECT_EQ(Status(call.Finish()), "pending");
  const auto other = NewClient();
  Exchange second = other->BeginCall("a__wipe", R"({"label":"x"})");
  EXPECT_EQ(Waits(1), id);
  gateway.With("policies", "{approval: {hold: 0s, rules: [{name: wipes, tool: [wipe, x]}]}}");
  gateway.Reload();
  const Answer answer = second.Finish();
  EXPECT_EQ(Status(answer), "void") << answer;
  EXPECT_THAT(answer.text(), HasSubstr("the rule that asked for it has changed"));
  const Answer anew = NewClient()->Call("a__wipe", R"({"label":"x"})");
  EXPECT_EQ(Status(anew), "pending");
  EXPECT_NE(Id(anew), id);
}

TEST_P(Approval, ACallThatIsHeldGoesByTheConfigurationThatThereIs) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  const std::string id = Waits(1);
  gateway.With("policies", "{approval: " + kHeld +
                               ", authorize: {rules: [{effect: allow}, {effect: deny, what: {tool: "
                               "wipe}}]}}");
  gateway.Reload();
  Decide(id, R"({"decision":"approve"})");
  EXPECT_EQ(Status(call.Finish()), "pending");
  EXPECT_EQ(NewClient()->Call("a__wipe", R"({"label":"x"})").text().find("wiped"),
            std::string::npos);
  EXPECT_EQ(wiped, 0);
}

TEST_P(Approval, AnotherDefinitionOfTheToolVoidsIt) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  Waits(1);
  fake.surface().RemoveTool("wipe");
  fake.surface().AddTool(
      "wipe", [](Turn& turn) { turn.Text("wiped"); },
      R"("title":"Wipes everything","inputSchema":{"type":"object"})");
  fake.surface().Changed("tools");
  const Answer stale = call.Finish();
  EXPECT_EQ(Status(stale), "pending") << stale;
  EXPECT_THAT(stale.text(), HasSubstr("The tools of the server or the gateway's"));
  // Each worker has the new list soon.
  EXPECT_TRUE(Becomes([&] {
    int shown = 0;
    for (int i = 0; i < 8; ++i) {
      const auto titles = NewClient()->List("tools/list", "tools", "title");
      shown += static_cast<int>(std::ranges::count(titles, "Wipes everything"));
    }
    return shown == 8;
  }));
  Approve(Id(stale));
  std::string last;
  EXPECT_TRUE(Becomes([&] {
    const Answer answer = NewClient()->Call("a__wipe", R"({"label":"x"})");
    last = answer.text();
    return Status(answer) == "void";
  })) << last;
  EXPECT_THAT(last, HasSubstr("definition has changed"));
}

TEST_P(Approval, AnApprovedCallIsNeverAnsweredFromTheCache) {
  gateway.Serves("a", fake).With(
      "policies", "{cache: {ttl: 1h, allow: [wipe]}, approval: {hold: 0s, rules: [{tool: wipe}]}}");
  gateway.Start();
  for (int i = 1; i <= 2; ++i) {
    Approve(Id(NewClient()->Call("a__wipe", R"({"label":"x"})")));
    EXPECT_EQ(NewClient()->Call("a__wipe", R"({"label":"x"})").text(), "wiped x");
    EXPECT_EQ(wiped, i);
  }
}

TEST_P(Approval, WhatOthersRefuseNeverAsksAPerson) {
  gateway.Serves("a", fake).With(
      "policies",
      "{approval: {hold: 0s, rules: [{tool: \"*\"}]}, guardrail: {arguments: {secrets: deny}}, "
      "authorize: {rules: [{effect: allow, what: {tool: [wipe]}}, {effect: deny, what: {tool: "
      "wipe}, when: {arguments: [{at: /label, one_of: [all]}]}}]}}");
  gateway.Start();
  const std::string key = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";
  NewClient()->Call("a__echo");
  NewClient()->Call("a__wipe", R"({"label":"all"})");
  NewClient()->Call("a__wipe", R"({"label":")" + key + R"("})");
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(Status(NewClient()->Call("a__wipe", R"({"label":"x"})")), "pending");
}

TEST_P(Approval, WhatAPersonReadsHasNoSecretsAndNothingInvisible) {
  Start(kAtOnce);
  const std::string key = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";
  NewClient()->Call("a__wipe", R"({"label":"use )" + key + R"(","to":"a\u202Eb\u200B"})");
  const std::string shown = TextAt(List()[0], "/arguments");
  EXPECT_THAT(shown, Not(HasSubstr(key)));
  EXPECT_THAT(shown, HasSubstr("[redacted:aws_key 20 bytes]"));
  EXPECT_THAT(shown, Not(HasSubstr("\u202E")));
  EXPECT_THAT(shown, Not(HasSubstr("\u200B")));
  const Answer twice = NewClient()->Call("a__wipe", R"({"to":"a","to":"b"})");
  EXPECT_THAT(twice.text(), HasSubstr("cannot be shown")) << twice;
  const Answer long_one =
      NewClient()->Call("a__wipe", R"({"to":")" + std::string(40000, 'x') + R"("})");
  EXPECT_THAT(long_one.text(), HasSubstr("more than one can read"));
  EXPECT_EQ(List().size(), 1U);
}

TEST_P(Approval, SoManyWaitAndNoMore) {
  gateway.With("limits", "{pending_approvals_per_caller: 2}");
  Start(kAtOnce);
  EXPECT_EQ(Status(NewClient()->Call("a__wipe", R"({"label":"1"})")), "pending");
  EXPECT_EQ(Status(NewClient()->Call("a__wipe", R"({"label":"2"})")), "pending");
  const Answer third = NewClient()->Call("a__wipe", R"({"label":"3"})");
  EXPECT_EQ(Status(third), "full") << third;
  EXPECT_THAT(third.text(), HasSubstr("2 calls of yours wait"));
  EXPECT_EQ(Status(NewClient()->Call("a__wipe", R"({"label":"1"})")), "pending");
}

TEST_P(Approval, WhatWaitsAndWhatIsDecidedSurvivesAKill) {
  gateway.With("state", "{dir: " + directory.Path("state") + "}");
  Start(kAtOnce);
  const std::string waits = Id(NewClient()->Call("a__wipe", R"({"label":"1"})"));
  const std::string approved = Id(NewClient()->Call("a__wipe", R"({"label":"2"})"));
  const std::string used = Id(NewClient()->Call("a__wipe", R"({"label":"3"})"));
  Approve(approved);
  Approve(used);
  EXPECT_EQ(NewClient()->Call("a__wipe", R"({"label":"3"})").text(), "wiped 3");
  // What is in the directory now is what is there after a kill -9: nothing was closed.
  std::filesystem::copy(directory.Path("state"), directory.Path("killed"));
  Gateway other;
  other.Serves("a", fake)
      .With("policies", "{approval: " + kAtOnce + "}")
      .With("state", "{dir: " + directory.Path("killed") + "}")
      .Start();
  EXPECT_EQ(List(other).size(), 2U);
  EXPECT_EQ(Id(other.ClientOf(GetParam())->Call("a__wipe", R"({"label":"1"})")), waits);
  EXPECT_EQ(other.ClientOf(GetParam())->Call("a__wipe", R"({"label":"2"})").text(), "wiped 2");
  const Answer third = other.ClientOf(GetParam())->Call("a__wipe", R"({"label":"3"})");
  EXPECT_EQ(Status(third), "pending");
  EXPECT_NE(Id(third), used);
}

TEST_P(Approval, TheCommandsListAndDecide) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  const std::string id = Waits(1);
  cli::ApproveOptions options;
  options.gateway.where.url = "http://127.0.0.1:" + std::to_string(gateway.port()) + "/mcp";
  std::ostringstream out, err;
  EXPECT_EQ(cli::RunApprovals(options.gateway, out, err), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr(id));
  EXPECT_THAT(out.str(), HasSubstr(R"("label": "x")"));
  options.id = id;
  options.by = "ada";
  EXPECT_EQ(cli::RunApprove(options, out, err), 0) << err.str();
  EXPECT_EQ(call.Finish().text(), "wiped x");
  EXPECT_EQ(cli::RunApprove(options, out, err), 1);
  EXPECT_THAT(err.str(), HasSubstr("is gone"));
  options.id = "../metrics";
  EXPECT_EQ(cli::RunApprove(options, out, err), 2);
}

TEST_P(Approval, AGatewayThatEndsLetsGo) {
  Start(kHeld);
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");
  Waits(1);
  std::thread stop([this] { gateway.server().Stop(); });
  const Answer answer = call.Finish();
  stop.join();
  EXPECT_EQ(Status(answer), "pending") << answer;
}

TEST_P(Approval, TheExampleOfThePageWorks) {
  gateway.Serves("a", fake)
      .With("policies", FromPolicyPage("approval", 0, "policies"))
      .With("state", "{dir: " + directory.Path("state") + "}");
  gateway.Start();
  const auto client = NewClient();
  Exchange call = client->BeginCall("a__wipe", R"({"label":"x"})");  // no hints: it may destroy
  Approve(Waits(1));
  EXPECT_EQ(call.Finish().text(), "wiped x");
}

}  // namespace
}  // namespace switchyard::tests
