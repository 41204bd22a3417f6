// Legacy HTTP servers that ask: a session for each kind of client, questions on the call's own
// stream and on the session's.
#include "unit/downstream/asking_fixture.h"

namespace switchyard::downstream {
namespace {

class LanesTest : public AskingTest {
 protected:
  // The server asks on the stream of the call itself.
  void AskOn(Lane& wire, const std::string& question) {
    wire.open.at(std::string(wire.Last("tools/call")->message.id()))->Put(question);
    loop_.RunReady();
  }
};

constexpr const char* kYes = R"({"q1":{"action":"accept","content":{}}})";

TEST_F(LanesTest, AServerIsToldOnlyWhatTheClientsOfASessionOffer) {
  Http({{"tools/call", Gives(kDone)}});
  const auto plain = Start(CallOf("{}"));
  EXPECT_TRUE(NextOf(*plain).contains("done"));
  EXPECT_TRUE(lanes_.empty()) << "nobody can be asked: no session of its own";
  for (const std::string& capabilities :
       {kForms, kForms, kEverything, std::string(R"({"sampling":{"tools":{},"context":{}}})")}) {
    const auto going = Start(CallOf(capabilities));
    EXPECT_TRUE(NextOf(*going).contains("done"));
  }
  ASSERT_EQ(lanes_.size(), 3U);
  const auto told = [](const Lane& wire) {
    return std::string(wire.Last("initialize")->message.Get(mcp::Key::kCapabilities));
  };
  EXPECT_EQ(told(*lanes_[0]), R"({"elicitation":{"form":{}}})");
  EXPECT_EQ(told(*lanes_[1]), R"({"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}})");
  EXPECT_EQ(told(*lanes_[2]), R"({"sampling":{"tools":{}}})");
  EXPECT_EQ(lanes_[0]->Count("tools/call"), 2) << "the same capabilities share a session";
  EXPECT_EQ(wire_.Count("tools/call"), 1);
}

TEST_F(LanesTest, CallersDoNotShareASession) {
  Http({{"tools/call", Gives(kDone)}});
  for (const char* subject : {"a", "b", "a"}) {
    Call& call = CallOf(kForms);
    call.caller = MakeCaller({.subject = subject});
    const auto going = Start(call);
    EXPECT_TRUE(NextOf(*going).contains("done"));
  }
  EXPECT_EQ(lanes_.size(), 2U);
}

TEST_F(LanesTest, AQuestionOnTheCallsOwnStreamIsItsOwnWhateverElseIsUnderWay) {
  Http();
  const auto one = Start(CallOf(kForms, R"({"name":"one"})"));
  const std::string first(lanes_.at(0)->Last("tools/call")->message.id());
  const auto two = Start(CallOf(kForms, R"({"name":"two"})"));
  const std::string second(lanes_.at(0)->Last("tools/call")->message.id());
  ASSERT_NE(first, second);
  lanes_[0]->open.at(second)->Put(Elicitation("\"for two\""));
  lanes_[0]->open.at(first)->Put(Elicitation("\"for one\""));
  loop_.RunReady();
  loop_.Pass(Dialogue::kGather);
  const std::string asked_one = NextOf(*one);
  const std::string asked_two = NextOf(*two);
  EXPECT_FALSE(Handle(Retry(StateIn(asked_one), kYes, kForms, R"("name":"two")")));
  const auto retry = Start(Retry(StateIn(asked_one), kYes, kForms, R"("name":"one")"));
  EXPECT_NE(AnswerOn(*lanes_[0], "\"for one\""), "");
  EXPECT_EQ(AnswerOn(*lanes_[0], "\"for two\""), "");
  lanes_[0]->open.at(first)->Put(R"({"jsonrpc":"2.0","id":)" + first + R"(,"result":)" + kDone +
                                 "}");
  EXPECT_TRUE(NextOf(*retry).contains("done"));
}

