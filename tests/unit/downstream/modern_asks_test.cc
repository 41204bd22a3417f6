// Modern servers that ask the client of a call something.
#include "unit/downstream/asking_fixture.h"

namespace switchyard::downstream {
namespace {

class ModernAsksTest : public AskingTest {
 protected:
  static std::string Wants(const std::string& requests, const std::string& state = "") {
    std::string result = R"({"resultType":"input_required")";
    if (!requests.empty()) result += R"(,"inputRequests":)" + requests;
    if (!state.empty()) result += R"(,"requestState":)" + state;
    return result + "}";
  }
  std::string Answer(Call& call) {
    const auto going = Start(call);
    return NextOf(*going);
  }
};

const std::string kForm =
    R"({"k":{"method":"elicitation/create","params":{"mode":"form","message":"Which?","requestedSchema":{}}}})";

TEST_F(ModernAsksTest, TheServersStateIsSealedAndComesBackAsItWas) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("a \"b\" \u00e9")"))}});
  const std::string asked = Answer(CallOf(kForms));
  EXPECT_TRUE(asked.contains(R"("message":"[x] Which?")")) << asked;
  EXPECT_FALSE(asked.contains("u00e9")) << asked;
  Answer(Retry(StateIn(asked), R"({"k":{"action":"accept"}})"));
  const std::string sent = wire_.Last("tools/call")->text();
  EXPECT_TRUE(sent.contains(R"("requestState":"a \"b\" \u00e9")")) << sent;
  EXPECT_TRUE(sent.contains(R"("inputResponses":{"k":{"action":"accept"}})")) << sent;
}

TEST_F(ModernAsksTest, AStateThatHasHadItsResultIsWorthNothing) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("s")"))}});
  const std::string asked = Answer(CallOf(kForms));
  const std::string again = Answer(Retry(StateIn(asked)));
  EXPECT_TRUE(again.contains("input_required")) << again;
  EXPECT_EQ(Answer(Retry(StateIn(asked))), "no reply: " + BadStateText());
  EXPECT_EQ(wire_.Count("tools/call"), 2);
  EXPECT_TRUE(Answer(Retry(StateIn(again))).contains("input_required"))
      << "the next one has its own, though the server's is the same";
}

TEST_F(ModernAsksTest, AStateServesOneCallAtATime) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("s")"))}});
  const std::string state = StateIn(Answer(CallOf(kForms)));
  Answers({{"tools/call", Hangs()}});
  auto first = Start(Retry(state));
  EXPECT_EQ(Answer(Retry(state)), "no reply: " + BadStateText());
  first = nullptr;  // its client's connection broke
  loop_.RunReady();
  Answers({{"tools/call", Gives(kDone)}});
  EXPECT_TRUE(Answer(Retry(state)).contains("done")) << "who got no answer may ask again";
}

TEST_F(ModernAsksTest, AStateThatCameToNoResultMayComeBack) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("s")"))}});
  const std::string state = StateIn(Answer(CallOf(kForms)));
  Answers({{"tools/call", Refuses(-32602)}});
  EXPECT_TRUE(Answer(Retry(state)).contains("-32602")) << "answers that the server does not take";
  Answers({{"tools/call", Fails(Code::kUnavailable)}});
  EXPECT_TRUE(Answer(Retry(state)).contains("scripted failure"));
  Script progress = Gives(kDone);
  progress.messages.insert(
      progress.messages.begin(),
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$ID,"progress":1}})");
  Answers({{"tools/call", progress}});
  Call& call = Retry(state);
  call.progress_token = "1";
  const auto going = Start(call);
  EXPECT_TRUE(NextOf(*going).contains("progress"));
  EXPECT_TRUE(Next(going->reply).contains("done"));
  going->reply = EmptyReply();
  EXPECT_EQ(Answer(Retry(state)), "no reply: " + BadStateText());
}

TEST(UsedStatesTest, AreRememberedUntilTheyAreTooOldAnywayAndInABoundedNumber) {
  UsedStates states(2);
  const TimePoint now{};
  const TimePoint later = now + std::chrono::hours(1);
  for (const char* ticket : {"a", "b"}) states.Begin(ticket, now, later)->Keep();
  EXPECT_FALSE(states.Begin("a", now, later));
  EXPECT_TRUE(states.Begin("a", later, later));
  states.Begin("c", now, later)->Keep();
  states.Begin("d", now, later)->Keep();
  states.Begin("e", now, later)->Keep();
  EXPECT_TRUE(states.Begin("c", now, later));
  EXPECT_FALSE(states.Begin("d", now, later));
  EXPECT_FALSE(states.Begin("e", now, later));
}

TEST_F(ModernAsksTest, AStateReachesNoServerButItsOwnForItsOwnCall) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("s")"))}});
  const std::string state = StateIn(Answer(CallOf(kForms)));
  const std::size_t sent = wire_.sent.size();
  std::vector<Call*> wrong = {&Retry("s"), &Retry(state + "A"),
                              &Retry(state, "{}", kForms, R"("name":"u")")};
  wrong.push_back(&Retry(state));
  wrong.back()->caller = MakeCaller({.subject = "somebody else"});
  wrong.push_back(&Retry(state));
  wrong.back()->endpoint = "other";
  for (Call* call : wrong) {
    const Result<ReplyPtr> refused = Handle(*call);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, BadStateText());
  }
  loop_.Pass(std::chrono::hours(1));
  EXPECT_FALSE(Handle(Retry(state)));
  EXPECT_EQ(wire_.sent.size(), sent);
}

