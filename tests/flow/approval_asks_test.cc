// approval decided by the user of the client, asked by elicitation; the admin API's door; callers
// who are told apart; rules of authorize that want an approval; what the audit log says.
#include <fstream>

#include <gmock/gmock.h>

#include "audit/verify_log.h"
#include "auth/api_key.h"
#include "flow/approval.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kAsks = "{hold: 0s, rules: [{name: wipes, tool: wipe}]}";
const std::string kYes = R"({"action":"accept","content":{"approve":true}})";
const std::string kNo = R"({"action":"decline"})";

class ApprovalAsks : public ApprovalFixture, public ::testing::Test {
 protected:
  ModernClient Asked(const std::string& token = "") const {
    ModernClient one(gateway.port(), "/mcp", token);
    one.set_capabilities(kForms);
    return one;
  }
  static Answer Call(ModernClient& one, const std::string& arguments, const std::string& more = "",
                     const std::string& tool = "a__wipe") {
    return one.Request({.method = "tools/call",
                        .members = R"("name":")" + tool + R"(","arguments":)" + arguments + more});
  }
  static std::string Back(const Answer& asked, const std::string& answer) {
    return R"(,"inputResponses":{"switchyard_approval":)" + answer + R"(},"requestState":)" +
           Quote(State(asked));
  }
  static std::string Question(const Answer& asked) {
    return TextAt(asked.message(), "/result/inputRequests/switchyard_approval/params/message");
  }
  static const std::string kX;
};
const std::string ApprovalAsks::kX = R"({"label":"x"})";

TEST_F(ApprovalAsks, AModernClientsUserApproves) {
  Start(kAsks);
  ModernClient one = Asked();
  const Answer asked = Call(one, kX);
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  EXPECT_THAT(Question(asked), HasSubstr("a__wipe"));
  EXPECT_THAT(Question(asked), HasSubstr(R"("label": "x")"));
  EXPECT_EQ(wiped, 0);
  EXPECT_EQ(Call(one, kX, Back(asked, kYes)).text(), "wiped x");
  // Neither the answer nor our state went to the server.
  const std::string sent = fake.received("tools/call").back().body;
  EXPECT_THAT(sent, Not(HasSubstr("inputResponses")));
  EXPECT_THAT(sent, Not(HasSubstr("requestState")));
  const Answer replayed = Call(one, kX, Back(asked, kYes));
  EXPECT_EQ(Status(replayed), "void") << replayed;
  EXPECT_THAT(replayed.text(), HasSubstr("good for one call only"));
  EXPECT_EQ(wiped, 1);
}

TEST_F(ApprovalAsks, AUserWhoDeclinesOrSaysNothingLetsNothingRun) {
  Start(kAsks);
  ModernClient one = Asked();
  for (const std::string& none : {std::string(R"({"action":"cancel"})"), std::string("{}")}) {
    const Answer asked = Call(one, kX);
    EXPECT_EQ(Status(Call(one, kX, Back(asked, none))), "pending") << none;
  }
  EXPECT_EQ(List().size(), 1U);
  const Answer asked = Call(one, kX);
  EXPECT_THAT(Call(one, kX, Back(asked, kNo)).text(), HasSubstr("has denied"));
  EXPECT_THAT(Call(one, kX, Back(asked, kYes)).text(), HasSubstr("has denied"));
  EXPECT_THAT(Call(one, kX).text(), HasSubstr("has denied"));
  const std::string y = R"({"label":"y"})";
  const std::string unclear = R"({"action":"accept","content":{"approve":"true"}})";
  EXPECT_THAT(Call(one, y, Back(Call(one, y), unclear)).text(), HasSubstr("has denied"));
  EXPECT_EQ(wiped, 0);
}

TEST_F(ApprovalAsks, AStateForOtherArgumentsOrTamperedWithIsRefused) {
  Start(kAsks);
  ModernClient one = Asked();
  const Answer asked = Call(one, kX);
  EXPECT_EQ(Call(one, R"({"label":"all"})", Back(asked, kYes)).code(), -32602);
  std::string tampered = Back(asked, kYes);
  tampered[tampered.size() - 20] = tampered[tampered.size() - 20] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Call(one, kX, tampered).code(), -32602);
  EXPECT_EQ(Call(one, kX, R"(,"requestState":"ap1.x")").code(), -32602);
  EXPECT_EQ(wiped, 0);
  EXPECT_EQ(Call(one, kX, Back(asked, kYes)).text(), "wiped x");
}

