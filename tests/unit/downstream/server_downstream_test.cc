// Faces, handshake and transport put together, as the core sees them.
#include "downstream/server_downstream.h"

#include <gtest/gtest.h>

#include "mcp/error_map.h"
#include "unit/downstream/fake_transport.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

const std::string kDiscovered =
    R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{}})";
const std::string kInitialized =
    R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{},)"
    R"("resources":{"subscribe":true}},"serverInfo":{"name":"old"}})";

class DownstreamTest : public ::testing::Test {
 protected:
  using Scripts = std::map<std::string, Script>;

  void Answers(Scripts scripts) {
    wire_.answer = [scripts = std::move(scripts)](const Sent& sent) {
      const auto found = scripts.find(sent.method());
      return found == scripts.end() ? Hangs() : found->second;
    };
  }
  void Modern(Scripts scripts = {}) {
    scripts.emplace("server/discover", Gives(kDiscovered));
    Answers(std::move(scripts));
    Connect();
  }
  void Legacy(Scripts scripts = {}, const std::string& session = "") {
    Script hello = Gives(kInitialized);
    hello.session_id = session;
    scripts.emplace("server/discover", Refuses(-32601));
    scripts.emplace("initialize", hello);
    Answers(std::move(scripts));
    Connect();
  }
  void Connect() {
    const Result<ServerFacts> facts = loop_.Run(server_->Connect());
    ASSERT_TRUE(facts) << facts.error().message;
    wire_.sent.clear();
  }
  Call& NewCall(const std::string& method, const std::string& params = "{}") {
    auto call = std::make_unique<Call>();
    call->message = *mcp::Message::Parse(R"({"jsonrpc":"2.0","id":"c1","method":")" + method +
                                         R"(","params":)" + params + "}");
    calls_.push_back(std::move(call));
    return *calls_.back();
  }
  Result<ReplyPtr> Handle(Call& call) { return loop_.Run(server_->Handle(call)); }
  Result<ReplyPtr> Handle(const std::string& method, const std::string& params = "{}") {
    return Handle(NewCall(method, params));
  }
  std::string Next(Result<ReplyPtr>& reply) {
    if (!reply) return "no reply: " + reply.error().message;
    Result<std::optional<mcp::Message>> next = loop_.Run((*reply)->Next());
    if (!next) return next.error().message;
    return *next ? (**next).ToText() : "end";
  }
  std::string AnswerTo(const std::string& method, const std::string& params = "{}") {
    Result<ReplyPtr> reply = Handle(method, params);
    return Next(reply);
  }
  void TearDown() override {
    server_ = nullptr;
    loop_.RunReady();  // farewells in the background still use the wire
  }
  // The id under which the only open request went out.
  std::string OpenId() { return wire_.open.rbegin()->first; }

  Loop loop_;
  FakeTransport::Wire wire_;
  std::vector<std::unique_ptr<Call>> calls_;  // outlive their replies
  std::unique_ptr<ServerDownstream> server_ = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(wire_, loop_.deps()), loop_.deps(), ProbeSettings{});
};

// -- either era

TEST_F(DownstreamTest, RefusesCallsBeforeItIsConnected) {
  const Result<ReplyPtr> reply = Handle("tools/list");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_TRUE(reply.error().retryable);
  EXPECT_EQ(reply.error().message, "server x: not connected yet");
}

TEST_F(DownstreamTest, AnswersWithTheCallersId) {
  Modern({{"tools/call", Gives(R"({"resultType":"complete","content":[]})")}});
  EXPECT_EQ(AnswerTo("tools/call", R"({"name":"t"})"),
            R"({"jsonrpc":"2.0","id":"c1","result":{"resultType":"complete","content":[]}})");
}

TEST_F(DownstreamTest, NeverUsesAnIdTwice) {
  Modern({{"tools/call", Gives("{}")}});
  AnswerTo("tools/call");
  AnswerTo("tools/call");
  EXPECT_NE(wire_.sent[0].message.id(), wire_.sent[1].message.id());
}

TEST(ChannelTest, WorkersNeverAllotTheSameId) {
  Loop first(0, 2), second(1, 2);
  FakeTransport::Wire wire;
  Channel a("x", std::make_unique<FakeTransport>(wire, first.deps()), first.deps());
  Channel b("x", std::make_unique<FakeTransport>(wire, second.deps()), second.deps());
  EXPECT_EQ((std::vector{a.NextId(), b.NextId(), a.NextId(), b.NextId()}),
            (std::vector<std::string>{"1", "2", "3", "4"}));
}