TEST_F(ModernAsksTest, WhatTheClientDoesNotOfferIsNotAsked) {
  ModernServer({{"tools/call", Gives(Wants(kForm))}});
  const Result<ReplyPtr> refused = Handle(CallOf(R"({"elicitation":{"url":{}}})"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().rpc_code, mcp::kMissingCapability);
  EXPECT_EQ(refused.error().data, R"({"requiredCapabilities":{"elicitation":{"form":{}}}})");
}

TEST_F(ModernAsksTest, WhatIsNoQuestionIsTheServersFault) {
  for (const char* requests :
       {"", "7", R"({"k":7})", R"({"k":{}})", R"({"k":{"method":"tools/call"}})"}) {
    ModernServer({{"tools/call", Gives(Wants(requests))}});
    const std::string answer = Answer(CallOf(kEverything));
    EXPECT_TRUE(answer.starts_with("no reply: server x: tools/call: ")) << answer;
  }
}

TEST_F(ModernAsksTest, ATransparentEndpointChangesNoWordOfTheQuestion) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("s")"))}});
  Call& call = CallOf(kForms);
  call.target.transparent = true;
  const std::string asked = Answer(call);
  EXPECT_TRUE(asked.contains(kForm)) << asked;
  EXPECT_FALSE(Handle(Retry("s"))) << "but its state is sealed all the same";
}

TEST_F(ModernAsksTest, SamplingMayNotReachIntoOtherServersContext) {
  ModernServer(
      {{"tools/call",
        Gives(Wants(
            R"({"k":{"method":"sampling/createMessage","params":{"messages":[],"includeContext":"thisServer"}}})"))}});
  const std::string asked = Answer(CallOf(kEverything));
  EXPECT_TRUE(asked.contains(R"("includeContext":"none")")) << asked;
}

TEST_F(ModernAsksTest, LegacyClientsAreOfferedToo) {
  ModernServer({{"tools/call", Gives(Wants(kForm))}});
  Call& call = CallOf(R"({"elicitation":{"form":{}},"tasks":{},"experimental":{}})");
  auto client = std::make_shared<Client>(*call.client);
  client->version = mcp::Version::k2025_11_25;
  call.client = client;
  Answer(call);
  EXPECT_EQ(wire_.Last("tools/call")->message.Get(mcp::MetaKey::kClientCapabilities),
            R"({"elicitation":{"form":{}}})");
}

class ModernTaskAsksTest : public ModernAsksTest {
 protected:
  void Asks(const std::string& requests) {
    ModernServer({{"tasks/get", Gives(R"({"resultType":"complete","taskId":"t","status":)"
                                      R"("input_required","ttlMs":5,"inputRequests":)" +
                                      requests + "}")}});
  }
  Call& Get(const std::string& capabilities) {
    return CallOf(capabilities, R"({"taskId":"t"})", "tasks/get");
  }
};

TEST_F(ModernTaskAsksTest, AreCheckedAndNamedLikeThoseOfACall) {
  Asks(kForm);
  EXPECT_TRUE(Answer(Get(kForms)).contains(R"("message":"[x] Which?")"));
  const Result<ReplyPtr> refused = Handle(Get(R"({"roots":{}})"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().rpc_code, mcp::kMissingCapability);
  EXPECT_EQ(refused.error().data, R"({"requiredCapabilities":{"elicitation":{"form":{}}}})");
  Call& transparent = Get(kForms);
  transparent.target.transparent = true;
  EXPECT_TRUE(Answer(transparent).contains(kForm));
  Asks(R"({"k":{"method":"tools/call"}})");
  EXPECT_TRUE(Answer(Get(kForms)).starts_with("no reply: server x: tasks/get: "));
}

TEST_F(ModernTaskAsksTest, ALegacyClientThatCannotBeAskedStillSeesHowTheTaskIs) {
  Asks(kForm);
  Call& call = Get("{}");
  auto client = std::make_shared<Client>(*call.client);
  client->version = mcp::kNewestLegacy;
  call.client = client;
  EXPECT_TRUE(Answer(call).contains(R"("status":"input_required")"));
}

TEST_F(ModernTaskAsksTest, WhoWaitsForTheTaskReadsTheNamedQuestion) {
  Asks(kForm);
  Result<ReplyPtr> reply = Handle(Get(kForms));
  ASSERT_TRUE(reply);
  Result<std::optional<mcp::Message>> next = loop_.Run((*reply)->Next());
  ASSERT_TRUE(next && next->has_value());
  EXPECT_TRUE((*next)->Get(mcp::Key::kInputRequests).contains("[x] Which?"))
      << "also without its edits";
}

TEST_F(ModernTaskAsksTest, AreNamedInTheNewsOfATaskAndShownToWhoCanBeAsked) {
  const auto news = [](const std::string& id) {
    return R"({"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":")" + id +
           R"(","status":"input_required","inputRequests":)" + kForm +
           R"(,"_meta":{"io.modelcontextprotocol/subscriptionId":1}}})";
  };
  ModernServer({});
  for (const auto& [capabilities, seen] :
       {std::pair(kForms, "[x] Which?"), std::pair(std::string("{}"), "\"later\"")}) {
    Call& call =
        CallOf(capabilities, R"({"notifications":{"taskIds":["t"]}})", "subscriptions/listen");
    const auto going = Start(call);
    const std::shared_ptr<Feed> stream = wire_.open.at(OpenId());
    stream->Put(news("t"));
    stream->Put(R"({"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"later",)"
                R"("status":"working","_meta":{"io.modelcontextprotocol/subscriptionId":1}}})");
    loop_.RunReady();
    const std::string first = NextOf(*going);
    EXPECT_TRUE(first.contains(seen)) << first;
  }
}

}  // namespace
}  // namespace switchyard::downstream