TEST_F(LanesTest, ProgressReachesTheRetryAndNothingIsReadAheadOfASlowClient) {
  Http();
  Call& call = CallOf(kForms);
  call.progress_token = "1";
  const auto going = Start(call);
  Lane& lane = *lanes_.at(0);
  const std::string id(lane.Last("tools/call")->message.id());
  const std::string note =
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" + id +
      R"(,"progress":1}})";
  lane.open.at(id)->Put(note);
  EXPECT_TRUE(NextOf(*going).contains("notifications/progress"));
  AskOn(lane, Elicitation("9"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = Next(going->reply);
  lane.open.at(id)->Put(note);  // nobody is there to see it
  loop_.RunReady();
  Call& again = Retry(StateIn(asked), kYes);
  again.progress_token = "2";
  const auto retry = Start(again);
  for (std::size_t i = 0; i < Dialogue::kMaxNotes * 2; ++i) lane.open.at(id)->Put(note);
  loop_.RunReady();
  EXPECT_GE(lane.open.at(id)->box.size(), Dialogue::kMaxNotes - 1);
  FinishOn(lane);
  std::size_t notes = 0;
  std::string last = NextOf(*retry);
  for (; last.contains("notifications/progress"); last = Next(retry->reply)) ++notes;
  EXPECT_EQ(notes, Dialogue::kMaxNotes * 2);
  EXPECT_TRUE(last.contains("done"));
}

TEST_F(LanesTest, AQuestionOnTheSessionsStreamBelongsToTheOnlyCall) {
  auto stream = std::make_shared<Feed>();
  wire_.open_stream = [stream](HttpFacts*) -> Result<std::shared_ptr<Feed>> { return stream; };
  Http();
  const auto going = Start(CallOf(kForms));
  stream->Put(Elicitation("9"));
  loop_.RunReady();
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*going);
  EXPECT_TRUE(asked.contains("input_required")) << asked;
  const auto retry = Start(Retry(StateIn(asked), kYes));
  EXPECT_NE(AnswerOn(*lanes_.at(0), "9"), "");
  // Two at once: never guessed.
  const auto other = Start(CallOf(kForms, R"({"name":"other"})"));
  stream->Put(Elicitation("10"));
  loop_.RunReady();
  EXPECT_TRUE(AnswerOn(*lanes_[0], "10").contains("-32602"));
}

TEST_F(LanesTest, ASessionThatTheServerForgotIsMadeAnewForTheCall) {
  int sessions = 1;
  Http();
  wire_.answer = [&sessions](const Sent& sent) {
    if (sent.method() == "initialize") {
      Script hello = Gives(kInitialized);
      hello.session_id = "s" + std::to_string(++sessions);
      return hello;
    }
    if (sent.headers.contains("s2")) return Fails(Code::kNotFound, 404);
    return Gives(kDone);
  };
  const auto going = Start(CallOf(kForms));
  EXPECT_TRUE(NextOf(*going).contains("done"));
  EXPECT_EQ(lanes_.at(0)->Count("initialize"), 2);
}

TEST_F(LanesTest, AnAnswerThatCannotBeDeliveredEndsTheCall) {
  Http();
  const auto going = Start(CallOf(kForms));
  AskOn(*lanes_.at(0), Elicitation("9"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*going);
  lanes_[0]->notify_fails = true;
  const auto retry = Start(Retry(StateIn(asked), kYes));
  EXPECT_EQ(NextOf(*retry), "scripted failure");
}

TEST_F(LanesTest, IdleSessionsEndAndBusyOnesStay) {
  Http();
  const auto parked = Start(CallOf(kForms));
  AskOn(*lanes_.at(0), Elicitation("9"));
  loop_.Pass(Dialogue::kGather);
  const std::string asked = NextOf(*parked);
  lanes_[0]->answer = [](const Sent&) { return Hangs(); };
  wire_.answer = [before = wire_.answer](const Sent& sent) {
    return sent.method() == "tools/call" ? Gives(kDone) : before(sent);
  };
  const auto brief = Start(CallOf(kEverything));
  EXPECT_TRUE(NextOf(*brief).contains("done"));
  loop_.Pass(Lanes::kIdle);
  loop_.Pass(Lanes::kSweep);
  EXPECT_EQ(lanes_[0]->sessions_ended, 0) << "a call is parked there";
  EXPECT_EQ(lanes_[1]->sessions_ended, 1);
  const auto retry = Start(Retry(StateIn(asked), kYes));
  EXPECT_NE(AnswerOn(*lanes_[0], "9"), "");
}

class TaskLanesTest : public LanesTest {
 protected:
  void Serves(const std::string& ttl) {
    wire_.http = true;
    Make({}, {.parking = &parking_, .another = [this](const Caller*) { return Another(); }});
    Script hello = Gives(
        R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"requests":{"tools":)"
        R"({"call":{}}}}},"serverInfo":{"name":"old"}})");
    hello.session_id = "s1";
    Answers(
        {{"server/discover", Refuses(-32601)},
         {"initialize", hello},
         {"tasks/get", Gives(R"({"taskId":"t","status":"cancelled"})")},
         {"tools/call", Gives(R"({"task":{"taskId":"t","status":"working","ttl":)" + ttl + "}}")}});
    Connect();
  }
  Call& Of(const std::string& subject, const std::string& method = "tools/call") {
    Call& call = CallOf(kForms, R"({"name":"slow","taskId":"t"})", method);
    auto client = std::make_shared<Client>(*call.client);
    client->tasks = Tasks::kAccepted;
    call.client = std::move(client);
    call.caller = MakeCaller({.subject = subject});
    call.target.definition = &tool_;
    call.target.name = method == "tools/call" ? "slow" : "t";
    return call;
  }
  void CallTool(const std::string& subject = "a") {
    const auto going = Start(Of(subject));
    EXPECT_TRUE(NextOf(*going).contains(R"("resultType":"task")"));
  }
  void Pass(Duration time) {
    for (Duration passed{}; passed < time; passed += Lanes::kSweep) loop_.Pass(Lanes::kSweep);
  }
  Definition tool_{.kind = ItemKind::kTool,
                   .server = "x",
                   .name = "slow",
                   .exposed = "slow",
                   .json = "{}",
                   .annotations = {},
                   .tasks = TaskSupport::kRequired};
};

TEST_F(TaskLanesTest, ASessionIsNotEndedUnderATaskThatNobodyPolls) {
  Serves("1200000");  // twenty minutes
  CallTool();
  Pass(std::chrono::minutes(15));
  EXPECT_EQ(lanes_.at(0)->sessions_ended, 0);
  Pass(std::chrono::minutes(10));
  EXPECT_EQ(lanes_[0]->sessions_ended, 1) << "the server keeps it no longer";
}

TEST_F(TaskLanesTest, ATaskThatIsKnownToHaveEndedHoldsNothing) {
  Serves("null");
  CallTool();
  Pass(std::chrono::minutes(15));
  EXPECT_EQ(lanes_.at(0)->sessions_ended, 0);
  const auto going = Start(Of("a", "tasks/get"));
  EXPECT_TRUE(NextOf(*going).contains("cancelled"));
  Pass(std::chrono::minutes(7));
  EXPECT_EQ(lanes_[0]->sessions_ended, 1);
}

TEST_F(TaskLanesTest, TasksDoNotKeepOthersOut) {
  Serves("null");
  for (std::size_t i = 0; i < Lanes::kMax; ++i) {
    CallTool(std::to_string(i));
    loop_.Pass(std::chrono::seconds(1));
  }
  const auto done = Start(Of("7", "tasks/get"));
  EXPECT_TRUE(NextOf(*done).contains("cancelled"));
  CallTool("one more");
  CallTool("and another");
  EXPECT_EQ(lanes_[7]->sessions_ended, 1) << "it held nothing";
  EXPECT_EQ(lanes_[0]->sessions_ended, 1) << "of those that hold a task the one unused for longest";
  EXPECT_EQ(lanes_[1]->sessions_ended, 0);
}

TEST_F(LanesTest, TheNumberOfSessionsIsBounded) {
  Http();
  std::vector<std::unique_ptr<Going>> calls;
  for (std::size_t i = 0; i <= Lanes::kMax; ++i) {
    Call& call = CallOf(kForms);
    call.caller = MakeCaller({.subject = std::to_string(i)});
    calls.push_back(Start(call));
  }
  EXPECT_EQ(lanes_.size(), Lanes::kMax);
  ASSERT_TRUE(calls.back()->there);
  ASSERT_FALSE(calls.back()->reply);
  EXPECT_EQ(calls.back()->reply.error().code, Code::kRateLimited);
  calls.front().reset();  // its session is idle now
  loop_.RunReady();
  Call& call = CallOf(kForms);
  call.caller = MakeCaller({.subject = "one more"});
  const auto more = Start(call);
  EXPECT_EQ(lanes_.size(), Lanes::kMax + 1);
  EXPECT_EQ(lanes_.front()->sessions_ended, 1);
}

TEST_F(LanesTest, SixtyFourParkedCallsOfACallerAreTheMost) {
  Http();
  std::vector<std::string> states;
  for (int i = 0; i < 65; ++i) {
    const auto going = Start(CallOf(kForms));
    AskOn(*lanes_.at(0), Elicitation(std::to_string(i)));
    loop_.Pass(Dialogue::kGather);
    const std::string asked = NextOf(*going);
    if (i < 64) {
      states.push_back(StateIn(asked));
    } else {
      EXPECT_TRUE(asked.contains("64 of this caller")) << asked;
    }
  }
  EXPECT_EQ(parking_.count(), 64U);
  const auto retry = Start(Retry(states.front(), kYes));
  EXPECT_NE(AnswerOn(*lanes_.at(0), "0"), "");
  EXPECT_EQ(parking_.count(), 63U);
  loop_.Pass(parking_.expiry());
  EXPECT_EQ(parking_.count(), 0U);
}

TEST_F(LanesTest, TheSessionOfEverybodyIsNeverAskedAnything) {
  Http();
  const auto going = Start(CallOf("{}"));
  AskOn(wire_, Elicitation("9"));
  Finish();
  EXPECT_TRUE(NextOf(*going).contains("done"));
  EXPECT_TRUE(AnswerFor("9").contains("-32601")) << AnswerFor("9");
}

}  // namespace
}  // namespace switchyard::downstream
