// Batches of 2025-03-26 sessions.
#include "edge/batch.h"

#include <gtest/gtest.h>

#include "edge/legacy_subscribe.h"
#include "unit/edge/legacy_support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

TEST(SplitBatch, CutsAnArrayIntoItsElementsWhateverTheyHold) {
  const auto split = SplitBatch(R"( [ {"a":[1,{"b":"],["}]} , 7,"x,y" , {} ] )");
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(*split, (std::vector<std::string>{R"({"a":[1,{"b":"],["}]})", "7", R"("x,y")", "{}"}));
}

TEST(SplitBatch, RefusesWhatIsNoArrayEmptyOrTooLong) {
  for (const char* bad : {"[", "[1,]", "[1] [2]", "[1]]", "{}", "[1 2]", "", "[\"a]"}) {
    const auto split = SplitBatch(bad);
    ASSERT_FALSE(split.has_value()) << bad;
    EXPECT_EQ(split.error().rpc_code, -32700) << bad;
  }
  EXPECT_EQ(SplitBatch("[]").error().rpc_code, -32600);
  std::string many = "[0";
  for (std::size_t i = 1; i < kMaxBatch; ++i) many += ",0";
  EXPECT_EQ(SplitBatch(many + "]")->size(), kMaxBatch);
  EXPECT_EQ(SplitBatch(many + ",0]").error().rpc_code, -32600);
  EXPECT_FALSE(SplitBatch(std::string(3000, '[') + std::string(3000, ']')).has_value());
}

struct BatchTest : ::testing::Test, LegacyEdge {
  std::unique_ptr<Peer> other = Connect();
  std::string session = Open("2025-03-26", R"({"roots":{}})");

  static std::string Array(const std::vector<std::string>& elements) {
    std::string array;
    for (const std::string& element : elements) array += (array.empty() ? "[" : ",") + element;
    return array + "]";
  }
  void Send(const std::vector<std::string>& elements, std::size_t calls) {
    peer->Send(Post(Array(elements), session).Text());
    EXPECT_TRUE(RunUntil(context, [&] { return service->scripts.size() == calls; }));
  }
};

TEST_F(BatchTest, EachElementIsACallOfItsOwnAndTheAnswersAreOneArray) {
  Send({Call("1"), Plain("ping", "{}", "2"), Call("3"),
        R"({"jsonrpc":"2.0","method":"notifications/initialized"})"},
       2);
  service->scripts[1]->Say(ResultOf(R"({"content":[3]})"));
  service->scripts[0]->Say(ResultOf(R"({"content":[1]})"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->Header("content-type"), "application/json");
  EXPECT_EQ(answer->Json(), Parse(R"([{"jsonrpc":"2.0","id":2,"result":{}},)"
                                  R"({"jsonrpc":"2.0","id":3,"result":{"content":[3]}},)"
                                  R"({"jsonrpc":"2.0","id":1,"result":{"content":[1]}}])"));
  EXPECT_TRUE(sessions.Find(session, "")->in_flight.empty());
}

TEST_F(BatchTest, ASubscriptionIsTheSessionsAsIfItHadComeAlone) {
  Send({Plain("resources/subscribe", R"({"uri":"a:b"})", "7")}, 1);
  EXPECT_EQ(service->seen.back(), "subscriptions/listen");
  service->scripts[0]->Say(Notification("notifications/subscriptions/acknowledged",
                                        R"({"notifications":{"resourceSubscriptions":["a:b"]}})"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Json(), Parse(R"([{"jsonrpc":"2.0","id":7,"result":{}}])"));
  const std::shared_ptr<Updates> updates = sessions.Find(session, "")->updates;
  ASSERT_NE(updates, nullptr);
  EXPECT_TRUE(updates->Has("a:b"));
  const auto gone =
      Ask(*peer, Post(Array({Plain("resources/unsubscribe", R"({"uri":"a:b"})", "8")}), session));
  EXPECT_EQ(gone->Json(), Parse(R"([{"jsonrpc":"2.0","id":8,"result":{}}])"));
  EXPECT_FALSE(updates->Has("a:b"));
}

TEST_F(BatchTest, OnlySessionsOf20250326HaveThem) {
  for (const char* version : {"2025-11-25", "2025-06-18"}) {
    const auto answer = Ask(*peer, Post(Array({Plain("ping")}), Open(version)));
    EXPECT_EQ(answer->status, 400);
    EXPECT_EQ(At(answer->Json(), "/error/code"), -32600);
    EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("2025-03-26"));
  }
  EXPECT_EQ(Ask(*peer, Post(Array({Plain("ping")})))->status, 400) << "no session";
  EXPECT_EQ(Ask(*peer, Post(Array({Plain("ping")}), "nonsense"))->status, 404);
  EXPECT_EQ(Ask(*peer, Post("[]", session))->status, 400);
}

TEST_F(BatchTest, NotificationsAndResponsesAloneAreAccepted) {
  const auto answer = Ask(*peer, Post(Array({R"({"jsonrpc":"2.0","method":"notifications/x"})",
                                             R"({"jsonrpc":"2.0","id":9,"result":{}})"}),
                                      session));
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->body, "");
}

