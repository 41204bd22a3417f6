// A legacy client is asked what a server wants to know, on the stream of its own call.
#include "edge/asks.h"

#include <gtest/gtest.h>

#include "unit/edge/legacy_support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kAll =
    R"({"roots":{},"sampling":{},"elicitation":{"form":{},"url":{}}})";

struct AsksTest : ::testing::Test, LegacyEdge {
  std::unique_ptr<Peer> other = Connect();
  std::string session = Open("2025-11-25", kAll);

  static mcp::Message Wants(std::string_view requests, std::string_view state = R"("s-1")") {
    std::string members;
    if (!requests.empty()) members.append(R"(,"inputRequests":)").append(requests);
    if (!state.empty()) members.append(R"(,"requestState":)").append(state);
    return ResultOf(R"({"resultType":"input_required")" + members + "}");
  }
  static mcp::Message Elicits(std::string_view key = "k") {
    return Wants(R"({")" + std::string(key) +
                 R"(":{"method":"elicitation/create","params":{"mode":"form","message":"m"}}})");
  }
  static mcp::Message ElicitsByUrl() {
    return Wants(
        R"({"k":{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"u:1"}}})");
  }

  // The messages on the call's stream so far that are requests or notifications.
  std::vector<tests::json::value> Seen() {
    Settle(context);
    peer->Read();
    std::vector<tests::json::value> seen;
    for (const SeenEvent& event : EventsOf(peer->received())) {
      if (!event.data.empty()) seen.push_back(Parse(event.data));
    }
    return seen;
  }
  tests::json::value NextQuestion(std::size_t index = 0) {
    EXPECT_TRUE(RunUntil(context, [&] { return Seen().size() > index; }));
    return Seen().size() > index ? Seen()[index] : tests::json::value();
  }
  static std::string IdOf(const tests::json::value& request) {
    return tests::json::serialize(At(request, "/id"));
  }
  int Reply(const std::string& id, std::string_view result) {
    return Ask(*other, Post(ResultFor(id, result), session))->status;
  }
  std::shared_ptr<Script> Retry(std::size_t count) {
    EXPECT_TRUE(RunUntil(context, [&] { return service->scripts.size() == count; }));
    return service->scripts.back();
  }
  tests::json::value Last() {
    const auto answer = peer->TakeAnswer();
    if (!answer) return {};
    if (!answer->chunked) return answer->Json();
    return Parse(EventsOf(answer->body).back().data);
  }
};

TEST_F(AsksTest, AQuestionGoesOnTheCallsStreamAndItsAnswerMakesTheRetry) {
  Begin(*peer, Post(Call("7", R"("progressToken":1)"), session))->Say(Elicits());
  const auto question = NextQuestion();
  EXPECT_EQ(TextAt(question, "/method"), "elicitation/create");
  EXPECT_EQ(TextAt(question, "/params/message"), "m");
  EXPECT_EQ(service->scripts.size(), 1U) << "nothing is asked of the server meanwhile";
  EXPECT_TRUE(service->scripts[0]->dropped) << "nor held";
  EXPECT_EQ(Reply(IdOf(question), R"({"action":"accept","content":{"s":"eng"}})"), 202);
  const auto retry = Retry(2);
  EXPECT_EQ(Parse(service->last_call->message),
            Parse(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow",)"
                  R"("arguments":{"a":1},"_meta":{"progressToken":1},"requestState":"s-1",)"
                  R"("inputResponses":{"k":{"action":"accept","content":{"s":"eng"}}}}})"));
  retry->Say(ResultOf(R"({"resultType":"complete","content":[]})"));
  EXPECT_EQ(Last(), Parse(R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})"));
}

TEST_F(AsksTest, ALaterRoundCarriesItsOwnStateAndAnswersOnly) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits("first"));
  Reply(IdOf(NextQuestion(0)), R"({"action":"decline"})");
  Retry(2)->Say(Wants(R"({"second":{"method":"roots/list"}})", ""));
  const auto question = NextQuestion(1);
  EXPECT_EQ(TextAt(question, "/method"), "roots/list");
  EXPECT_NE(IdOf(question), IdOf(NextQuestion(0))) << "ids are unique for the session";
  Reply(IdOf(question), R"({"roots":[]})");
  Retry(3);
  const auto params = At(Parse(service->last_call->message), "/params");
  EXPECT_EQ(At(params, "/inputResponses"), Parse(R"({"second":{"roots":[]}})"));
  EXPECT_TRUE(At(params, "/requestState").is_null());
}

