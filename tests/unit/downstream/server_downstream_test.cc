// Faces, handshake and transport put together, as the core sees them: what holds for either era,
// modern servers, and workers that are not the home.
#include "downstream/server_downstream.h"

#include <gtest/gtest.h>

#include "mcp/error_map.h"
#include "unit/downstream/server_fixture.h"

namespace switchyard::downstream {
namespace {

constexpr const char* kListen = R"({"notifications":{"toolsListChanged":true}})";

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
  const Running call = Begin(NewCall("tools/call"));
  wire_.GoDown("server x: exited with status 1");
  loop_.RunReady();
  EXPECT_EQ(*call.answer, "server x: exited with status 1");
  EXPECT_EQ(downs, std::vector<std::string>{"server x: exited with status 1"});
  EXPECT_EQ(Handle("tools/call").error().message, "server x: down");
  Connect();
  EXPECT_EQ(wire_.starts, 2);
  const Running again = Begin(NewCall("tools/call"));
  EXPECT_EQ(*again.answer, "") << "it waits for the server";
  EXPECT_EQ(wire_.Count("tools/call"), 1);
}

TEST_F(DownstreamTest, IsUnavailableAfterClose) {
  Modern();
  loop_.Run(server_->Close());
  EXPECT_EQ(Handle("tools/call").error().message, "server x: stopped by the gateway");
}

TEST_F(DownstreamTest, LetsRepliesOutliveIt) {
  Script begun = Hangs();
  begun.messages = {
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$ID}})"};
  Modern({{"tools/call", begun}});
  Call& call = NewCall("tools/call");
  call.progress_token = "1";
  Result<ReplyPtr> reply = Handle(call);
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
  EXPECT_EQ(AnswerTo("tools/call"), R"(no reply: server x: tools/call: unknown resultType "task")");
  EXPECT_EQ(AnswerTo("completion/complete"),
            R"(no reply: server x: completion/complete: unknown resultType "input_required")");
  EXPECT_TRUE(AnswerTo("prompts/get").contains(R"("requestState":"s")"));
}

TEST_F(DownstreamTest, PassesProgressAndLogsOnlyToCallsThatWantThem) {
  const auto note = [](const std::string& method, const std::string& params) {
    return R"({"jsonrpc":"2.0","method":"notifications/)" + method + R"(","params":)" + params +
           "}";
  };
  Script chatty = Gives("{}");
  chatty.messages.insert(
      chatty.messages.begin(),
      {note("progress", R"({"progressToken":$ID,"progress":1})"),
       note("message", R"({"level":"info","data":"i"})"),
       note("message", R"({"level":"error","data":"e"})"), note("tools/list_changed", "{}")});
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
  Modern(
      {{"subscriptions/listen",
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
  Begin(NewCall("tools/call"));
  loop_.RunReady();
  const Sent* cancelled = wire_.Last("notifications/cancelled");
  ASSERT_NE(cancelled, nullptr);
  EXPECT_EQ(cancelled->message.Get(mcp::Key::kRequestId), wire_.sent[0].message.id());
}

TEST_F(DownstreamTest, CancelsAtAModernHttpServerByClosing) {
  wire_.http = true;
  Modern({{"tools/call", Hangs()}});
  {
    Result<ReplyPtr> dropped = Handle("tools/call");
  }
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
  const Running late = Begin(call);
  loop_.Pass(std::chrono::seconds(1));
  loop_.RunReady();
  EXPECT_EQ(*late.answer, "no answer in time");
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

// -- other workers

class FixedLinks final : public LinkSource {
 public:
  explicit FixedLinks(LinkPtr link) : link_(std::move(link)) {}
  Task<Result<LinkPtr>> Get(std::uint64_t) override { co_return link_; }
  Task<Result<LinkPtr>> Current() override { co_return link_; }
  void ListsAreStale() override { ++stale; }
  int stale = 0;

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

TEST_F(DownstreamTest, TellsTheHomeOfAListThatIsNewerThanTheCatalog) {
  wire_.http = true;
  const std::string tool =
      R"({"name":"t","inputSchema":{"properties":{"q":{"type":"string","x-mcp-header":"New"}}}})";
  wire_.answer = [&tool](const Sent& sent) {
    if (sent.method() == "tools/list") {
      return Gives(R"({"resultType":"complete","tools":[)" + tool + "]}");
    }
    return sent.headers.contains("Mcp-Param-New: x\r\n")
               ? Gives(R"({"resultType":"complete","content":[]})")
               : Refuses(mcp::kHeaderMismatch, "null", 400);
  };
  auto link = std::make_shared<Link>();
  link->generation = 1;
  const auto links = std::make_shared<FixedLinks>(link);
  server_ = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(wire_, loop_.deps()), loop_.deps(),
      ServerDownstream::Elsewhere{.links = links, .home = std::make_shared<CountingService>()});
  Call& call = NewCall("tools/call", R"({"name":"t","arguments":{"q":"x"}})");
  call.target.name = "t";
  Result<ReplyPtr> reply = Handle(call);
  EXPECT_TRUE(Next(reply).contains(R"("content":[])"));
  EXPECT_EQ(links->stale, 1);
}

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
  AnswerTo("subscriptions/listen", kListen);
  EXPECT_EQ(home->calls, 1);
}

}  // namespace
}  // namespace switchyard::downstream