TEST_F(DownstreamTest, GivesNoReplyToClientsNotifications) {
  Modern();
  Call call;
  call.message = mcp::Message::Make("", "notifications/roots/list_changed", "");
  Result<ReplyPtr> reply = Handle(call);
  EXPECT_EQ(Next(reply), "end");
  EXPECT_TRUE(wire_.sent.empty());
}

TEST_F(DownstreamTest, SharesOneHandshakeAmongAllThatAsk) {
  Answers({{"server/discover", Gives(kDiscovered)}});
  int connected = 0;
  for (int i = 0; i < 3; ++i) {
    switchyard::Spawn(loop_.deps().executor(), "connect",
                      [](Downstream& server, int& count) -> Task<void> {
                        const Result<ServerFacts> facts = co_await server.Connect();
                        count += facts ? 1 : 0;
                      }(*server_, connected));
  }
  loop_.RunReady();
  EXPECT_EQ(connected, 3);
  EXPECT_EQ(wire_.Count("server/discover"), 1);
}

TEST_F(DownstreamTest, ClosesATransportThatCannotShakeHands) {
  Answers({{"server/discover", Refuses(-32601)}, {"initialize", Refuses(-32603)}});
  const Result<ServerFacts> facts = loop_.Run(server_->Connect());
  ASSERT_FALSE(facts);
  EXPECT_TRUE(facts.error().message.starts_with("server x: initialize: ")) << facts.error().message;
  EXPECT_EQ(wire_.closes, 1);
  EXPECT_FALSE(wire_.up);
}

TEST_F(DownstreamTest, TellsThatItWentDownAndComesBack) {
  std::vector<std::string> downs;
  server_->OnDown([&](Error error) { downs.push_back(error.message); });
  Modern({{"tools/call", Hangs()}});
  Result<ReplyPtr> reply = Handle("tools/call");
  wire_.GoDown("server x: exited with status 1");
  EXPECT_EQ(Next(reply), "server x: exited with status 1");
  EXPECT_EQ(downs, std::vector<std::string>{"server x: exited with status 1"});
  EXPECT_EQ(Handle("tools/call").error().message, "server x: down");
  Connect();
  EXPECT_EQ(wire_.starts, 2);
  EXPECT_TRUE(Handle("tools/call"));
}

TEST_F(DownstreamTest, IsUnavailableAfterClose) {
  Modern();
  loop_.Run(server_->Close());
  EXPECT_EQ(Handle("tools/call").error().message, "server x: stopped by the gateway");
}

TEST_F(DownstreamTest, LetsRepliesOutliveIt) {
  Modern({{"tools/call", Hangs()}});
  Result<ReplyPtr> reply = Handle("tools/call");
  server_ = nullptr;
  (*reply).reset();
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 1);
}

// -- modern servers

TEST_F(DownstreamTest, AddsToModernResultsWhatEarlyServersLeaveOut) {
  Modern({{"tools/list", Gives(R"({"tools":[]})")}});
  const std::string answer = AnswerTo("tools/list");
  EXPECT_TRUE(answer.contains(R"("resultType":"complete")")) << answer;
  EXPECT_TRUE(answer.contains(R"("ttlMs":0)")) << answer;
}

TEST_F(DownstreamTest, RefusesResultTypesThatWereNotNegotiated) {
  Modern({{"tools/call", Gives(R"({"resultType":"task","taskId":"t"})")},
          {"completion/complete", Gives(R"({"resultType":"input_required"})")},
          {"prompts/get", Gives(R"({"resultType":"input_required","requestState":"s"})")}});
  EXPECT_EQ(AnswerTo("tools/call"), R"(server x: tools/call: unknown resultType "task")");
  EXPECT_EQ(AnswerTo("completion/complete"),
            R"(server x: completion/complete: unknown resultType "input_required")");
  EXPECT_TRUE(AnswerTo("prompts/get").contains(R"("requestState":"s")"));
}

TEST_F(DownstreamTest, PassesProgressAndLogsOnlyToCallsThatWantThem) {
  const auto note = [](const std::string& method, const std::string& params) {
    return R"({"jsonrpc":"2.0","method":"notifications/)" + method + R"(","params":)" + params + "}";
  };
  Script chatty = Gives("{}");
  chatty.messages.insert(chatty.messages.begin(),
                         {note("progress", R"({"progressToken":$ID,"progress":1})"),
                          note("message", R"({"level":"info","data":"i"})"),
                          note("message", R"({"level":"error","data":"e"})"),
                          note("tools/list_changed", "{}")});
  Modern({{"tools/call", chatty}});
  EXPECT_TRUE(AnswerTo("tools/call").contains("result"));

  Call& curious = NewCall("tools/call");
  curious.progress_token = "7";
  curious.log_level = "warning";
  Result<ReplyPtr> reply = Handle(curious);
  EXPECT_TRUE(Next(reply).contains("progressToken"));
  EXPECT_TRUE(Next(reply).contains(R"("data":"e")"));
  EXPECT_TRUE(Next(reply).contains("result"));
  EXPECT_EQ(Next(reply), "end");
}

