// Whose call a legacy server's question belongs to, on a channel that calls share.
#include "unit/base/log_capture.h"
#include "unit/downstream/asking_fixture.h"

namespace switchyard::downstream {
namespace {

class DialoguesTest : public AskingTest {};

constexpr const char* kAccepted = R"({"q1":{"action":"accept","content":{"s":"eng"}}})";

TEST_F(DialoguesTest, CallsThatMayAskTakeTurns) {
  Child();
  const auto first = Start(CallOf(kForms, R"({"name":"one"})"));
  const auto second = Start(CallOf(kForms, R"({"name":"two"})"));
  EXPECT_EQ(wire_.Count("tools/call"), 1);
  Unsolicited(Elicitation("9"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*first);
  EXPECT_EQ(wire_.Count("tools/call"), 1) << "its turn lasts while it is parked";
  const auto retry = Start(Retry(StateIn(asked), kAccepted, kForms, R"("name":"one")"));
  Finish();
  EXPECT_TRUE(NextOf(*retry).contains("done"));
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("tools/call"), 2);
  Finish();
  EXPECT_TRUE(NextOf(*second).contains("done"));
}

TEST_F(DialoguesTest, WaitingForATurnEndsWithTheDeadline) {
  Child();
  const auto first = Start(CallOf(kForms));
  Call& call = CallOf(kForms);
  call.deadline = loop_.In(std::chrono::seconds(5));
  const auto second = Start(call);
  loop_.Pass(std::chrono::seconds(5));
  ASSERT_TRUE(second->there);
  ASSERT_FALSE(second->reply);
  EXPECT_EQ(wire_.Count("tools/call"), 1);
}

TEST_F(DialoguesTest, WhoWaitsForATurnMayLeaveTheQueue) {
  Child();
  const auto first = Start(CallOf(kForms));
  auto second = Start(CallOf(kForms));
  const auto third = Start(CallOf(kForms));
  second.reset();
  loop_.RunReady();
  Finish();
  EXPECT_TRUE(NextOf(*first).contains("done"));
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("tools/call"), 2);
  Finish();
  EXPECT_TRUE(NextOf(*third).contains("done"));
}

TEST_F(DialoguesTest, AQuestionThatMayBelongToAnotherClientIsRefusedNotGuessed) {
  Child();
  const auto asking = Start(CallOf(kForms));
  const auto plain = Start(CallOf("{}"));
  EXPECT_EQ(wire_.Count("tools/call"), 2) << "plain calls wait for nobody";
  Unsolicited(Elicitation("9"));
  EXPECT_TRUE(AnswerFor("9").contains("-32602")) << AnswerFor("9");
}

TEST_F(DialoguesTest, ATaskThatACallNamesGivesItNoQuestionOfThatTask) {
  Child();
  const auto call = Start(CallOf(kForms, R"({"name":"t","taskId":"another's"})"));
  Unsolicited(Elicitation(
      "9", R"(,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"another's"}})"));
  EXPECT_TRUE(AnswerFor("9").contains("-32602")) << AnswerFor("9");
}

TEST_F(DialoguesTest, AQuestionDuringPlainCallsOnlyIsRefusedInTheirName) {
  Child();
  const auto plain = Start(CallOf("{}"));
  Unsolicited(Elicitation("9"));
  EXPECT_TRUE(AnswerFor("9").contains("decline")) << AnswerFor("9");
}

TEST_F(DialoguesTest, AQuestionOfACancelledCallIsNotTakenForTheNextOnes) {
  Child();
  wire_.answer = [before = wire_.answer](const Sent& sent) {
    return sent.method() == "ping" ? Hangs() : before(sent);
  };
  {
    const auto gone = Start(CallOf(kForms));
  }
  const auto next = Start(CallOf(kForms));
  EXPECT_EQ(wire_.Count("tools/call"), 1) << "the server may not have read the cancellation yet";
  Unsolicited(Elicitation("9"));
  EXPECT_TRUE(AnswerFor("9").contains("-32602")) << AnswerFor("9");
  loop_.Pass(Dialogue::kFarewell);
  EXPECT_EQ(wire_.Count("tools/call"), 2);
  Finish();
  EXPECT_TRUE(NextOf(*next).contains("done"));
}

TEST_F(DialoguesTest, AQuestionRightAfterACancelledPlainCallIsRefused) {
  Child();
  {
    const auto gone = Start(CallOf("{}"));
  }
  loop_.RunReady();
  const auto next = Start(CallOf(kForms));
  Unsolicited(Elicitation("9"));
  EXPECT_TRUE(AnswerFor("9").contains("-32602")) << AnswerFor("9");
  loop_.Pass(std::chrono::seconds(1));
  Unsolicited(Elicitation("10"));
  loop_.Pass(Dialogue::kGather);
  EXPECT_TRUE(NextOf(*next).contains("input_required"));
}

TEST_F(DialoguesTest, RefusalsAreNamedOnceAMinute) {
  const testing::LogCapture log;
  Child();
  const auto plain = Start(CallOf("{}"));
  for (int i = 0; i < 1000; ++i) Unsolicited(Request(std::to_string(i), "sampling/createMessage"));
  EXPECT_FALSE(AnswerFor("999").empty()) << "each is answered";
  EXPECT_EQ(log.count(": refused ("), 1);
  EXPECT_EQ(log.count("asks sampling/createMessage, which no call under way offers: refused (1 so"),
            1);
  loop_.Pass(std::chrono::minutes(1));
  Unsolicited(Request("1000", "sampling/createMessage"));
  EXPECT_EQ(log.count("refused (1001 so far)"), 1);
}

TEST_F(DialoguesTest, AServerThatAsksForRootsAtItsStartLearnsOfNone) {
  Child();
  Unsolicited(Request("1", "roots/list"));
  EXPECT_TRUE(AnswerFor("1").contains(R"({"roots":[]})")) << AnswerFor("1");
  Unsolicited(Elicitation("2"));
  EXPECT_TRUE(AnswerFor("2").contains("-32602"));
  Unsolicited(Request("3", "ping"));
  EXPECT_TRUE(AnswerFor("3").contains(R"("result":{})"));
}

}  // namespace
}  // namespace switchyard::downstream