TEST_F(AsksTest, SeveralQuestionsAreAskedAtOnceAndAllAnswersAwaited) {
  Begin(*peer, Post(Call("7"), session))
      ->Say(Wants(R"({"a":{"method":"roots/list"},)"
                  R"("b":{"method":"sampling/createMessage","params":{"messages":[]}}})"));
  const auto second = NextQuestion(1);
  Reply(IdOf(second), R"({"role":"assistant"})");
  EXPECT_EQ(service->scripts.size(), 1U);
  Reply(IdOf(NextQuestion(0)), R"({"roots":[]})");
  Retry(2);
  EXPECT_EQ(At(Parse(service->last_call->message), "/params/inputResponses"),
            Parse(R"({"a":{"roots":[]},"b":{"role":"assistant"}})"));
}

TEST_F(AsksTest, OnlyTheSessionThatWasAskedCanAnswer) {
  const std::string stranger = Open("2025-11-25", kAll);
  Begin(*peer, Post(Call("7"), session))->Say(Elicits());
  const std::string id = IdOf(NextQuestion());
  EXPECT_EQ(Ask(*other, Post(ResultFor(id, R"({"action":"accept"})"), stranger))->status, 202);
  EXPECT_EQ(Reply(R"("sy-0-999")", R"({"action":"accept"})"), 202);
  EXPECT_EQ(service->scripts.size(), 1U);
  Reply(id, R"({"action":"cancel"})");
  EXPECT_EQ(Reply(id, R"({"action":"accept"})"), 202) << "a second answer is of no effect";
  Retry(2);
  EXPECT_TRUE(service->last_call->message.contains("cancel"));
}

TEST_F(AsksTest, ACancelledCallTakesItsQuestionBack) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits());
  const auto question = NextQuestion();
  EXPECT_EQ(Ask(*other, Post(Cancelled("7"), session))->status, 202);
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  const auto last = Parse(EventsOf(answer->body).back().data);
  EXPECT_EQ(TextAt(last, "/method"), "notifications/cancelled");
  EXPECT_EQ(At(last, "/params/requestId"), At(question, "/id"));
  Reply(IdOf(question), R"({"action":"accept"})");
  EXPECT_EQ(service->scripts.size(), 2U) << "and whoever asked is told that nobody will answer";
  EXPECT_TRUE(service->last_call->forsaken);
}

TEST_F(AsksTest, AQuestionThatNobodyAnswersIsTakenBackAndTheToolFails) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits());
  NextQuestion();
  Pass(minutes(11));
  EXPECT_EQ(TextAt(NextQuestion(1), "/method"), "notifications/cancelled");
  const auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true);
  EXPECT_TRUE(TextAt(last, "/result/content/0/text").contains("no answer in time"));
}

TEST_F(AsksTest, WhatWaitsForARetryThatIsRefusedIsGivenUp) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits());
  Reply(IdOf(NextQuestion()), R"({"action":7})");
  Retry(2)->Fail({.code = Code::kInvalid, .message = "no such answer", .rpc_code = -32602});
  EXPECT_EQ(At(Last(), "/error/code"), -32602);
  Retry(3);
  EXPECT_TRUE(service->last_call->forsaken);
  EXPECT_TRUE(service->last_call->message.contains(R"("requestState":"s-1")"));
  EXPECT_FALSE(service->last_call->message.contains("inputResponses"));
}

TEST_F(AsksTest, NothingWaitsForACallThatEndsWell) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits());
  Reply(IdOf(NextQuestion()), R"({"action":"accept"})");
  Retry(2)->Say(ResultOf(R"({"content":[]})"));
  EXPECT_TRUE(At(Last(), "/result/content").is_array());
  Settle(context);
  EXPECT_EQ(service->scripts.size(), 2U);
}

TEST_F(AsksTest, AnAnswerInTheLastMomentDoesNotTakeTheTimeOfTheNextQuestion) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits("first"));
  const std::string id = IdOf(NextQuestion());
  sessions.Deliver(session, mcp::Message::FromResult(id, std::string(R"({"action":"decline"})")));
  clock.Advance(minutes(11));  // before whoever waits for the answer runs
  timers.FireDue();
  Retry(2)->Say(Elicits("second"));
  Reply(IdOf(NextQuestion(1)), R"({"action":"accept"})");
  Retry(3)->Say(ResultOf(R"({"content":[]})"));
  const auto last = Last();
  EXPECT_TRUE(At(last, "/result/content").is_array()) << last;
  EXPECT_TRUE(At(last, "/result/isError").is_null()) << last;
}

