// A legacy client that lost a stream and comes back with Last-Event-ID.
#include <gtest/gtest.h>

#include "unit/edge/legacy_support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT
using std::chrono::minutes;

struct ResumeTest : ::testing::Test, LegacyEdge {
  std::string session = Open();

  static mcp::Message Progress(int value) {
    return Notification("notifications/progress",
                        R"({"progressToken":1,"progress":)" + std::to_string(value) + "}");
  }
  std::shared_ptr<Script> BeginCall(Peer& by, std::string_view id = "7") {
    return Begin(by, Post(Call(id, R"("progressToken":1)"), session));
  }
  std::vector<SeenEvent> Events(Peer& by, std::size_t count) {
    std::vector<SeenEvent> events;
    RunUntil(context, [&] {
      by.Read();
      events = EventsOf(by.received());
      return events.size() >= count;
    });
    return events;
  }
  std::vector<SeenEvent> Rest(Peer& by) {
    const auto answer = by.TakeAnswer();
    return answer ? EventsOf(answer->body) : std::vector<SeenEvent>();
  }
  std::unique_ptr<Peer> ComeBack(const std::string& last) {
    std::unique_ptr<Peer> back = Connect();
    back->Send(Stream(session, last).Text());
    Settle(context);
    return back;
  }
};

TEST_F(ResumeTest, ACallsStreamBeginsWithAnIdOnlyForWhoKnowsSuchEvents) {
  BeginCall(*peer)->Say(Progress(1));
  const auto events = Events(*peer, 2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_NE(events[0].id, "");
  EXPECT_EQ(events[0].data, "");
  EXPECT_TRUE(events[0].retry);
  EXPECT_NE(events[1].id, events[0].id);
  for (const char* version : {"2025-06-18", "2025-03-26"}) {
    const std::unique_ptr<Peer> other = Connect();
    peer = Connect();
    session = Open(version);
    BeginCall(*other)->Say(Progress(1));
    const auto older = Events(*other, 1);
    ASSERT_EQ(older.size(), 1U) << version;
    EXPECT_NE(older[0].data, "");
    EXPECT_NE(older[0].id, "");
    EXPECT_FALSE(older[0].retry);
  }
}

TEST_F(ResumeTest, ACallThatStaysSilentBeginsItsStreamSoThatItsAnswerCannotBeLost) {
  const auto script = BeginCall(*peer);
  Pass(std::chrono::milliseconds(900));
  peer->Read();
  EXPECT_EQ(peer->received(), "");
  Pass(std::chrono::milliseconds(200));
  const auto seen = Events(*peer, 1);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].data, "");
  EXPECT_TRUE(seen[0].retry);
  peer->Close();
  Settle(context);
  script->Say(ResultOf(R"({"content":[]})"));
  Settle(context);
  const auto rest = Rest(*ComeBack(seen[0].id));
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(Parse(rest[0].data), Parse(R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})"));
}