TEST_F(DownstreamTest, TagsListenTrafficWithTheCallersId) {
  Modern({{"subscriptions/listen",
           {.messages = {
                R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":$ID},"notifications":{}}})",
                R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})",
                R"({"jsonrpc":"2.0","id":$ID,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":$ID}}})"}}}});
  Result<ReplyPtr> reply = Handle("subscriptions/listen", R"({"notifications":{}})");
  const std::string tag = R"("io.modelcontextprotocol/subscriptionId":"c1")";
  const std::string acknowledged = Next(reply), result = Next(reply);
  EXPECT_TRUE(acknowledged.contains(tag)) << acknowledged;
  EXPECT_TRUE(result.contains(tag) && result.contains("result")) << result;
}

TEST_F(DownstreamTest, CancelsAtAModernStdioServerByANotification) {
  Modern({{"tools/call", Hangs()}});
  { Result<ReplyPtr> dropped = Handle("tools/call"); }
  loop_.RunReady();
  const Sent* cancelled = wire_.Last("notifications/cancelled");
  ASSERT_NE(cancelled, nullptr);
  EXPECT_EQ(cancelled->message.Get(mcp::Key::kRequestId), wire_.sent[0].message.id());
}

TEST_F(DownstreamTest, CancelsAtAModernHttpServerByClosing) {
  wire_.http = true;
  Modern({{"tools/call", Hangs()}});
  { Result<ReplyPtr> dropped = Handle("tools/call"); }
  loop_.RunReady();
  EXPECT_TRUE(wire_.open[OpenId()]->dropped);
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 0);
}

TEST_F(DownstreamTest, CancelsNothingThatIsOver) {
  Modern({{"tools/call", Gives("{}")}, {"tools/list", Refuses(-32603)}});
  AnswerTo("tools/call");
  AnswerTo("tools/list");
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 0);
}

TEST_F(DownstreamTest, CancelsWhatRanOutOfTime) {
  Modern({{"tools/call", Hangs()}});
  Call& call = NewCall("tools/call");
  call.deadline = loop_.In(std::chrono::seconds(1));
  {
    Result<ReplyPtr> reply = Handle(call);
    loop_.Pass(std::chrono::seconds(1));
    EXPECT_EQ(Next(reply), "no answer in time");
  }
  loop_.RunReady();
  EXPECT_EQ(wire_.Count("notifications/cancelled"), 1);
}

TEST_F(DownstreamTest, LooksAgainWhenTheEraIsContradicted) {
  wire_.http = true;
  Modern({{"tools/call", Fails(Code::kNotFound, 404)}});
  Script call = Gives(R"({"content":[]})");
  Answers({{"server/discover", Fails(Code::kNotFound, 404)},
           {"initialize", Gives(kInitialized)},
           {"tools/call", call}});
  int calls = 0;
  const auto answer = wire_.answer;
  wire_.answer = [&, answer](const Sent& sent) {
    if (sent.method() == "tools/call" && ++calls == 1) return Fails(Code::kNotFound, 404);
    return answer(sent);
  };
  EXPECT_TRUE(AnswerTo("tools/call").contains(R"("content":[])"));
  EXPECT_EQ(wire_.Count("initialize"), 1);
}

// -- legacy servers

TEST_F(DownstreamTest, GivesALegacyServerAModernFace) {
  Legacy({{"tools/list", Gives(R"({"tools":[{"name":"t","execution":{}}]})")},
          {"resources/read", Refuses(-32002)}});
  const std::string list = AnswerTo("tools/list");
  EXPECT_TRUE(list.contains(R"("resultType":"complete")")) << list;
  EXPECT_TRUE(list.contains(R"([{"name":"t"}])")) << list;
  EXPECT_FALSE(wire_.Last("tools/list")->text().contains("io.modelcontextprotocol"));
  EXPECT_TRUE(AnswerTo("resources/read").contains("-32602"));
}

TEST_F(DownstreamTest, AnswersDiscoverFromTheHandshake) {
  Legacy();
  const std::string answer = AnswerTo("server/discover");
  EXPECT_TRUE(answer.contains(R"("supportedVersions":["2026-07-28"])")) << answer;
  EXPECT_TRUE(answer.contains(R"("io.modelcontextprotocol/serverInfo":{"name":"old"})")) << answer;
  EXPECT_TRUE(wire_.sent.empty());
}