TEST_F(AsksTest, AnErrorOfTheClientFailsTheToolOrIsTheAnswer) {
  const auto sampling = [] {
    return Wants(R"({"k":{"method":"sampling/createMessage","params":{}}})");
  };
  const std::string no = R"(,"error":{"code":-1,"message":"user said no"}})";
  Begin(*peer, Post(Call("7"), session))->Say(sampling());
  Ask(*other, Post(R"({"jsonrpc":"2.0","id":)" + IdOf(NextQuestion()) + no, session));
  auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true);
  EXPECT_TRUE(TextAt(last, "/result/content/0/text").contains("user said no"));
  Begin(*peer, Post(Plain("prompts/get", R"({"name":"p"})"), session))->Say(sampling());
  Ask(*other, Post(R"({"jsonrpc":"2.0","id":)" + IdOf(NextQuestion()) + no, session));
  last = Last();
  EXPECT_EQ(At(last, "/error/code"), -1);
  Begin(*peer, Post(Call("8"), session))->Say(Elicits());
  Ask(*other, Post(R"({"jsonrpc":"2.0","id":)" + IdOf(NextQuestion()) + no, session));
  Retry(6)->Say(ResultOf("{}"));
  EXPECT_TRUE(service->last_call->message.contains(R"("action":"cancel")"));
}

TEST_F(AsksTest, WhatAClientDidNotDeclareIsNotAskedAndEndsTheLoop) {
  const std::string plain = Open("2025-11-25", R"({"elicitation":{}})");
  Begin(*peer, Post(Call("7"), plain))->Say(ElicitsByUrl());
  auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true);
  EXPECT_TRUE(TextAt(last, "/result/content/0/text").contains(R"("elicitation":{"url":{}})"));
  Begin(*peer, Post(Plain("resources/read", R"({"uri":"a:b"})"), plain))->Say(ElicitsByUrl());
  EXPECT_EQ(At(Last(), "/error/code"), -32603);
}

TEST_F(AsksTest, AQuestionThatMakesNoReadableRequestEndsTheCall) {
  Begin(*peer, Post(Call("7"), session))
      ->Say(
          ResultOf(R"({"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"},)"
                   R"("b":{"method":"roots/list","params":{"_meta":7}}}})"));
  const auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true) << last;
  EXPECT_TRUE(TextAt(last, "/result/content/0/text").contains("cannot be read")) << last;
}

TEST_F(AsksTest, AClientThatTakesNoStreamIsNotAsked) {
  Begin(*peer, Post(Call("7"), session).Set("Accept", "application/json"))->Say(Elicits());
  const auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true);
  EXPECT_TRUE(TextAt(last, "/result/content/0/text").contains("event stream"));
}

TEST_F(AsksTest, AServerThatLacksACapabilityOfTheClientFailsTheToolInWords) {
  const auto lacks = [] {
    return mcp::Message::MakeError("99", -32021, "no",
                                   R"({"requiredCapabilities":{"sampling":{}}})");
  };
  Begin(*peer, Post(Call("7"), session))->Say(lacks());
  auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true);
  EXPECT_TRUE(TextAt(last, "/result/content/0/text").contains("sampling"));
  Begin(*peer, Post(Plain("prompts/get", R"({"name":"p"})"), session))->Say(lacks());
  last = Last();
  EXPECT_EQ(At(last, "/error/code"), -32603);
  EXPECT_TRUE(At(last, "/error/data/requiredCapabilities/sampling").is_object());
}

TEST_F(AsksTest, WithoutAQuestionTheCallIsRepeatedAfterAGrowingPauseForSomeTimes) {
  Begin(*peer, Post(Call("7"), session))->Say(Wants("", R"("busy")"));
  for (std::size_t round = 2; round <= Asks::kMaxRounds + 1U; ++round) {
    Settle(context);
    EXPECT_EQ(service->scripts.size(), round - 1) << "not at once";
    Pass(seconds(6));
    const auto retry = Retry(round);
    EXPECT_TRUE(service->last_call->message.contains(R"("requestState":"busy")"));
    retry->Say(Wants("", R"("busy")"));
  }
  const auto last = Last();
  EXPECT_EQ(At(last, "/result/isError"), true);
}

TEST_F(AsksTest, AServerThatNeverStopsAskingIsGivenUp) {
  Begin(*peer, Post(Call("7"), session))->Say(Elicits());
  for (std::size_t round = 1; round <= Asks::kMaxRounds; ++round) {
    Reply(IdOf(NextQuestion(round - 1)), R"({"action":"decline"})");
    Retry(round + 1)->Say(Elicits());
  }
  EXPECT_EQ(At(Last(), "/result/isError"), true);
}

