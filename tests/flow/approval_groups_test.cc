// approval of calls that several servers may serve (groups): who is asked, and where the call and
// the answers go then.
#include <gmock/gmock.h>

#include "flow/approval.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kApproved = R"({"action":"accept","content":{"approve":true}})";
const std::string kChosen = R"({"action":"accept","content":{}})";
const std::string kLabelX = R"({"label":"x"})";

class ApprovalGroups : public ApprovalFixture, public ::testing::Test {
 protected:
  ApprovalGroups() {
    other.surface().AddTool("wipe", [this](Turn& turn) {
      ++wiped;
      turn.Text("wiped by b");
    });
    for (FakeServer* one : {&fake, &other}) {
      one->surface().AddTool("ask", [this](Turn& turn) { AskWhich(turn); });
    }
  }

  void StartGroup(const std::string& rules) {
    gateway.Serves("a", fake)
        .Serves("b", other)
        .With("policies", "{approval: {hold: 0s, rules: " + rules + "}}")
        .With("groups", "{g: {servers: [{server: a}, {server: b}]}}")
        .Start();
  }
  void TakeDown(FakeServer& server, const std::string& name) {
    for (FakeServer* one : {&fake, &other}) one->ExpectComplaints();
    server.Down();
    ASSERT_TRUE(Shows(gateway, R"(switchyard_server_up{server=")" + name + R"("} 0)"));
  }

  ModernClient Asked() const {
    ModernClient one(gateway.port(), "/mcp", "");
    one.set_capabilities(kForms);
    return one;
  }
  static Answer Call(ModernClient& one, const std::string& tool, const std::string& more = "",
                     const std::string& arguments = kLabelX) {
    return one.Request({.method = "tools/call",
                        .members = R"("name":")" + tool + R"(","arguments":)" + arguments + more});
  }
  static std::string Back(const Answer& asked, const std::string& key, const std::string& answer) {
    return R"(,"inputResponses":{")" + key + R"(":)" + answer + R"(},"requestState":)" +
           Quote(State(asked));
  }
  static std::string Approved(const Answer& asked) {
    return Back(asked, "switchyard_approval", kApproved);
  }
  std::size_t Seen() const {
    return fake.received("tools/call").size() + other.received("tools/call").size();
  }

  FakeServer other = FakeServer::Modern("b");
};

TEST_F(ApprovalGroups, AModernClientsUserApproves) {
  StartGroup("[{tool: wipe}]");
  ModernClient one = Asked();
  const Answer asked = Call(one, "g__wipe");
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  EXPECT_EQ(Seen(), 0U);
  EXPECT_EQ(Call(one, "g__wipe", Approved(asked)).text(), "wiped x");
  const std::string sent = fake.received("tools/call").back().body;
  EXPECT_THAT(sent, Not(HasSubstr("inputResponses")));
  EXPECT_THAT(sent, Not(HasSubstr("requestState")));
  EXPECT_EQ(Status(Call(one, "g__wipe", Approved(asked))), "void");
  EXPECT_EQ(wiped, 1);
}

TEST_F(ApprovalGroups, ALegacyClientsUserApprovesWithinTheCall) {
  StartGroup("[{tool: [wipe, ask]}]");
  LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})");
  Exchange wipe = client.BeginCall("g__wipe", kLabelX);
  EXPECT_EQ(client.Post(AnswerTo(wipe.NextEvent().value_or(""), kApproved), {}).status, 202);
  EXPECT_EQ(wipe.Finish().text(), "wiped x");
  Exchange ask = client.BeginCall("g__ask", kLabelX);
  for (const std::string& said : {kApproved, kChosen}) {
    const std::string question = ask.NextEvent().value_or("");
    EXPECT_EQ(client.Post(AnswerTo(question, said), {}).status, 202) << question;
  }
  EXPECT_EQ(ask.Finish().text(), R"(state "s1")");
  EXPECT_TRUE(other.received("tools/call").empty());
}

TEST_F(ApprovalGroups, AMemberMayAskSomethingInTheMiddleOfAnApprovedCall) {
  StartGroup("[{tool: ask}]");
  ModernClient one = Asked();
  const Answer first = Call(one, "g__ask");
  const Answer second = Call(one, "g__ask", Approved(first));
  EXPECT_EQ(TextAt(second.message(), "/result/inputRequests/k/method"), "elicitation/create")
      << second;
  EXPECT_EQ(Call(one, "g__ask", Back(second, "k", kChosen)).text(), R"(state "s1")");
  EXPECT_EQ(wiped, 1);
  // What went on once does not go on again, and other arguments never.
  EXPECT_EQ(Call(one, "g__ask", Back(second, "k", kChosen)).code(), -32602);
  const Answer third = Call(one, "g__ask", Approved(Call(one, "g__ask")));
  EXPECT_EQ(Call(one, "g__ask", Back(third, "k", kChosen), R"({"label":"all"})").code(), -32602);
  EXPECT_EQ(wiped, 1);
  EXPECT_TRUE(other.received("tools/call").empty());
}

TEST_F(ApprovalGroups, WhatWasApprovedGoesToWhoIsThere) {
  StartGroup("[{tool: wipe}]");
  ModernClient one = Asked();
  const Answer asked = Call(one, "g__wipe");
  TakeDown(fake, "a");
  EXPECT_EQ(Call(one, "g__wipe", Approved(asked)).text(), "wiped by b");
}

TEST_F(ApprovalGroups, WhatAnswersAMemberGoesToNoOther) {
  StartGroup("[{tool: ask}]");
  ModernClient one = Asked();
  const Answer asked = Call(one, "g__ask", Approved(Call(one, "g__ask")));
  TakeDown(fake, "a");
  const Answer gone = Call(one, "g__ask", Back(asked, "k", kChosen));
  EXPECT_NE(gone.text(), R"(state "s1")") << gone;
  EXPECT_TRUE(other.received("tools/call").empty());
  EXPECT_EQ(wiped, 0);
}

TEST_F(ApprovalGroups, StatesOfOtherCallsReachNoMember) {
  StartGroup("[{tool: wipe}]");
  ModernClient one = Asked();
  const Answer asked = Call(one, "g__wipe");
  // Of a tool that needs no approval, an own question is a state like any that was made up.
  EXPECT_EQ(Call(one, "g__ask", Approved(asked)).code(), -32602);
  EXPECT_EQ(Call(one, "g__wipe", Approved(asked), R"({"label":"all"})").code(), -32602);
  EXPECT_EQ(Call(one, "g__wipe", R"(,"requestState":"ap1.x")").code(), -32602);
  EXPECT_EQ(
      Call(one, "g__wipe", R"(,"inputResponses":{"switchyard_approval":)" + kApproved + "}").code(),
      -32602);
  EXPECT_EQ(Seen(), 0U);
}

}  // namespace
}  // namespace switchyard::tests