TEST_F(ApprovalAsks, ALegacyClientsUserIsAskedWithinTheCall) {
  Start(kAsks);
  for (const char* version : {"2025-11-25", "2025-06-18"}) {
    for (const bool yes : {true, false}) {
      const std::string label = std::string(version) + (yes ? "y" : "n");
      LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})", version);
      Exchange call = client.BeginCall("a__wipe", R"({"label":")" + label + R"("})");
      const std::string question = call.NextEvent().value_or("");
      EXPECT_EQ(TextAt(Parse(question), "/method"), "elicitation/create") << question;
      EXPECT_EQ(client.Post(AnswerTo(question, yes ? kYes : kNo), {}).status, 202);
      const std::string text = call.Finish().text();
      EXPECT_THAT(text, yes ? HasSubstr("wiped " + label) : HasSubstr("has denied"));
    }
  }
}

TEST_F(ApprovalAsks, AServerMayAskSomethingInTheMiddleOfAnApprovedCall) {
  fake.surface().AddTool("ask", [this](Turn& turn) { AskWhich(turn); });
  Start("{hold: 0s, rules: [{tool: ask}]}");
  ModernClient one = Asked();
  const Answer first = Call(one, kX, "", "a__ask");
  const Answer second = Call(one, kX, Back(first, kYes), "a__ask");
  EXPECT_EQ(TextAt(second.message(), "/result/inputRequests/k/method"), "elicitation/create")
      << second;
  const std::string answer = R"(,"inputResponses":{"k":{"action":"accept","content":{}}})"
                             R"(,"requestState":)" +
                             Quote(State(second));
  EXPECT_EQ(Call(one, kX, answer, "a__ask").text(), R"(state "s1")");
  EXPECT_EQ(wiped, 1);
  // What went on once does not go on again.
  EXPECT_EQ(Call(one, kX, answer, "a__ask").code(), -32602);
  EXPECT_EQ(wiped, 1);

  LegacyClient legacy = Declaring(gateway.port(), R"({"elicitation":{}})");
  Exchange call = legacy.BeginCall("a__ask", R"({"label":"l"})");
  for (const std::string& said : {kYes, std::string(R"({"action":"accept","content":{}})")}) {
    const std::string question = call.NextEvent().value_or("");
    EXPECT_EQ(legacy.Post(AnswerTo(question, said), {}).status, 202) << question;
  }
  EXPECT_EQ(call.Finish().text(), R"(state "s1")");
}

TEST_F(ApprovalAsks, AnOperatorMayDecideWhatAClientIsAskedUnlessItIsNotTheirs) {
  Start(kAsks);
  ModernClient one = Asked();
  const Answer asked = Call(one, kX);
  Approve(Waits(0));
  EXPECT_EQ(Call(one, kX, Back(asked, kNo)).text().find("wiped"), std::string::npos);
  gateway.With("policies", "{approval: {hold: 0s, by: client, rules: [{tool: wipe}]}}").Reload();
  Call(one, R"({"label":"own"})");
  EXPECT_EQ(Decide(Waits(0), R"({"decision":"approve"})").status, 403);
  ModernClient mute = gateway.Modern();
  EXPECT_THAT(Call(mute, kX).text(), HasSubstr("cannot ask one"));
  gateway.With("policies", "{approval: {hold: 0s, by: operator, rules: [{tool: wipe}]}}").Reload();
  EXPECT_EQ(Status(Call(one, R"({"label":"z"})")), "pending");
  EXPECT_EQ(wiped, 0);
}

// ---- Callers, the door of the admin API.

