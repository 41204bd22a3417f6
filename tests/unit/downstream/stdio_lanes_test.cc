// Legacy child processes that ask: one more process when the turns of all others are taken.
#include "unit/downstream/asking_fixture.h"

namespace switchyard::downstream {
namespace {

class StdioLanesTest : public AskingTest {
 protected:
  // A call that has asked its client something and waits for the answer, on the wire it went to.
  std::string Park(Lane& wire) {
    const auto going = Start(CallOf(kForms));
    wire.unsolicited(*mcp::Message::Parse(Elicitation("9")));
    loop_.Pass(Dialogue::kGather);
    return NextOf(*going);
  }
  Lane& Lane1() { return *lanes_.at(0); }
  Lane& Lane2() { return *lanes_.at(1); }
};

constexpr const char* kYes = R"({"q1":{"action":"accept","content":{}}})";

TEST_F(StdioLanesTest, AParkedCallDoesNotHoldUpTheNext) {
  Processes(8);
  const std::string asked = Park(wire_);
  ASSERT_TRUE(asked.contains("input_required")) << asked;
  const auto next = Start(CallOf(kForms));
  ASSERT_EQ(lanes_.size(), 1U);
  EXPECT_EQ(Lane1().starts, 1);
  EXPECT_EQ(Lane1().Count("tools/call"), 1);
  EXPECT_EQ(wire_.Count("tools/call"), 1);
  FinishOn(Lane1());
  EXPECT_TRUE(NextOf(*next).contains("done"));
  const auto another = Start(CallOf(kForms));
  EXPECT_EQ(lanes_.size(), 1U) << "a free one is used before another is started";
  FinishOn(Lane1());
  EXPECT_TRUE(NextOf(*another).contains("done"));
}

TEST_F(StdioLanesTest, AParkedCallGoesOnInTheProcessThatHasIt) {
  Processes(8);
  const std::string first = Park(wire_);
  const auto second = Start(CallOf(kForms));
  Lane1().unsolicited(*mcp::Message::Parse(Elicitation("\"in lane 1\"")));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*second);
  const auto retry = Start(Retry(StateIn(asked), kYes));
  EXPECT_NE(AnswerOn(Lane1(), "\"in lane 1\""), "");
  EXPECT_EQ(AnswerFor("\"in lane 1\""), "");
  FinishOn(Lane1());
  EXPECT_TRUE(NextOf(*retry).contains("done"));
  const auto other = Start(Retry(StateIn(first), kYes));
  EXPECT_NE(AnswerFor("9"), "");
  Finish();
  EXPECT_TRUE(NextOf(*other).contains("done"));
}

TEST_F(StdioLanesTest, ALaneIsToldOfEverythingAndCallsOfOthersStayInTheFirstProcess) {
  Processes(8);
  Park(wire_);
  const auto next = Start(CallOf(kForms));
  EXPECT_EQ(Lane1().Last("initialize")->message.Get(mcp::Key::kCapabilities),
            Askable::All().ToLegacy());
  const auto plain = Start(CallOf("{}"));
  EXPECT_EQ(wire_.Count("tools/call"), 2);
  EXPECT_EQ(Lane1().Count("tools/call"), 1);
}

TEST_F(StdioLanesTest, BeyondTheLastProcessCallsWaitForWhicheverIsFreeFirst) {
  Processes(2);
  Park(wire_);
  const auto second = Start(CallOf(kForms));
  const auto third = Start(CallOf(kForms, R"({"name":"third"})"));
  auto leaves = Start(CallOf(kForms, R"({"name":"leaves"})"));
  const auto fourth = Start(CallOf(kForms, R"({"name":"fourth"})"));
  EXPECT_EQ(lanes_.size(), 1U);
  EXPECT_EQ(Lane1().Count("tools/call"), 1);
  leaves.reset();
  loop_.RunReady();
  FinishOn(Lane1());
  EXPECT_TRUE(NextOf(*second).contains("done"));
  loop_.RunReady();
  EXPECT_TRUE(Lane1().Last("tools/call")->text().contains("third"));
  FinishOn(Lane1());
  EXPECT_TRUE(NextOf(*third).contains("done"));
  loop_.RunReady();
  EXPECT_TRUE(Lane1().Last("tools/call")->text().contains("fourth"));
  EXPECT_EQ(wire_.Count("tools/call"), 1);
}

TEST_F(StdioLanesTest, WhoWaitsInVainIsToldWhatAllowsMore) {
  Processes(2);
  Park(wire_);
  const auto second = Start(CallOf(kForms));
  const auto waits = [this] {
    Call& call = CallOf(kForms);
    call.deadline = loop_.In(std::chrono::seconds(5));
    return Start(call);
  };
  const auto third = waits();
  const auto fourth = waits();
  loop_.Pass(std::chrono::seconds(5));
  for (const auto& one : {&third, &fourth}) {
    ASSERT_TRUE((*one)->there);
    ASSERT_FALSE((*one)->reply);
    EXPECT_EQ((*one)->reply.error().code, Code::kRateLimited);
    EXPECT_EQ((*one)->reply.error().message,
              "server x: all 2 processes of it are busy with calls that may ask their client "
              "something (servers.x.lanes allows more), no turn in time");
  }
}

TEST_F(StdioLanesTest, TheQueueIsBounded) {
  Processes(1);
  const auto first = Start(CallOf(kForms));
  std::vector<std::unique_ptr<Going>> waiting;
  for (std::size_t i = 0; i < Turnstile::kMaxWaiting + 2; ++i) {
    waiting.push_back(Start(CallOf(kForms)));
  }
  EXPECT_FALSE(waiting[Turnstile::kMaxWaiting]->there);
  ASSERT_TRUE(waiting.back()->there);
  ASSERT_FALSE(waiting.back()->reply);
  EXPECT_TRUE(waiting.back()->reply.error().message.contains("servers.x.lanes"));
  EXPECT_TRUE(lanes_.empty());
}

TEST_F(StdioLanesTest, IdleProcessesEndAndThoseWithAParkedCallStay) {
  Processes(3);
  Park(wire_);
  const auto second = Start(CallOf(kForms));
  const auto third = Start(CallOf(kForms));
  Lane1().unsolicited(*mcp::Message::Parse(Elicitation("9")));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*second);
  FinishOn(Lane2());
  EXPECT_TRUE(NextOf(*third).contains("done"));
  loop_.Pass(Lanes::kIdle);
  loop_.Pass(Lanes::kSweep);
  EXPECT_EQ(Lane1().closes, 0) << "a call is parked there";
  EXPECT_EQ(Lane2().closes, 1);
  EXPECT_EQ(wire_.closes, 0);
  const auto retry = Start(Retry(StateIn(asked), kYes));
  EXPECT_NE(AnswerOn(Lane1(), "9"), "");
}

