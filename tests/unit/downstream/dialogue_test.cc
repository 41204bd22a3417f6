// Legacy servers that ask the client of a call something, over one shared channel.
#include <array>

#include "unit/downstream/asking_fixture.h"

namespace switchyard::downstream {
namespace {

class DialogueTest : public AskingTest {
 protected:
  static Principal Named(const std::string& subject) { return {.subject = subject}; }
};

constexpr const char* kYes = R"({"q1":{"action":"accept","content":{"s":"eng"}}})";

TEST_F(DialogueTest, AQuestionEndsTheRequestAndTheRetryBringsTheAnswerAndTheResult) {
  Child();
  const std::string asked = Asks(CallOf(kForms), Elicitation("9"));
  EXPECT_TRUE(asked.contains(R"("id":"c1","result":{"resultType":"input_required")")) << asked;
  EXPECT_TRUE(asked.contains(R"("inputRequests":{"q1":{"method":"elicitation/create")")) << asked;
  EXPECT_TRUE(asked.contains(R"("message":"[x] Which?")")) << asked;
  EXPECT_TRUE(asked.contains(R"("mode":"form")")) << asked;
  EXPECT_FALSE(asked.contains("ttlMs"));
  EXPECT_EQ(parking_.count(), 1U);

  const auto retry = Start(Retry(StateIn(asked), kYes));
  EXPECT_EQ(AnswerFor("9"),
            R"({"jsonrpc":"2.0","id":9,"result":{"action":"accept","content":{"s":"eng"}}})");
  EXPECT_EQ(parking_.count(), 0U);
  Finish();
  const std::string done = NextOf(*retry);
  EXPECT_TRUE(done.contains(R"("id":"c2")")) << done;
  EXPECT_TRUE(done.contains(R"("resultType":"complete")") && done.contains("done")) << done;
  EXPECT_EQ(wire_.Count("tools/call"), 1) << "the call runs once";
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 0);
}

TEST_F(DialogueTest, SiblingsAreAskedTogether) {
  Child();
  const auto going = Start(CallOf(kEverything));
  Unsolicited(Elicitation("1"));
  loop_.Pass(Dialogue::kGather / 2);
  Unsolicited(Request("2", "sampling/createMessage",
                      R"({"messages":[],"maxTokens":5,"includeContext":"allServers"})"));
  Unsolicited(Request("3", "roots/list"));
  loop_.Pass(Dialogue::kGather / 2);
  const std::string asked = NextOf(*going);
  EXPECT_TRUE(asked.contains(R"("q1")") && asked.contains(R"("q2")") && asked.contains(R"("q3")"))
      << asked;
  EXPECT_TRUE(asked.contains(R"("includeContext":"none")")) << asked;
  const auto retry = Start(Retry(
      StateIn(asked),
      R"({"q1":{"action":"decline"},"q2":{"role":"assistant","content":{"type":"text","text":"a"},"model":"m"},"q3":{"roots":[{"uri":"file:///r"}]},"more":7})"));
  EXPECT_TRUE(AnswerFor("1").contains("decline"));
  EXPECT_TRUE(AnswerFor("2").contains(R"("model":"m")"));
  EXPECT_TRUE(AnswerFor("3").contains("file:///r"));
}

TEST_F(DialogueTest, AMissingAnswerIsAskedForAgainUnderAFreshState) {
  Child();
  const auto going = Start(CallOf(kEverything));
  Unsolicited(Elicitation("1"));
  Unsolicited(Request("2", "roots/list"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*going);
  const auto half = Start(Retry(StateIn(asked), kYes));
  const std::string again = NextOf(*half);
  EXPECT_TRUE(again.contains("input_required") && again.contains(R"("q2")")) << again;
  EXPECT_FALSE(again.contains(R"("q1")")) << again;
  EXPECT_NE(StateIn(again), StateIn(asked));
  EXPECT_NE(AnswerFor("1"), "");
  const auto whole = Start(Retry(StateIn(again), R"({"q2":{"roots":[]}})"));
  Finish();
  EXPECT_TRUE(NextOf(*whole).contains("done"));
}

TEST_F(DialogueTest, AStateIsWorthNothingToAnybodyElseOrTwice) {
  Child();
  const std::string state = StateIn(Asks(CallOf(kForms), Elicitation("9")));
  std::string tampered = state;
  tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'B' : 'A';
  std::vector<Call*> wrong = {
      &Retry(tampered, kYes), &Retry("", kYes), &Retry("g1.", kYes),
      &Retry(state, kYes, kEverything, R"("name":"u")"),
      &Retry(state, kYes, kEverything, R"("name":"t","arguments":{"a":1})")};
  wrong.push_back(&Retry(state, kYes));
  wrong.back()->caller = MakeCaller({.subject = "somebody else"});
  wrong.push_back(&Retry(state, kYes));
  wrong.back()->endpoint = "other";
  std::string text;
  for (Call* call : wrong) {
    const Result<ReplyPtr> refused = Handle(*call);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().rpc_code, mcp::kInvalidParams);
    if (text.empty()) text = refused.error().message;
    EXPECT_EQ(refused.error().message, text);
  }
  EXPECT_EQ(AnswerFor("9"), "");
  const auto retry = Start(Retry(state, kYes));
  EXPECT_NE(AnswerFor("9"), "") << "what others tried spoiled nothing";
  const Result<ReplyPtr> replayed = Handle(Retry(state, kYes));
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().message, text);
  Finish();
  EXPECT_TRUE(NextOf(*retry).contains("done"));
}

TEST_F(DialogueTest, TheOrderOfMembersInArgumentsDoesNotMatter) {
  Child();
  const std::string state = StateIn(Asks(
      CallOf(kForms, R"({"name":"t","arguments":{"a":{"c":1,"d":[2]},"b":3}})"), Elicitation("9")));
  const auto retry =
      Start(Retry(state, kYes, kForms, R"("arguments":{ "b":3, "a":{"d":[2],"c":1}},"name":"t")"));
  EXPECT_NE(AnswerFor("9"), "");
  Finish();
  EXPECT_TRUE(NextOf(*retry).contains("done"));
}

TEST_F(DialogueTest, AnswersOfTheWrongTypeAreRefusedAndMayBeCorrected) {
  Child();
  const std::string state = StateIn(Asks(CallOf(kForms), Elicitation("9")));
  for (const char* answers : {"7", "null", "[]", R"({"q1":7})", R"({"q1":{"action":"perhaps"}})",
                              R"({"q1":{"action":"accept","content":3}})"}) {
    const Result<ReplyPtr> refused = Handle(Retry(state, answers));
    ASSERT_FALSE(refused) << answers;
    EXPECT_EQ(refused.error().rpc_code, mcp::kInvalidParams) << answers;
  }
  const auto retry = Start(Retry(state, kYes));
  EXPECT_NE(AnswerFor("9"), "");
}

TEST_F(DialogueTest, WhoeverDoesNotComeBackIsTakenForANo) {
  Child();
  const auto going = Start(CallOf(kEverything));
  Unsolicited(Elicitation("1"));
  Unsolicited(Request("2", "sampling/createMessage", R"({"messages":[]})"));
  loop_.Pass(Dialogue::kGather);
  const std::string state = StateIn(NextOf(*going));
  loop_.Pass(parking_.expiry());
  EXPECT_TRUE(AnswerFor("1").contains(R"({"action":"cancel"})")) << AnswerFor("1");
  EXPECT_TRUE(AnswerFor("2").contains(R"("code":-1)")) << AnswerFor("2");
  ASSERT_EQ(wire_.Count("notifications/cancelled"), 1);
  EXPECT_EQ(wire_.Last("notifications/cancelled")->message.Get(mcp::Key::kRequestId),
            wire_.Last("tools/call")->message.id());
  EXPECT_EQ(parking_.count(), 0U);
  EXPECT_FALSE(Handle(Retry(state, kYes)));
}

TEST_F(DialogueTest, WhatHappensWhileItIsParkedIsKeptForTheRetry) {
  Child();
  std::string state = StateIn(Asks(CallOf(kForms), Elicitation("9")));
  Finish();
  const auto finished = Start(Retry(state, kYes));
  EXPECT_TRUE(NextOf(*finished).contains("done"));
  EXPECT_EQ(AnswerFor("9"), "") << "nobody waits for it any more";

  state = StateIn(Asks(CallOf(kForms), Elicitation("10")));
  Unsolicited(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":10}})");
  const auto withdrawn = Start(Retry(state, kYes));
  EXPECT_EQ(AnswerFor("10"), "");
  Finish();
  EXPECT_TRUE(NextOf(*withdrawn).contains("done"));

  state = StateIn(Asks(CallOf(kForms), Elicitation("11")));
  wire_.GoDown("server x: killed by signal 9");
  loop_.RunReady();
  loop_.Run(server_->Connect());
  const auto dead = Start(Retry(state, kYes));
  EXPECT_EQ(NextOf(*dead), "server x: killed by signal 9");
}

TEST_F(DialogueTest, DroppingTheRetryCancelsTheCall) {
  Child();
  const std::string state = StateIn(Asks(CallOf(kForms), Elicitation("9")));
  {
    const auto retry = Start(Retry(state, kYes));
    EXPECT_EQ(wire_.Count("notifications/cancelled"), 0) << "the end of the first means nothing";
  }
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 1);
}

TEST_F(DialogueTest, AClientThatGoesBeforeItIsAskedCancelsTheCallAndTheQuestion) {
  Child();
  {
    const auto going = Start(CallOf(kForms));
    Unsolicited(Elicitation("9"));
  }
  loop_.RunReady();
  EXPECT_TRUE(AnswerFor("9").contains("cancel"));
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 1);
  loop_.Pass(Dialogue::kGather);
}