TEST_F(ApprovalAsks, AnotherCallerGetsNothingOutOfAnApproval) {
  const auth::NewKey ada = auth::MakeApiKey(), eve = auth::MakeApiKey();
  const auto key = [](const char* name, const auth::NewKey& made) {
    return "{name: " + std::string(name) + ", hash: '" + auth::ToText(made.kept) + "'}";
  };
  gateway.With("auth", "{api_keys: [" + key("ada", ada) + ", " + key("eve", eve) + "]}")
      .With("admin", "{token: 0123456789abcdef}");
  Start(kAsks);
  ModernClient one = Asked(ada.text), other = Asked(eve.text);
  const Answer asked = Call(one, kX);
  const std::string bearer = "Authorization: Bearer 0123456789abcdef\r\n";
  EXPECT_EQ(AskAdmin(gateway, "GET /admin/approvals").status, 401);
  const json::value all = AskAdmin(gateway, "GET /admin/approvals", "", bearer).message();
  const std::string id = TextAt(all, "/approvals/0/id");
  EXPECT_EQ(TextAt(all, "/approvals/0/caller/subject"), "ada");
  EXPECT_EQ(Call(other, kX, Back(asked, kYes)).code(), -32602);
  EXPECT_EQ(
      AskAdmin(gateway, "POST /admin/approvals/" + id, R"({"decision":"approve"})", bearer).status,
      200);
  other.set_capabilities("{}");
  one.set_capabilities("{}");
  const Answer hers = Call(other, kX);
  EXPECT_NE(hers.text(), "wiped x");
  const Answer theirs = other.Call("a__wipe", kX, R"("switchyard/approval":")" + id + '"');
  EXPECT_THAT(theirs.text(), HasSubstr("none of this id for this caller")) << theirs;
  EXPECT_EQ(wiped, 0);
  EXPECT_EQ(Call(one, kX).text(), "wiped x");
}

TEST_F(ApprovalAsks, NoWebPageAndNoProxyDecidesWithoutAToken) {
  Start(kAsks);
  ModernClient one = gateway.Modern();
  const std::string id = Id(Call(one, kX));
  const std::string path = "POST /admin/approvals/" + id, yes = R"({"decision":"approve"})";
  const std::string own = "Origin: http://127.0.0.1:" + std::to_string(gateway.port()) + "\r\n";
  for (const std::string& header :
       {std::string("Origin: https://evil.example\r\n"), own, std::string("Origin: null\r\n"),
        std::string("X-Forwarded-For: 10.0.0.1\r\n"), std::string("Forwarded: for=1\r\n")}) {
    EXPECT_EQ(AskAdmin(gateway, path, yes, header).status, 403) << header;
    EXPECT_EQ(AskAdmin(gateway, "GET /admin/approvals", "", header).status, 403) << header;
  }
  // As nginx does when it is told nothing else: HTTP/1.0, under our own name.
  for (const std::string& host :
       {"Host: 127.0.0.1:" + std::to_string(gateway.port()) + "\r\n", std::string()}) {
    const Answer proxied = gateway.Modern().Raw(
        "GET /admin/approvals HTTP/1.0\r\nConnection: close\r\n" + host + "\r\n");
    EXPECT_EQ(proxied.status, 403) << host;
  }
  // A name that was made to lead here (DNS rebinding).
  const Answer rebound =
      gateway.Modern().Raw(path +
                           " HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n"
                           "Content-Length: " +
                           std::to_string(yes.size()) + "\r\n\r\n" + yes);
  EXPECT_EQ(rebound.status, 403);
  EXPECT_EQ(TextAt(List()[0], "/state"), "pending");
  EXPECT_EQ(AskAdmin(gateway, "DELETE /admin/approvals/" + id).status, 404);
  EXPECT_EQ(AskAdmin(gateway, path, yes).status, 200);
}

// ---- Rules of authorize.

TEST_F(ApprovalAsks, ARuleOfAuthorizeMayWantAnApproval) {
  gateway.Serves("a", fake).With(
      "policies",
      "{approval: {hold: 0s}, authorize: {rules: [{effect: allow}, {name: gated, effect: "
      "require_approval, what: {tool: wipe}}, {effect: deny, what: {tool: wipe}, when: {arguments: "
      "[{at: /label, one_of: [all]}]}}]}}");
  gateway.Start();
  ModernClient one = gateway.Modern();
  EXPECT_THAT(Call(one, R"({"label":"all"})").text(), HasSubstr("you may not use"));
  const Answer held = Call(one, kX);
  EXPECT_EQ(Status(held), "pending") << held;
  EXPECT_EQ(TextAt(List()[0], "/rule"), "gated");
  Approve(Id(held));
  EXPECT_EQ(Call(one, kX).text(), "wiped x");
  EXPECT_EQ(one.Call("a__echo", R"({"text":"free"})").text(), "free");
}

TEST_F(ApprovalAsks, SuchARuleWorksWhereNothingIsSaidOfApproval) {
  gateway.Serves("a", fake).With(
      "policies", "{authorize: {rules: [{effect: require_approval, what: {tool: wipe}}]}}");
  gateway.Start();
  ModernClient one = Asked();
  const Answer asked = Call(one, kX);
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  EXPECT_EQ(Call(one, kX, Back(asked, kYes)).text(), "wiped x");
}

