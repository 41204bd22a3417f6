// Calls and listens of modern clients at a legacy server.
#include "downstream/legacy_adapter.h"

#include <gtest/gtest.h>

#include "mcp/error_map.h"
#include "unit/downstream/server_fixture.h"

namespace switchyard::downstream {
namespace {

class LegacyAdapterTest : public DownstreamTest {};

TEST_F(LegacyAdapterTest, GivesALegacyServerAModernFace) {
  Legacy({{"tools/list", Gives(R"({"tools":[{"name":"t","execution":{}}]})")},
          {"resources/read", Refuses(-32002)}});
  const std::string list = AnswerTo("tools/list");
  EXPECT_TRUE(list.contains(R"("resultType":"complete")")) << list;
  EXPECT_TRUE(list.contains(R"([{"name":"t"}])")) << list;
  EXPECT_FALSE(wire_.Last("tools/list")->text().contains("io.modelcontextprotocol"));
  EXPECT_TRUE(AnswerTo("resources/read").contains("-32602"));
}

// A client that declared nothing would be asked, and by whom it is told nobody checked.
TEST_F(LegacyAdapterTest, LetsNoResultSayThatItIsOfAnotherType) {
  const auto typed = [this](const std::string& type) {
    wire_.answer = [type](const Sent&) {
      return Gives(R"({"content":[],"inputRequests":{},"resultType":)" + type + "}");
    };
    return AnswerTo("tools/call", R"({"name":"t"})");
  };
  Legacy();
  EXPECT_EQ(typed(R"("input_required")"),
            R"(no reply: server x: tools/call: resultType "input_required" is not of its era)");
  for (const char* type : {R"("task")", R"("input\u005frequired")", "7", "null", R"("")"}) {
    EXPECT_TRUE(typed(type).contains("is not of its era")) << type;
  }
  EXPECT_TRUE(typed(R"("complete")").contains(R"("content":[])"));
}

TEST_F(LegacyAdapterTest, AnswersDiscoverFromTheHandshake) {
  Legacy();
  const std::string answer = AnswerTo("server/discover");
  EXPECT_TRUE(answer.contains(R"("supportedVersions":["2026-07-28"])")) << answer;
  EXPECT_TRUE(answer.contains(R"("io.modelcontextprotocol/serverInfo":{"name":"old"})")) << answer;
  EXPECT_TRUE(wire_.sent.empty());
}

TEST_F(LegacyAdapterTest, SendsNoMethodThatALegacyServerCannotKnow) {
  Legacy();
  const Result<ReplyPtr> reply = Handle("tasks/update", R"({"taskId":"t"})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().rpc_code, mcp::kMethodNotFound);
  EXPECT_TRUE(wire_.sent.empty());
}

TEST_F(LegacyAdapterTest, MakesASessionAnewWhenItIsGoneAndSendsTheCallAgain) {
  wire_.http = true;
  Legacy({{"tools/call", Fails(Code::kNotFound, 404)}}, "s1");
  Script again = Gives(kInitialized);
  again.session_id = "s2";
  wire_.answer = [again](const Sent& sent) {
    if (sent.method() == "initialize") return again;
    if (sent.headers.contains("s1")) return Fails(Code::kNotFound, 404);
    return Gives(R"({"content":[]})");
  };
  // Two at once share the new session.
  std::vector<std::string> answers;
  for (Call* call : {&NewCall("tools/call"), &NewCall("tools/call")}) {
    switchyard::Spawn(
        loop_.deps().executor(), "call",
        [](Downstream& server, Call& own, std::vector<std::string>& out) -> Task<void> {
          Result<ReplyPtr> reply = co_await server.Handle(own);
          if (!reply) co_return out.push_back(reply.error().message);
          Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
          out.push_back((**next).ToText());
        }(*server_, *call, answers));
  }
  loop_.RunReady();
  ASSERT_EQ(answers.size(), 2U);
  for (const std::string& answer : answers) EXPECT_TRUE(answer.contains("content")) << answer;
  EXPECT_EQ(wire_.Count("initialize"), 1);
  EXPECT_EQ(wire_.Count("tools/call"), 4);
}

TEST_F(LegacyAdapterTest, ReadsTheSdkExamplesWayOfForgettingASession) {
  wire_.http = true;
  Legacy({}, "s1");
  Script again = Gives(kInitialized);
  again.session_id = "s2";
  wire_.answer = [again](const Sent& sent) {
    if (sent.method() == "initialize") return again;
    if (sent.headers.contains("s1")) return Refuses(-32000, "null", 400);
    return sent.method() == "tools/call" ? Refuses(-32602, "null", 400) : Gives("{}");
  };
  EXPECT_TRUE(AnswerTo("tools/call").contains("-32602")) << "any other 400 is an answer";
  EXPECT_EQ(wire_.Count("initialize"), 1);
}

TEST_F(LegacyAdapterTest, FindsTheEraAnewWhenTheServerMissesWhatOnlyAModernClientSends) {
  wire_.http = true;
  Legacy({});  // without a session
  bool replaced = true;
  wire_.answer = [&replaced](const Sent& sent) {
    if (sent.method() == "initialize") return Gives(kInitialized);
    if (sent.method() != "tools/call") return Gives("{}");
    return std::exchange(replaced, false) ? Refuses(-32022, "null", 400) : Gives("{}");
  };
  EXPECT_TRUE(AnswerTo("tools/call").contains("result"));
  EXPECT_EQ(wire_.Count("tools/call"), 2);
}

TEST_F(LegacyAdapterTest, NoticesAServerThatSpeaksTheModernEraNow) {
  wire_.http = true;
  Legacy({}, "s1");
  wire_.answer = [](const Sent& sent) {
    if (sent.method() == "server/discover") return Gives(kDiscovered);
    if (sent.method() == "initialize")
      return Refuses(-32022, R"({"supported":["2026-07-28"]})", 400);
    return sent.headers.contains("s1") ? Refuses(-32022, "null", 400) : Gives(R"({"content":[]})");
  };
  EXPECT_TRUE(AnswerTo("tools/call").contains("content"));
}

TEST_F(LegacyAdapterTest, LooksAgainWhenNobodyTakesAPostThereAnyMore) {
  wire_.http = true;
  Legacy({});  // without a session
  for (const int status : {404, 405}) {
    bool moved = true;
    wire_.answer = [&](const Sent& sent) {
      if (sent.method() == "initialize") return Gives(kInitialized);
      if (sent.method() != "tools/call") return Gives("{}");
      return std::exchange(moved, false) ? Fails(Code::kNotFound, status) : Gives("{}");
    };
    EXPECT_TRUE(AnswerTo("tools/call").contains("result")) << status;
  }
  EXPECT_EQ(wire_.Count("initialize"), 2);
  wire_.answer = [](const Sent&) { return Refuses(-32602, "null", 404); };
  EXPECT_TRUE(AnswerTo("tools/call").contains("-32602")) << "an answer, whatever its status";
  EXPECT_EQ(wire_.Count("initialize"), 2);
}

TEST_F(LegacyAdapterTest, AWorkerLearnsThatTheHomeHasGoneBackToAnOlderTransport) {
  wire_.http = true;
  Legacy({});
  struct AtHome final : Service {
    Task<Result<ReplyPtr>> Handle(Call& call) override {
      co_return ReplyWith(mcp::Message::FromResult(call.message.id(), R"({"at":"home"})"));
    }
  };
  FakeTransport::Wire other_wire;
  other_wire.http = true;
  other_wire.answer = [](const Sent&) { return Gives("{}"); };
  auto other = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(other_wire, loop_.deps()), loop_.deps(),
      ServerDownstream::Elsewhere{.links = server_->links(), .home = std::make_shared<AtHome>()});
  Result<ReplyPtr> here = loop_.Run(other->Handle(NewCall("tools/call")));
  EXPECT_FALSE(Next(here).contains("home"));
  wire_.http = false;  // the home's link is a connection now
  ASSERT_TRUE(loop_.Run(server_->links()->Get(1)));
  other_wire.answer = [](const Sent&) { return Fails(Code::kNotFound, 405); };
  Result<ReplyPtr> there = loop_.Run(other->Handle(NewCall("tools/call")));
  EXPECT_TRUE(Next(there).contains(R"({"at":"home"})"));
  here = EmptyReply();
  there = EmptyReply();
  other = nullptr;
  loop_.RunReady();  // what they leave behind uses the wire
}

TEST_F(LegacyAdapterTest, WhatANewSessionDoesNotHelpIsTriedOnceMoreAndThenSaidSo) {
  wire_.http = true;
  Legacy({{"tools/call", Fails(Code::kNotFound, 404)}}, "s1");
  Result<ReplyPtr> reply = Handle("tools/call");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable) << "the call named nothing that is unknown";
  EXPECT_TRUE(reply.error().message.contains("scripted failure; its session was made anew, which"));
  EXPECT_EQ(wire_.Count("initialize"), 1);
  EXPECT_EQ(wire_.Count("tools/call"), 2);
}

TEST_F(LegacyAdapterTest, AWorkerThatIsBehindCatchesUpAndMakesOneSessionAnewAtMost) {
  wire_.http = true;
  Legacy({{"tools/call", Gives("{}")}}, "s1");
  struct Nobody final : Service {
    Task<Result<ReplyPtr>> Handle(Call&) override {
      co_return Failure(Code::kInternal, Origin::kGateway, "not to be asked");
    }
  };
  FakeTransport::Wire other_wire;
  other_wire.http = true;
  other_wire.answer = [](const Sent&) { return Gives("{}"); };
  auto other = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(other_wire, loop_.deps()), loop_.deps(),
      ServerDownstream::Elsewhere{.links = server_->links(), .home = std::make_shared<Nobody>()});
  Result<ReplyPtr> reply = loop_.Run(other->Handle(NewCall("tools/call")));
  ASSERT_TRUE(reply);
  ASSERT_TRUE(loop_.Run(server_->links()->Get(1)));  // made before the next call
  loop_.Pass(std::chrono::seconds(1));
  other_wire.answer = [](const Sent&) { return Fails(Code::kNotFound, 404); };
  wire_.sent.clear();
  reply = loop_.Run(other->Handle(NewCall("tools/call")));
  EXPECT_FALSE(reply);
  EXPECT_EQ(wire_.Count("initialize"), 1);
  EXPECT_EQ(other_wire.Count("tools/call"), 4) << "in the first, the old, the known and a new one";
  other = nullptr;
  loop_.RunReady();  // what they leave behind uses the wire
}