TEST_F(DialogueTest, ACallIsNotCutOffByItsDeadlineWhileAPersonThinks) {
  Child();
  Call& call = CallOf(kForms);
  call.deadline = loop_.In(std::chrono::seconds(60));
  const std::string state = StateIn(Asks(call, Elicitation("9")));
  loop_.Pass(std::chrono::minutes(5));
  Call& retry = Retry(state, kYes);
  retry.deadline = loop_.In(std::chrono::seconds(60));
  const auto going = Start(retry);
  EXPECT_NE(AnswerFor("9"), "");
  loop_.Pass(std::chrono::seconds(61));
  EXPECT_EQ(NextOf(*going), "server x: no answer in time");
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 1);
}

TEST_F(DialogueTest, WhatTheClientDoesNotOfferIsRefusedInItsName) {
  Child();
  const auto going = Start(CallOf(kForms));
  Unsolicited(Request("1", "sampling/createMessage", R"({"messages":[]})"));
  Unsolicited(Request("2", "roots/list"));
  Unsolicited(Elicitation("3", R"(,"mode":"url","url":"https://x.y","elicitationId":"e")"));
  Unsolicited(Request("4", "tasks/get"));
  EXPECT_TRUE(AnswerFor("1").contains("-32601"));
  EXPECT_TRUE(AnswerFor("2").contains(R"({"roots":[]})"));
  EXPECT_TRUE(AnswerFor("3").contains("decline"));
  EXPECT_TRUE(AnswerFor("4").contains("-32601"));
  Finish();
  EXPECT_TRUE(NextOf(*going).contains("done"));
}

TEST_F(DialogueTest, AServerThatAsksTwiceOrAfterItsAnswerGetsNoSecondHearing) {
  Child();
  const auto going = Start(CallOf(kForms));
  Unsolicited(Elicitation("1"));
  Unsolicited(Elicitation("1"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*going);
  EXPECT_FALSE(asked.contains("\"q2\"")) << asked;
  const auto retry = Start(Retry(StateIn(asked), kYes));
  Finish();
  EXPECT_TRUE(NextOf(*retry).contains("done"));
  Unsolicited(Elicitation("2"));
  EXPECT_TRUE(AnswerFor("2").contains("-32602")) << AnswerFor("2");
}

TEST_F(DialogueTest, AFloodOfQuestionsIsBounded) {
  Child();
  const auto going = Start(CallOf(kForms));
  for (int i = 1; i <= 40; ++i) Unsolicited(Elicitation(std::to_string(i)));
  EXPECT_TRUE(AnswerFor("40").contains("-32603"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*going);
  EXPECT_TRUE(asked.contains("q16") && !asked.contains("q17")) << asked;
}

// -- bounds

TEST_F(DialogueTest, TooManyParkedCallsAreRefusedByCallerAndAltogether) {
  parking_.SetLimits({.total = 2, .per_caller = 1, .expiry = std::chrono::minutes(1)});
  Result<Parking::Permit> first = parking_.Enter(Named("a"));
  EXPECT_FALSE(parking_.Enter(Named("a")));
  Result<Parking::Permit> other = parking_.Enter(Named("b"));
  Child();
  Call& call = CallOf(kForms);
  call.caller = MakeCaller({.subject = "c"});
  const std::string refused = Asks(call, Elicitation("9"));
  EXPECT_TRUE(refused.contains("2 altogether")) << refused;
  loop_.RunReady();
  EXPECT_TRUE(AnswerFor("9").contains("cancel"));
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 1);
  *first = Parking::Permit();
  EXPECT_EQ(parking_.count(), 1U);
  Call& again = CallOf(kForms);
  again.caller = MakeCaller({.subject = "b"});
  EXPECT_TRUE(Asks(again, Elicitation("10")).contains("1 of this caller"));
}

// -- pages to visit

TEST_F(DialogueTest, AnErrorThatListsPagesToVisitBecomesAQuestion) {
  int tries = 0;
  Child();
  wire_.answer = [&tries, before = wire_.answer](const Sent& sent) {
    if (sent.method() != "tools/call") return before(sent);
    if (++tries > 1) return Gives(kDone);
    return Refuses(
        -32042,
        R"({"elicitations":[{"mode":"url","elicitationId":"e","url":"https://x.y/","message":"Log in"}]})");
  };
  const auto going = Start(CallOf(kEverything));
  const std::string asked = NextOf(*going);
  EXPECT_TRUE(asked.contains(R"("mode":"url")") && asked.contains(R"("url":"https://x.y/")"))
      << asked;
  EXPECT_FALSE(asked.contains("elicitationId")) << asked;
  const auto retry = Start(Retry(StateIn(asked), R"({"q1":{"action":"accept"}})"));
  EXPECT_TRUE(NextOf(*retry).contains("done"));
  EXPECT_EQ(tries, 2);
  EXPECT_FALSE(wire_.Last("tools/call")->text().contains("inputResponses"));
  EXPECT_FALSE(wire_.Last("tools/call")->text().contains("requestState"));
}

TEST_F(DialogueTest, APageThatTheUserWillNotVisitIsAToolErrorAndNothingIsSentAgain) {
  Child({{"tools/call",
          Refuses(-32042, R"({"elicitations":[{"url":"https://x.y/","message":"m"}]})")}});
  const auto going = Start(CallOf(kEverything));
  const std::string asked = NextOf(*going);
  const auto retry = Start(Retry(StateIn(asked), R"({"q1":{"action":"decline"}})"));
  const std::string refused = NextOf(*retry);
  EXPECT_TRUE(refused.contains(R"("isError":true)")) << refused;
  EXPECT_EQ(wire_.Count("tools/call"), 1);
}

TEST_F(DialogueTest, AClientThatCannotOpenPagesIsToldWhatItLacks) {
  Child({{"tools/call", Refuses(-32042, R"({"elicitations":[]})")}});
  for (const std::string& capabilities : {kForms, std::string("{}")}) {
    const auto going = Start(CallOf(capabilities));
    const std::string answer = NextOf(*going);
    EXPECT_TRUE(answer.contains(R"("code":-32021)")) << answer;
    EXPECT_TRUE(answer.contains(R"({"requiredCapabilities":{"elicitation":{"url":{}}}})"));
  }
}

}  // namespace
}  // namespace switchyard::downstream
