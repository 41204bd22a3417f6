// Servers of both eras, over HTTP and as children, that ask a legacy client something in the middle
// of its call: the half of the matrix that server_asks_test.cc leaves (protocol.md 6.5-C, and OO).
#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "flow/matrix.h"
#include "support/legacy_session.h"

namespace switchyard::tests {
namespace {

constexpr const char* kEverything =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{"listChanged":true}})";

std::string Form(const std::string& message) {
  return R"({"method":"elicitation/create","params":{"mode":"form","message":)" + Quote(message) +
         R"(,"requestedSchema":{"type":"object","properties":{}}}})";
}

class LegacyClientsAreAsked : public Matrix {
 protected:
  LegacyClient Asked(const std::string& capabilities = kEverything) const {
    return Declaring(gateway.port(), capabilities);
  }
};

INSTANTIATE_TEST_SUITE_P(EveryServer, LegacyClientsAreAsked,
                         ::testing::Combine(::testing::Values(Era::kLegacy),
                                            ::testing::Values(Kind::kHttp, Kind::kChild),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         NameOf);

TEST_P(LegacyClientsAreAsked, QuestionsOfAllKindsOnTheStreamOfTheirCall) {
  Begin();
  LegacyClient one = Asked();
  const std::vector<std::array<std::string, 3>> kinds = {
      {"elicitation/create", Form("Which?"), R"({"action":"accept","content":{"s":"eng"}})"},
      {"elicitation/create",
       R"({"method":"elicitation/create","params":{"mode":"url","message":"Log in","url":"https://x.y/","elicitationId":"theirs"}})",
       R"({"action":"accept"})"},
      {"sampling/createMessage",
       R"({"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}})",
       R"({"role":"assistant","content":{"type":"text","text":"hi"},"model":"m"})"},
      {"roots/list", R"({"method":"roots/list","params":{}})",
       R"({"roots":[{"uri":"file:///r"}]})"}};
  for (const auto& [method, arguments, answer] : kinds) {
    Exchange call = one.BeginCall("a__ask", arguments);
    const std::string question = call.NextEvent().value_or("");
    EXPECT_EQ(TextAt(Parse(question), "/method"), method) << question;
    if (method == "elicitation/create") {
      EXPECT_TRUE(TextAt(Parse(question), "/params/message").starts_with("[a] ")) << question;
    }
    EXPECT_EQ(one.Post(AnswerTo(question, answer), {}).status, 202);
    std::string last;  // what completes an elicitation by URL may come before the result
    while (std::optional<std::string> event = call.NextEvent()) last = std::move(*event);
    EXPECT_EQ(Parse(TextAt(Parse(last), "/result/content/0/text")), Parse(answer)) << last;
  }
}

TEST_P(LegacyClientsAreAsked, ManyAtOnceAndNeverTheWrongOne) {
  Begin();
  std::vector<std::thread> callers;
  std::array<std::string, 8> heard, got;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    callers.emplace_back([this, i, &heard, &got] {
      const std::string own = "caller " + std::to_string(i);
      LegacyClient one = Asked();
      Exchange call = one.BeginCall("a__ask", Form(own));
      const std::string question = call.NextEvent().value_or("");
      heard[i] = TextAt(Parse(question), "/params/message");
      one.Post(AnswerTo(question, R"({"action":"accept","content":{"own":)" + Quote(own) + "}}"),
               {});
      got[i] = TextAt(Parse(call.Finish().text()), "/content/own");
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i], "[a] caller " + std::to_string(i));
    EXPECT_EQ(got[i], "caller " + std::to_string(i));
  }
}

TEST_P(LegacyClientsAreAsked, NothingThatTheyDidNotDeclare) {
  Begin();
  LegacyClient roots = Asked(R"({"roots":{}})");
  const Answer answer = roots.Call("a__ask", Form("Which?"));
  EXPECT_TRUE(answer.events.empty()) << answer;
  EXPECT_FALSE(answer.Contains("accept")) << answer;
}

TEST_P(LegacyClientsAreAsked, NoMoreOnceTheyCancelled) {
  Begin();
  LegacyClient one = Asked();
  Exchange call = one.BeginCall("a__ask", Form("Which?"));
  const std::string question = call.NextEvent().value_or("");
  one.Cancel(call);
  const std::string withdrawn = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(withdrawn), "/method"), "notifications/cancelled") << withdrawn;
  EXPECT_EQ(At(Parse(withdrawn), "/params/requestId"), At(Parse(question), "/id"));
  EXPECT_EQ(call.NextEvent(), std::nullopt);
  EXPECT_EQ(one.Post(AnswerTo(question, R"({"action":"accept"})"), {}).status, 202);
  EXPECT_EQ(one.Call("a__echo", R"({"text":"after"})").text(), "after");
}

// A legacy server waits within the call for its answer; a modern one has nothing under way.
TEST_P(LegacyClientsAreAsked, AndTheServerIsToldWhenNobodyWillAnswer) {
  gateway.With("sessions", "{input_timeout: 1s}");
  Begin(over_http() ? "" : "lanes: 1");  // a second process would have events of its own
  if (server_era() == Era::kModern) return;
  LegacyClient one = Asked();
  Exchange call = one.BeginCall("a__ask_and_hold", R"({"label":"cancelled"})");
  EXPECT_TRUE(call.NextEvent());
  one.Cancel(call);
  EXPECT_TRUE(Happens("cancelled:cancelled"));
  const Answer late = one.Call("a__ask_and_hold", R"({"label":"late"})");
  EXPECT_EQ(late.at("/result/isError"), true) << late;
  EXPECT_TRUE(Happens("cancelled:late"));
}

}  // namespace
}  // namespace switchyard::tests