TEST_F(LegacyAdapterTest, CancelsAtALegacyHttpServerByANotificationInItsSession) {
  wire_.http = true;
  Legacy({{"tools/call", Hangs()}}, "s1");
  {
    Result<ReplyPtr> dropped = Handle("tools/call");
  }
  loop_.RunReady();
  ASSERT_NE(wire_.Last("notifications/cancelled"), nullptr);
  EXPECT_TRUE(wire_.Last("notifications/cancelled")->headers.contains("Mcp-Session-Id: s1\r\n"));
}

TEST_F(LegacyAdapterTest, AnswersWhatAServerAsksAndRefusesTheRest) {
  Script asking = Gives("{}");
  asking.messages.insert(asking.messages.begin(),
                         {R"({"jsonrpc":"2.0","id":"q1","method":"ping"})",
                          R"({"jsonrpc":"2.0","id":"q2","method":"elicitation/create"})"});
  Legacy({{"tools/call", asking}});
  EXPECT_TRUE(AnswerTo("tools/call").contains("result"));
  wire_.unsolicited(*mcp::Message::Parse(R"({"jsonrpc":"2.0","id":5,"method":"roots/list"})"));
  loop_.RunReady();
  EXPECT_EQ(wire_.sent[1].text(), R"({"jsonrpc":"2.0","id":"q1","result":{}})");
  EXPECT_EQ(wire_.sent[2].message.error_code(), -32601);
  EXPECT_EQ(wire_.sent[2].message.id(), "\"q2\"");
  EXPECT_EQ(wire_.sent[3].message.error_code(), -32601);
}