TEST_F(AsksTest, AnElicitationByUrlIsAskedOnceAndCompletedAtTheEnd) {
  Begin(*peer, Post(Call("7"), session))->Say(ElicitsByUrl());
  const auto question = NextQuestion();
  const std::string id = TextAt(question, "/params/elicitationId");
  EXPECT_GE(id.size(), 32U);
  Reply(IdOf(question), R"({"action":"accept"})");
  for (std::size_t round = 2; round < 20; ++round) {  // more than a server without an excuse gets
    Retry(round)->Say(ElicitsByUrl());
    Settle(context);
    Pass(seconds(6));
  }
  EXPECT_EQ(Seen().size(), 1U) << "the client is not asked again";
  EXPECT_TRUE(service->last_call->message.contains(R"("k":{"action":"accept"})"));
  Retry(20)->Say(ResultOf(R"({"content":[]})"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  const auto events = EventsOf(answer->body);
  const auto complete = Parse(events[events.size() - 2].data);
  EXPECT_EQ(TextAt(complete, "/method"), "notifications/elicitation/complete");
  EXPECT_EQ(TextAt(complete, "/params/elicitationId"), id);
}

TEST_F(AsksTest, AnElicitationByUrlThatNeverCompletesIsGivenUp) {
  Begin(*peer, Post(Call("7"), session))->Say(ElicitsByUrl());
  Reply(IdOf(NextQuestion()), R"({"action":"accept"})");
  Retry(2)->Say(ElicitsByUrl());
  Settle(context);
  Pass(minutes(11));
  Retry(3)->Say(ElicitsByUrl());
  EXPECT_EQ(At(Last(), "/result/isError"), true);
}

TEST_F(AsksTest, ProgressKeepsRisingOverTheRounds) {
  const auto progress = [](int value) {
    return Notification("notifications/progress",
                        R"({"progressToken":1,"progress":)" + std::to_string(value) + "}");
  };
  const auto first = Begin(*peer, Post(Call("7", R"("progressToken":1)"), session));
  first->Say(progress(1));
  first->Say(progress(2));
  first->Say(Elicits());
  Reply(IdOf(NextQuestion(2)), R"({"action":"accept"})");
  const auto second = Retry(2);
  for (const int value : {1, 2, 3, 4}) second->Say(progress(value));
  second->Say(ResultOf("{}"));
  const auto answer = peer->TakeAnswer();
  std::vector<std::int64_t> values;
  for (const SeenEvent& event : EventsOf(answer->body)) {
    const auto value = At(Parse(event.data), "/params/progress");
    if (value.is_int64()) values.push_back(value.as_int64());
  }
  EXPECT_EQ(values, (std::vector<std::int64_t>{1, 2, 3, 4}));
}

TEST_F(AsksTest, AModernClientGetsTheResultAsItIs) {
  Request request = ModernCall("slow", "9");
  Begin(*peer, request)->Say(Elicits());
  const auto answer = peer->TakeAnswer();
  EXPECT_EQ(TextAt(answer->Json(), "/result/resultType"), "input_required");
  EXPECT_EQ(TextAt(answer->Json(), "/result/requestState"), "s-1");
  EXPECT_FALSE(answer->chunked);
}

TEST(Asking, AnAnswerFindsTheQuestionOnWhicheverWorkerAskedIt) {
  ManualClock clock;
  const Sealer sealer{Sealer::RandomKey()};
  std::vector<std::unique_ptr<Sessions>> workers;
  for (unsigned i = 0; i < 2; ++i) {
    workers.push_back(std::make_unique<Sessions>(
        sealer, clock, Sessions::Options{.worker = i}, [&workers, i](const auto& run) {
          for (unsigned other = 0; other < workers.size(); ++other) {
            if (other != i) run(*workers[other]);
          }
        }));
  }
  const auto session = workers[0]->Open(Client{}, "");
  int answered = 0;
  const std::string one = workers[0]->Ask(*session, [&](const mcp::Message& response) {
    EXPECT_EQ(response.result(), "{}");
    ++answered;
  });
  const std::string two = workers[1]->Ask(*session, [&](const mcp::Message&) { ++answered; });
  EXPECT_NE(one, two);
  const std::string& id = session->client->session;
  workers[1]->Deliver(id, mcp::Message::FromResult(one, std::string("{}")));
  EXPECT_EQ(answered, 1);
  workers[1]->Deliver(id, mcp::Message::FromResult(one, std::string("{}")));
  EXPECT_EQ(answered, 1);
  workers[1]->Unask(two);
  workers[0]->Deliver(id, mcp::Message::FromResult(two, std::string("{}")));
  EXPECT_EQ(answered, 1);
}

}  // namespace
}  // namespace switchyard::edge