TEST_F(ApprovalAsks, SuchARuleOfOneMemberIsForCallsOfTheGroup) {
  FakeServer other = FakeServer::Modern("b");
  other.surface().AddTool("wipe", [](Turn& turn) { turn.Text("wiped by b"); });
  gateway.Serves("a", fake)
      .Serves("b", other,
              "policies: {authorize: {rules: [{effect: require_approval, what: {tool: wipe}}, "
              "{effect: allow}]}}")
      .With("groups", "{g: {servers: [{server: a}, {server: b}]}}");
  gateway.Start();
  ModernClient one = Asked();
  const Answer asked = Call(one, kX, "", "g__wipe");
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  EXPECT_EQ(wiped, 0);
  Approve(Waits(0));
  EXPECT_EQ(Call(one, kX, "", "g__wipe").text(), "wiped x");
}

TEST_F(ApprovalAsks, OfAGroupARepeatMayGoToAnotherMember) {
  FakeServer other = FakeServer::Modern("b");
  other.surface().AddTool("wipe", [](Turn& turn) { turn.Text("wiped by b"); });
  for (FakeServer* one : {&fake, &other}) one->ExpectComplaints();
  gateway.Serves("a", fake).Serves("b", other).With("policies", "{approval: " + kAsks + "}");
  gateway.With("groups", "{g: {servers: [{server: a}, {server: b}]}}").Start();
  ModernClient one = gateway.Modern();
  Approve(Id(Call(one, kX, "", "g__wipe")));
  fake.Down();
  ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server="a"} 0)"));
  EXPECT_EQ(Call(one, kX, "", "g__wipe").text(), "wiped by b");
}

TEST_F(ApprovalAsks, CallsAboveACostAreAskedForByBudgetsPrice) {
  gateway.Serves("a", fake, R"(tool_policies: {wipe: {budget: {price: {per_call: "0.75"}}}})")
      .With("policies", R"({approval: {hold: 0s, rules: [{cost: "0.50"}]}, )"
                        R"(budget: {price: {per_call: "0.10"}}})");
  gateway.Start();
  ModernClient one = gateway.Modern();
  EXPECT_EQ(one.Call("a__echo", R"({"text":"cheap"})").text(), "cheap");
  EXPECT_EQ(Status(Call(one, kX)), "pending");
}

// ---- The record.

TEST_F(ApprovalAsks, TheAuditLogSaysWhoDecidedWhat) {
  const std::string path = directory.Path("audit.jsonl");
  gateway.With("audit", "{path: " + path + "}");
  Start(kAsks);
  ModernClient one = gateway.Modern();
  const std::string id = Id(Call(one, kX));
  EXPECT_EQ(Decide(id, R"({"decision":"approve","by":"grace","reason":"ticket 7"})").status, 200);
  EXPECT_EQ(Call(one, kX).text(), "wiped x");
  gateway.Stop();
  const auto logs = switchyard::audit::FindLogs(path);
  ASSERT_TRUE(logs);
  EXPECT_FALSE(switchyard::audit::VerifyLog(logs->front(), {}, nullptr).problem);
  std::vector<json::value> calls, approvals;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    json::value record = Parse(line);
    if (TextAt(record, "/event") == "call") calls.push_back(record);
    if (TextAt(record, "/event") == "approval") approvals.push_back(record);
  }
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(TextAt(calls[0], "/decision"), "pending");
  EXPECT_EQ(TextAt(calls[0], "/outcome"), "tool_error");
  ASSERT_EQ(approvals.size(), 1U);
  EXPECT_EQ(TextAt(approvals[0], "/decision"), "approved");
  EXPECT_EQ(TextAt(approvals[0], "/approver"), "operator grace");
  EXPECT_EQ(TextAt(approvals[0], "/reason"), "ticket 7");
  EXPECT_EQ(TextAt(approvals[0], "/approval"), id);
  EXPECT_EQ(TextAt(approvals[0], "/arguments_sha256"), TextAt(calls[1], "/arguments_sha256"));
  EXPECT_EQ(TextAt(calls[1], "/approval"), id);
  EXPECT_EQ(TextAt(calls[1], "/approver"), "operator grace");
  EXPECT_EQ(TextAt(calls[1], "/decision"), "approved");
}

}  // namespace
}  // namespace switchyard::tests
