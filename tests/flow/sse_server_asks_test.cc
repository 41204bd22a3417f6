// Servers of 2024-11-05 over HTTP+SSE that ask their client something in the middle of a call, for
// clients of both eras: configured as such, and found at a URL that takes no POST. Their one stream
// does not say to which call a question belongs (protocol.md 6.5-B).
#include <gtest/gtest.h>

#include "support/fake_sse_server.h"
#include "support/gateway_fixture.h"
#include "support/legacy_session.h"

namespace switchyard::tests {
namespace {

constexpr const char* kForms = R"({"elicitation":{"form":{}}})";
constexpr const char* kAccepts = R"({"action":"accept","content":{"s":"eng"}})";

std::string FormAsking(const std::string& message) {
  return R"({"method":"elicitation/create","params":{"message":)" + Quote(message) +
         R"(,"requestedSchema":{"type":"object","properties":{}}}})";
}

class AnSseServerAsks : public ::testing::TestWithParam<const char*> {
 protected:
  AnSseServerAsks() { gateway.ServesUrl("a", fake.url(), GetParam()).Start(); }

  ModernClient Modern() const {
    ModernClient client = gateway.Modern();
    client.set_capabilities(kForms);
    return client;
  }
  static Ask CallOf(const std::string& message, const std::string& more = "") {
    return {.method = "tools/call",
            .members = R"("name":"a__ask","arguments":)" + FormAsking(message) + more};
  }
  static std::string Key(const Answer& asked) {
    const json::value requests = asked.at("/result/inputRequests");
    if (!requests.is_object() || requests.as_object().empty()) return {};
    return requests.as_object().begin()->key();
  }
  static std::string MessageOf(const Answer& asked) {
    return TextAt(asked.message(), "/result/inputRequests/" + Key(asked) + "/params/message");
  }
  static std::string Back(const Answer& asked, const std::string& answer) {
    return R"(,"inputResponses":{")" + Key(asked) + R"(":)" + answer + R"(},"requestState":)" +
           Quote(TextAt(asked.message(), "/result/requestState"));
  }

  FakeSseServer fake{"a"};  // outlives the gateway
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Either, AnSseServerAsks, ::testing::Values("transport: sse", ""),
                         [](const ::testing::TestParamInfo<const char*>& info) {
                           return std::string(*info.param == 0 ? "Found" : "Configured");
                         });

TEST_P(AnSseServerAsks, AModernClientByAResultAndGetsItsAnswer) {
  ModernClient client = Modern();
  const Answer asked = client.Request(CallOf("Which?"));
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  EXPECT_EQ(MessageOf(asked), "[a] Which?") << asked;
  const Answer done = client.Request(CallOf("Which?", Back(asked, kAccepts)));
  EXPECT_EQ(Parse(done.text()), Parse(kAccepts)) << done;
}

TEST_P(AnSseServerAsks, ALegacyClientOnItsCallsStreamAndGetsItsAnswer) {
  LegacyClient client = Declaring(gateway.port(), R"({"elicitation":{}})");
  Exchange call = client.Begin(CallOf("Which?"));
  const std::string question = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(question), "/method"), "elicitation/create") << question;
  EXPECT_EQ(TextAt(Parse(question), "/params/message"), "[a] Which?");
  EXPECT_EQ(client.Post(AnswerTo(question, kAccepts), {}).status, 202);
  EXPECT_EQ(Parse(call.Finish().text()), Parse(kAccepts));
}

TEST_P(AnSseServerAsks, NothingOfWhomOffersNothing) {
  ModernClient plain = gateway.Modern();
  EXPECT_EQ(plain.Request(CallOf("Which?")).text(), "error -32601");
}

// Calls that ask, and what they were told, in the order in which they came.
class Turns {
 public:
  explicit Turns(const FakeSseServer& fake) {
    for (const FakeSseServer::Received& one : fake.received()) {
      const std::string asks = TextAt(one.message, "/params/arguments/params/message");
      if (one.method() == "tools/call" && !asks.empty()) order.push_back("call " + asks);
      if (!At(one.message, "/result/action").is_null()) {
        order.push_back("answer " + TextAt(one.message, "/result/content/s"));
      }
    }
  }
  std::vector<std::string> order;
};

TEST_P(AnSseServerAsks, TwoClientsInTurnsAndNeverTheWrongOne) {
  ModernClient first = Modern(), second = Modern();
  const Answer asked = first.Request(CallOf("first"));
  EXPECT_EQ(MessageOf(asked), "[a] first") << asked;
  // The first call is parked, its question open. The second waits for its turn on the stream of
  // such clients; a call that cannot be asked waits for nobody.
  Exchange other = second.Begin(CallOf("second"));
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  const Answer done =
      first.Request(CallOf("first", Back(asked, R"({"action":"accept","content":{"s":"first"}})")));
  EXPECT_EQ(TextAt(Parse(done.text()), "/content/s"), "first") << done;
  const Answer its = other.Finish();
  EXPECT_EQ(MessageOf(its), "[a] second") << its;
  const Answer end = second.Request(
      CallOf("second", Back(its, R"({"action":"accept","content":{"s":"second"}})")));
  EXPECT_EQ(TextAt(Parse(end.text()), "/content/s"), "second") << end;
  EXPECT_EQ(Turns(fake).order, (std::vector<std::string>{"call first", "answer first",
                                                         "call second", "answer second"}));
}

}  // namespace
}  // namespace switchyard::tests
