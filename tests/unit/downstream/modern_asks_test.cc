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
  for (int i = 0; i < 2; ++i) {  // the server may allow it twice
    Answer(Retry(StateIn(asked), R"({"k":{"action":"accept"}})"));
    const std::string sent = wire_.Last("tools/call")->text();
    EXPECT_TRUE(sent.contains(R"("requestState":"a \"b\" \u00e9")")) << sent;
    EXPECT_TRUE(sent.contains(R"("inputResponses":{"k":{"action":"accept"}})")) << sent;
  }
}

TEST_F(ModernAsksTest, AStateReachesNoServerButItsOwnForItsOwnCall) {
  ModernServer({{"tools/call", Gives(Wants(kForm, R"("s")"))}});
  const std::string state = StateIn(Answer(CallOf(kForms)));
  const std::size_t sent = wire_.sent.size();
  std::vector<Call*> wrong = {&Retry("s"), &Retry(state + "A"),
                              &Retry(state, "{}", kForms, R"("name":"u")")};
  wrong.push_back(&Retry(state));
  wrong.back()->caller.subject = "somebody else";
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

}  // namespace
}  // namespace switchyard::downstream