TEST_F(DownstreamTest, SendsNoMethodThatALegacyServerCannotKnow) {
  Legacy();
  const Result<ReplyPtr> reply = Handle("tasks/update", R"({"taskId":"t"})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().rpc_code, mcp::kMethodNotFound);
  EXPECT_TRUE(wire_.sent.empty());
}

TEST_F(DownstreamTest, MakesASessionAnewWhenItIsGoneAndSendsTheCallAgain) {
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
    switchyard::Spawn(loop_.deps().executor(), "call",
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

TEST_F(DownstreamTest, ReadsTheSdkExamplesWayOfForgettingASession) {
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

TEST_F(DownstreamTest, TriesOnlyOnceMore) {
  wire_.http = true;
  Legacy({{"tools/call", Fails(Code::kNotFound, 404)}}, "s1");
  EXPECT_TRUE(AnswerTo("tools/call").contains("scripted failure"));
  EXPECT_EQ(wire_.Count("tools/call"), 2);
}

TEST_F(DownstreamTest, CancelsAtALegacyHttpServerByANotificationInItsSession) {
  wire_.http = true;
  Legacy({{"tools/call", Hangs()}}, "s1");
  { Result<ReplyPtr> dropped = Handle("tools/call"); }
  loop_.RunReady();
  ASSERT_NE(wire_.Last("notifications/cancelled"), nullptr);
  EXPECT_TRUE(wire_.Last("notifications/cancelled")->headers.contains("Mcp-Session-Id: s1\r\n"));
}

TEST_F(DownstreamTest, AnswersWhatAServerAsksAndRefusesTheRest) {
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

TEST_F(DownstreamTest, RaisesTheSessionsLogLevelOnlyWhenItMust) {
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

TEST_F(DownstreamTest, EndsALegacySessionOnClose) {
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

TEST_F(DownstreamTest, AcknowledgesOnlyWhatALegacyServerOffers) {
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

TEST_F(DownstreamTest, TellsListenersOfChangesAndOfPartsOfResources) {
  Legacy({{"resources/subscribe", Gives("{}")}, {"resources/unsubscribe", Gives("{}")}});
  Result<ReplyPtr> reply = Handle("subscriptions/listen", kWanted);
  Next(reply);
  for (const char* text :
       {kToolsChanged, kToolsChanged, R"({"jsonrpc":"2.0","method":"notifications/prompts/list_changed"})",
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

TEST_F(DownstreamTest, UnsubscribesWhenTheLastListenerGoes) {
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

TEST_F(DownstreamTest, RefusesAFilterThatIsNone) {
  Legacy();
  EXPECT_EQ(Handle("subscriptions/listen").error().code, Code::kInvalid);
}

TEST_F(DownstreamTest, ListensOnTheGetStreamOfAnHttpServer) {
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

TEST_F(DownstreamTest, PromisesNothingWhenThereIsNoGetStream) {
  wire_.http = true;
  Legacy({}, "s1");
  Result<ReplyPtr> reply = Handle("subscriptions/listen", kWanted);
  EXPECT_TRUE(Next(reply).contains(R"("notifications":{}})"));
}

// -- other workers

class FixedLinks final : public LinkSource {
 public:
  explicit FixedLinks(LinkPtr link) : link_(std::move(link)) {}
  Task<Result<LinkPtr>> Get(std::uint64_t) override { co_return link_; }
  Task<Result<LinkPtr>> Current() override { co_return link_; }

 private:
  LinkPtr link_;
};

class CountingService final : public Service {
 public:
  Task<Result<ReplyPtr>> Handle(Call& call) override {
    ++calls;
    co_return ReplyWith(mcp::Message::FromResult(call.message.id(), "{}"));
  }
  int calls = 0;
};

TEST_F(DownstreamTest, TakesTheHomesLinkOverAndSendsListensThere) {
  wire_.http = true;
  Answers({{"tools/call", Gives(R"({"content":[]})")}});
  auto link = std::make_shared<Link>();
  link->generation = 1;
  link->facts.version = mcp::kNewestLegacy;
  link->session_id = "s9";
  auto home = std::make_shared<CountingService>();
  server_ = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(wire_, loop_.deps()), loop_.deps(),
      ServerDownstream::Elsewhere{.links = std::make_shared<FixedLinks>(link), .home = home});
  EXPECT_TRUE(AnswerTo("tools/call").contains("content"));
  EXPECT_TRUE(wire_.sent[0].headers.contains("Mcp-Session-Id: s9"));
  EXPECT_EQ(wire_.Methods(), std::vector<std::string>{"tools/call"}) << "no handshake here";
  AnswerTo("subscriptions/listen", kWanted);
  EXPECT_EQ(home->calls, 1);
}

}  // namespace
}  // namespace switchyard::downstream