TEST_F(BatchTest, ABadElementIsAnsweredAndTheOthersAreServed) {
  const auto answer =
      Ask(*peer, Post(Array({"7", Plain("nonsense", "{}", "4"), Plain("ping", "{}", "5"),
                             Plain("initialize", "{}", "6"), R"({"jsonrpc":"2.0","id":8})"}),
                      session));
  const auto json = answer->Json();
  ASSERT_TRUE(json.is_array());
  ASSERT_EQ(json.as_array().size(), 5U);
  EXPECT_EQ(At(json, "/0/error/code"), -32600);
  EXPECT_EQ(At(json, "/1/error/code"), -32601);
  EXPECT_TRUE(At(json, "/2/result").is_object());
  EXPECT_EQ(At(json, "/3/error/code"), -32600);
  EXPECT_EQ(At(json, "/3/id"), 6);
  EXPECT_EQ(At(json, "/4/id"), 8);
}

TEST_F(BatchTest, BecomesAStreamWhenSomethingElseIsToBeSaid) {
  Send({Call("1"), Call("2", R"("progressToken":1)")}, 2);
  service->scripts[0]->Say(ResultOf("{}"));
  Settle(context);
  service->scripts[1]->Say(
      Notification("notifications/progress", R"({"progressToken":1,"progress":1})"));
  service->scripts[1]->Say(ResultOf("{}"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Header("content-type"), "text/event-stream");
  const auto events = EventsOf(answer->body);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(At(Parse(events[0].data), "/id"), 1);
  EXPECT_EQ(TextAt(Parse(events[1].data), "/method"), "notifications/progress");
  EXPECT_EQ(At(Parse(events[2].data), "/id"), 2);
}

TEST_F(BatchTest, AnElementCanBeCancelledByItself) {
  Send({Call("1"), Call("2")}, 2);
  EXPECT_EQ(Ask(*other, Post(Cancelled("1"), session))->status, 202);
  EXPECT_TRUE(service->scripts[0]->dropped);
  EXPECT_FALSE(service->scripts[1]->dropped);
  service->scripts[1]->Say(ResultOf("{}"));
  EXPECT_EQ(peer->TakeAnswer()->Json().as_array().size(), 1U);
}

TEST_F(BatchTest, AnElementsQuestionIsAskedOnTheStreamAndAnsweredInABatch) {
  Send({Call("1"), Call("2")}, 2);
  service->scripts[0]->Say(
      ResultOf(R"({"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}})"));
  ASSERT_TRUE(peer->WaitFor("roots/list"));
  const auto question = Parse(EventsOf(peer->received())[0].data);
  const std::string id = tests::json::serialize(At(question, "/id"));
  EXPECT_EQ(Ask(*other, Post(Array({ResultFor(id, R"({"roots":[]})")}), session))->status, 202);
  ASSERT_EQ(service->scripts.size(), 3U);
  service->scripts[2]->Say(ResultOf("{}"));
  service->scripts[1]->Say(ResultOf("{}"));
  EXPECT_EQ(EventsOf(peer->TakeAnswer()->body).size(), 3U);
}

TEST_F(BatchTest, ASessionThatEndsTakesItsBatchAlong) {
  Send({Call("1"), Call("2")}, 2);
  Request request = Post("", session);
  request.method = "DELETE";
  EXPECT_EQ(Ask(*other, request)->status, 204);
  EXPECT_TRUE(service->scripts[0]->dropped);
  EXPECT_TRUE(service->scripts[1]->dropped);
  EXPECT_EQ(peer->TakeAnswer()->status, 202);
}

TEST_F(BatchTest, AConnectionThatIsAbortedUnwindsAllItsCalls) {
  Send({Call("1"), Call("2")}, 2);
  connections[0]->Abort();
  Settle(context);
  EXPECT_TRUE(service->scripts[0]->dropped);
  EXPECT_TRUE(service->scripts[1]->dropped);
}

}  // namespace
}  // namespace switchyard::edge