TEST_F(ResumeTest, ASilentCallOfAClientThatTakesNoStreamIsAnsweredWithJson) {
  const auto script = Begin(*peer, Post(Call("7"), session).Set("Accept", "application/json"));
  Pass(std::chrono::seconds(2));
  script->Say(ResultOf(R"({"content":[]})"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(At(answer->Json(), "/id"), 7);
}

TEST_F(ResumeTest, TheCallRunsOnAndItsEventsAreReplayedFromTheLastOneSeen) {
  const auto script = BeginCall(*peer);
  script->Say(Progress(1));
  script->Say(Progress(2));
  const auto seen = Events(*peer, 3);
  ASSERT_EQ(seen.size(), 3U);
  peer->Close();
  Settle(context);
  script->Say(Progress(3));
  script->Say(ResultOf(R"({"content":[]})"));
  Settle(context);
  const auto rest = Rest(*ComeBack(seen[1].id));
  ASSERT_EQ(rest.size(), 3U);
  EXPECT_EQ(At(Parse(rest[0].data), "/params/progress"), 2);
  EXPECT_EQ(rest[0].id, seen[2].id) << "ids stay the same";
  EXPECT_EQ(At(Parse(rest[1].data), "/params/progress"), 3);
  EXPECT_EQ(Parse(rest[2].data), Parse(R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})"));
}

TEST_F(ResumeTest, AStreamThatWentSilentGoesOnAfterItsFirstEvent) {
  const auto script = BeginCall(*peer);
  script->Say(Progress(1));
  const auto seen = Events(*peer, 2);
  peer->Close();
  Settle(context);
  const std::unique_ptr<Peer> back = ComeBack(seen[0].id);
  EXPECT_EQ(Events(*back, 1).size(), 1U);
  script->Say(Progress(2));
  EXPECT_EQ(Events(*back, 2).size(), 2U) << "live from here on";
  script->Say(ResultOf("{}"));
  EXPECT_EQ(Rest(*back).size(), 3U);
}

TEST_F(ResumeTest, OnlyThatStreamIsReplayedAndOnlyToItsSession) {
  const std::unique_ptr<Peer> other = Connect();
  const auto one = BeginCall(*peer, "1");
  const auto two = BeginCall(*other, "2");
  one->Say(Progress(1));
  two->Say(Progress(100));
  const auto seen = Events(*peer, 2);
  Events(*other, 2);
  peer->Close();
  Settle(context);
  one->Say(ResultOf("{}"));
  two->Say(ResultOf("{}"));
  const auto rest = Rest(*ComeBack(seen[1].id));
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(At(Parse(rest[0].data), "/id"), 1);
  peer = Connect();
  session = Open();
  EXPECT_EQ(ComeBack(seen[1].id)->TakeAnswer()->status, 400);
}

TEST_F(ResumeTest, AMessageGoesToOneStreamOnly) {
  const auto script = BeginCall(*peer);
  script->Say(Progress(1));
  const auto seen = Events(*peer, 2);
  const std::unique_ptr<Peer> back =
      ComeBack(seen[1].id);  // the first connection still seems alive
  script->Say(Progress(2));
  EXPECT_EQ(Events(*back, 1).size(), 1U);
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_EQ(EventsOf(peer->received()).size(), 2U);
  const std::unique_ptr<Peer> again = ComeBack(seen[1].id);
  EXPECT_EQ(Events(*again, 1).size(), 1U);
  EXPECT_EQ(Rest(*back).size(), 1U) << "ended in order";
}

TEST_F(ResumeTest, UnknownIdsAreRefusedInWords) {
  for (const char* id : {"nonsense", "0-c00000000000000000000000000000000-1",
                         "9-c00000000000000000000000000000000-1"}) {
    const auto answer = ComeBack(id)->TakeAnswer();
    ASSERT_TRUE(answer) << id;
    EXPECT_EQ(answer->status, 400) << id;
    EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("send the request again"));
  }
}

TEST_F(ResumeTest, ACallThatNobodyComesBackForIsCancelled) {
  const auto script = BeginCall(*peer);
  script->Say(Progress(1));
  const auto seen = Events(*peer, 2);
  peer->Close();
  Settle(context);
  Pass(minutes(6));
  EXPECT_FALSE(script->dropped);
  sessions.Tick();
  Settle(context);
  EXPECT_TRUE(script->dropped);
  EXPECT_TRUE(connections[0]->finished());
  EXPECT_EQ(sessions.events().size(), 0U);
  peer = Connect();
  EXPECT_EQ(ComeBack(seen[1].id)->TakeAnswer()->status, 400);
}

TEST_F(ResumeTest, AQuestionIsAskedAgainWhenTheClientComesBack) {
  session = Open("2025-11-25", R"({"elicitation":{}})");
  const auto script = BeginCall(*peer);
  script->Say(Progress(1));
  const auto seen = Events(*peer, 2);
  peer->Close();
  Settle(context);
  script->Say(ResultOf(
      R"({"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{}}}})"));
  Settle(context);
  const std::unique_ptr<Peer> back = ComeBack(seen[1].id);
  const auto question = Parse(Events(*back, 1)[0].data);
  EXPECT_EQ(TextAt(question, "/method"), "elicitation/create");
  peer = Connect();
  const std::string id = tests::json::serialize(At(question, "/id"));
  EXPECT_EQ(Ask(*peer, Post(ResultFor(id, R"({"action":"accept"})"), session))->status, 202);
  ASSERT_EQ(service->scripts.size(), 2U);
  service->scripts[1]->Say(ResultOf("{}"));
  EXPECT_EQ(Rest(*back).size(), 2U);
}

TEST_F(ResumeTest, TheSessionsOwnStreamIsResumedAndLosesNothing) {
  const auto changed = [] { return Notification("notifications/tools/list_changed", "{}"); };
  const auto script = Begin(*peer, Stream(session));
  script->Say(changed());
  const auto seen = Events(*peer, 1);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_NE(seen[0].id, "");
  peer->Close();
  Settle(context);
  EXPECT_FALSE(script->dropped);
  script->Say(changed());
  const std::unique_ptr<Peer> back = ComeBack(seen[0].id);
  EXPECT_EQ(Events(*back, 1).size(), 1U);
  script->Say(changed());
  EXPECT_EQ(Events(*back, 2).size(), 2U);
  const std::unique_ptr<Peer> fresh = Connect();
  Begin(*fresh, Stream(session));
  EXPECT_TRUE(script->dropped) << "a session has one stream";
  EXPECT_EQ(Rest(*back).size(), 2U);
}

TEST_F(ResumeTest, ASilentSessionStreamKeepsNothing) {
  const auto script = Begin(*peer, Stream(session));
  EXPECT_EQ(sessions.events().size(), 0U);
  peer->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return script->dropped; }));
}

TEST_F(ResumeTest, AnUnknownIdOfASessionsOwnStreamOpensANewOne) {
  const std::unique_ptr<Peer> back = ComeBack("0-s00000000000000000000000000000000-1");
  EXPECT_TRUE(back->WaitFor("text/event-stream"));
  EXPECT_EQ(service->seen.back(), "subscriptions/listen");
}

TEST_F(ResumeTest, APlainAnswerKeepsNothing) {
  const auto script = BeginCall(*peer);
  script->Say(ResultOf("{}"));
  EXPECT_EQ(peer->TakeAnswer()->status, 200);
  EXPECT_EQ(sessions.events().size(), 0U);
}

}  // namespace
}  // namespace switchyard::edge