TEST_F(StdioLanesTest, AProcessThatEndedIsStartedAgainForTheNextCall) {
  Processes(2);
  Park(wire_);
  const auto second = Start(CallOf(kForms));
  Lane1().GoDown("exited with status 1");
  EXPECT_TRUE(NextOf(*second).contains("exited with status 1"));
  const auto third = Start(CallOf(kForms));
  EXPECT_EQ(lanes_.size(), 1U);
  EXPECT_EQ(Lane1().starts, 2);
  FinishOn(Lane1());
  EXPECT_TRUE(NextOf(*third).contains("done"));
}

TEST_F(StdioLanesTest, AProgramThatCannotRunTwiceServesCallsInTurn) {
  Processes(8);
  wire_.answer = [before = wire_.answer](const Sent& sent) {
    return sent.method() == "initialize" ? Fails(Code::kUnavailable) : before(sent);
  };
  const auto first = Start(CallOf(kForms));
  const auto second = Start(CallOf(kForms));
  EXPECT_EQ(lanes_.size(), 1U);
  EXPECT_FALSE(second->there) << "it waits for its turn in the first process";
  loop_.Pass(std::chrono::milliseconds(1));
  EXPECT_EQ(lanes_.size(), 1U) << "not tried again at once";
  loop_.Pass(std::chrono::seconds(1));
  EXPECT_EQ(lanes_.size(), 2U);
  Finish();
  EXPECT_TRUE(NextOf(*first).contains("done"));
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("tools/call"), 2);
  Finish();
  EXPECT_TRUE(NextOf(*second).contains("done"));
}

TEST_F(StdioLanesTest, AllEndWithTheServerAndWhoWaitsIsTold) {
  Processes(2);
  Park(wire_);
  const auto second = Start(CallOf(kForms));
  const auto third = Start(CallOf(kForms));
  loop_.Run(server_->Close());
  EXPECT_EQ(Lane1().closes, 1);
  EXPECT_EQ(wire_.closes, 1);
  loop_.RunReady();
  ASSERT_TRUE(third->there);
  ASSERT_FALSE(third->reply);
  EXPECT_TRUE(third->reply.error().message.contains("stopped by the gateway"));
  EXPECT_EQ(lanes_.size(), 1U);
}

}  // namespace
}  // namespace switchyard::downstream