TEST_F(LegacyAdapterTest, RaisesTheSessionsLogLevelOnlyWhenItMust) {
  Legacy({{"tools/call", Gives("{}")}, {"logging/setLevel", Gives("{}")}});
  for (const char* level : {"warning", "error", "debug", "debug"}) {
    Call& call = NewCall("tools/call");
    call.log_level = level;
    Result<ReplyPtr> reply = Handle(call);
    Next(reply);
  }
  EXPECT_EQ(wire_.Count("logging/setLevel"), 2);
  EXPECT_EQ(wire_.Last("logging/setLevel")->message.GetString(mcp::Key::kLevel), "debug");
}

TEST_F(LegacyAdapterTest, TriesAgainToRaiseTheLogLevelWhenTheServerWasNotTold) {
  const auto call = [this](const char* level) {
    Call& one = NewCall("tools/call");
    one.log_level = level;
    Result<ReplyPtr> reply = Handle(one);
    Next(reply);
    return wire_.Count("logging/setLevel");
  };
  Legacy({{"tools/call", Gives("{}")}, {"logging/setLevel", Fails(Code::kUnavailable)}});
  EXPECT_EQ(call("info"), 1);
  EXPECT_EQ(call("info"), 2);
  Answers({{"tools/call", Gives("{}")}, {"logging/setLevel", Fails(Code::kDeadline)}});
  EXPECT_EQ(call("info"), 3);
  EXPECT_EQ(call("info"), 3) << "one that does not answer would use up the time of every call";
}

TEST_F(LegacyAdapterTest, EndsALegacySessionOnClose) {
  wire_.http = true;
  Legacy({}, "s1");
  loop_.Run(server_->Close());
  EXPECT_EQ(wire_.sessions_ended, 1);
}

// -- listening to legacy servers

constexpr const char* kWanted =
    R"({"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:/1","a:/2"]}})";
constexpr const char* kToolsChanged =
    R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})";

TEST_F(LegacyAdapterTest, AcknowledgesOnlyWhatALegacyServerOffers) {
  wire_.answer = [](const Sent& sent) {
    if (sent.method() == "server/discover") return Refuses(-32601);
    if (sent.method() == "initialize") return Gives(kInitialized);
    return sent.text().contains("a:/2") ? Refuses(-32002) : Gives("{}");
  };
  Connect();
  Result<ReplyPtr> reply = Handle("subscriptions/listen", kWanted);
  EXPECT_EQ(
      Next(reply),
      R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"c1"},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:/1"]}}})");
}

TEST_F(LegacyAdapterTest, TellsListenersOfChangesAndOfPartsOfResources) {
  Legacy({{"resources/subscribe", Gives("{}")}, {"resources/unsubscribe", Gives("{}")}});
  Result<ReplyPtr> reply = Handle("subscriptions/listen", kWanted);
  Next(reply);
  for (
      const char* text :
      {kToolsChanged, kToolsChanged,
       R"({"jsonrpc":"2.0","method":"notifications/prompts/list_changed"})",
       R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"b:/1"}})",
       R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:/1/part"}})"}) {
    wire_.unsolicited(*mcp::Message::Parse(text));
  }
  EXPECT_TRUE(Next(reply).contains("tools/list_changed"));
  EXPECT_TRUE(Next(reply).contains(R"("uri":"a:/1/part")"));
  // Nothing else was due: the next thing is the end.
  wire_.GoDown("server x: exited with status 1");
  EXPECT_EQ(Next(reply), "server x: exited with status 1");
}

TEST_F(LegacyAdapterTest, UnsubscribesWhenTheLastListenerGoes) {
  Legacy({{"resources/subscribe", Gives("{}")}, {"resources/unsubscribe", Gives("{}")}});
  Result<ReplyPtr> first = Handle("subscriptions/listen", kWanted);
  Result<ReplyPtr> second = Handle("subscriptions/listen", kWanted);
  EXPECT_EQ(wire_.Count("resources/subscribe"), 2);
  (*first).reset();
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("resources/unsubscribe"), 0);
  (*second).reset();
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("resources/unsubscribe"), 2);
}

TEST_F(LegacyAdapterTest, RefusesAFilterThatIsNone) {
  Legacy();
  EXPECT_EQ(Handle("subscriptions/listen").error().code, Code::kInvalid);
}

TEST_F(LegacyAdapterTest, ListensOnTheGetStreamOfAnHttpServer) {
  wire_.http = true;
  auto feed = std::make_shared<Feed>();
  int opened = 0;
  wire_.open_stream = [&](HttpFacts*) -> Result<std::shared_ptr<Feed>> {
    ++opened;
    return feed;
  };
  Legacy({{"resources/subscribe", Gives("{}")}}, "s1");
  Result<ReplyPtr> reply = Handle("subscriptions/listen", kWanted);
  Result<ReplyPtr> other = Handle("subscriptions/listen", kWanted);
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(Next(reply).contains("toolsListChanged"));
  feed->Put(kToolsChanged);
  EXPECT_TRUE(Next(reply).contains("tools/list_changed"));
  // What was missed while the stream was broken is assumed.
  feed->End();
  loop_.RunReady();
  loop_.Pass(std::chrono::seconds(2));
  EXPECT_EQ(opened, 2);
  EXPECT_TRUE(Next(reply).contains("tools/list_changed"));
  EXPECT_TRUE(Next(reply).contains(R"("uri":"a:/1")"));
}

TEST_F(LegacyAdapterTest, PromisesNothingWhenThereIsNoGetStream) {
  wire_.http = true;
  Legacy({}, "s1");
  Result<ReplyPtr> reply = Handle("subscriptions/listen", kWanted);
  EXPECT_TRUE(Next(reply).contains(R"("notifications":{}})"));
}

}  // namespace
}  // namespace switchyard::downstream
