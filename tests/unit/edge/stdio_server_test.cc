// Both eras on one pipe.
#include "edge/stdio_server.h"

#include <csignal>

#include <gtest/gtest.h>

#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

constexpr std::size_t kMaxLine = 200'000;

struct StdioServerTest : ::testing::Test {
  ManualClock clock;
  net::io_context context{1};
  Sealer sealer{Sealer::RandomKey()};
  Sessions sessions{sealer, clock, Sessions::Options{},
                    [](const std::function<void(Sessions&)>&) {}};
  FakeService service;
  std::unique_ptr<Peer> peer;
  std::unique_ptr<StdioServer> server;
  bool over = false;

  StdioServerTest() {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) std::abort();
    peer = std::make_unique<Peer>(context, pair[0]);
    server = std::make_unique<StdioServer>(context.get_executor(), pair[1], ::dup(pair[1]), service,
                                           sessions, kMaxLine);
    service.OnResult("tools/list", R"({"resultType":"complete","tools":[],"ttlMs":1})");
    service.OnResult("server/discover",
                     R"({"resultType":"complete","supportedVersions":["2026-07-28"],)"
                     R"("capabilities":{"tools":{}}})");
    Spawn(context.get_executor(), "stdio", [](StdioServerTest& test) -> Task<void> {
      co_await test.server->Run();
      test.over = true;
    }(*this));
    Settle(context);
  }
  ~StdioServerTest() override {
    peer->Close();
    server->Abort();
    EXPECT_TRUE(RunUntil(context, [this] { return over; }));
    server = nullptr;
  }

  void Say(const std::string& line) {
    peer->Send(line + "\n");
    Settle(context);
    peer->Read();
  }
  // Everything that came, a line each.
  std::vector<tests::json::value> Lines() {
    Settle(context);
    peer->Read();
    std::vector<tests::json::value> lines;
    std::string text = peer->TakeReceived();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      lines.push_back(Parse(text.substr(at, end - at)));
      if (end == std::string::npos) break;
      at = end + 1;
    }
    return lines;
  }
  tests::json::value Line() {
    const auto lines = Lines();
    EXPECT_EQ(lines.size(), 1U);
    return lines.empty() ? tests::json::value() : lines[0];
  }
  bool EndsByItself() {
    return RunUntil(context, [this] {
      peer->Read();
      return over;
    });
  }

  static std::string Legacy(std::string_view method, std::string_view id = "1",
                            std::string_view params = "{}") {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) +
           R"(","params":)" + std::string(params) + "}";
  }
  static std::string Cancelled(std::string_view id) {
    return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
           std::string(id) + "}}";
  }
  void Initialize() {
    Say(Legacy("initialize", "0",
               R"({"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a"}})"));
    EXPECT_EQ(TextAt(Line(), "/result/protocolVersion"), "2025-06-18");
  }
  static std::string Modern(std::string_view id = "1", std::string more_meta = "") {
    return ModernBody("tools/call", R"("name":"slow",)", id, std::move(more_meta));
  }
};

TEST_F(StdioServerTest, ModernRequestsNeedNoSession) {
  Say(ModernBody("tools/list", "", R"("a")"));
  const auto line = Line();
  EXPECT_EQ(TextAt(line, "/id"), "a");
  EXPECT_EQ(TextAt(line, "/result/resultType"), "complete");
}

// As a supervisor may set it up: one socket for both, and even one number.
TEST_F(StdioServerTest, InputAndOutputMayBeOneDescriptor) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  Peer client(context, pair[0]);
  StdioServer both(context.get_executor(), pair[1], pair[1], service, sessions, kMaxLine);
  bool ended = false;
  Spawn(context.get_executor(), "stdio", [](StdioServer& own, bool& done) -> Task<void> {
    co_await own.Run();
    done = true;
  }(both, ended));
  client.Send(ModernBody("tools/list") + "\n");
  Settle(context);
  client.Read();
  EXPECT_TRUE(client.TakeReceived().contains(R"("tools":[])"));
  client.Close();
  EXPECT_TRUE(RunUntil(context, [&] { return ended; }));
}

TEST_F(StdioServerTest, BothErasInterleaveOnOnePipe) {
  Initialize();
  Say(Legacy("tools/list", "1"));
  EXPECT_EQ(Line(), Parse(R"({"jsonrpc":"2.0","id":1,"result":{"tools":[]}})"));
  Say(ModernBody("tools/list", "", "2"));
  EXPECT_EQ(TextAt(Line(), "/result/resultType"), "complete");
  Say(Legacy("tools/list", "3") + "\n" + ModernBody("tools/list", "", "4"));
  EXPECT_EQ(Lines().size(), 2U);
  Say(ModernBody("ping", "", "5"));
  EXPECT_EQ(At(Line(), "/error/code"), -32601) << "in modern form it is a modern request";
}

TEST_F(StdioServerTest, LegacyNeedsInitializeFirstExceptForPing) {
  Say(Legacy("tools/list"));
  EXPECT_EQ(At(Line(), "/error/code"), -32600);
  Say(Legacy("ping", "2"));
  EXPECT_TRUE(At(Line(), "/result").as_object().empty());
}

TEST_F(StdioServerTest, IdsMayBeUsedAgainOnceAnswered) {
  for (int i = 0; i < 3; ++i) {
    Say(ModernBody("tools/list", "", "1"));
    EXPECT_TRUE(At(Line(), "/result").is_object());
  }
  for (int i = 0; i < 2; ++i) {
    Say(Modern("1"));
    Say(Modern("1"));
    EXPECT_EQ(At(Line(), "/error/code"), -32600) << "it is still being served";
    service.scripts.back()->Say(ResultOf("{}"));
    EXPECT_TRUE(At(Line(), "/result").is_object());
  }
}

TEST_F(StdioServerTest, ManyCallsRunAtOnceAndAreAnsweredAsTheyEnd) {
  for (const char* id : {"1", "2", "3"}) Say(Modern(id));
  ASSERT_EQ(service.scripts.size(), 3U);
  service.scripts[2]->Say(ResultOf("{}"));
  EXPECT_EQ(At(Line(), "/id"), 3);
  service.scripts[0]->Say(ResultOf("{}"));
  EXPECT_EQ(At(Line(), "/id"), 1);
}

TEST_F(StdioServerTest, ProgressGoesToTheCallsOwnToken) {
  Say(Modern("1", R"(,"progressToken":"mine")"));
  service.scripts[0]->Say(
      Notification("notifications/progress", R"({"progressToken":"x","progress":1})"));
  EXPECT_EQ(TextAt(Line(), "/params/progressToken"), "mine");
}

TEST_F(StdioServerTest, ACancelledCallIsDroppedAndNothingFollows) {
  Initialize();
  for (const std::string& call : {Modern("1"), Legacy("tools/call", "2", R"({"name":"slow"})")}) {
    Say(call);
  }
  Say(Cancelled("9") + "\n" + Cancelled(R"("1")"));
  EXPECT_FALSE(service.scripts[0]->dropped);
  Say(Cancelled("1") + "\n" + Cancelled("2"));
  EXPECT_TRUE(service.scripts[0]->dropped);
  EXPECT_TRUE(service.scripts[1]->dropped);
  EXPECT_TRUE(Lines().empty());
  Say(Modern("1"));
  EXPECT_TRUE(Lines().empty()) << "the id is free again";
  EXPECT_FALSE(service.scripts[2]->dropped);
}

TEST_F(StdioServerTest, InitializeCannotBeCancelled) {
  service.answers.clear();
  Say(Legacy("initialize", "0",
             R"({"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a"}})"));
  Say(Cancelled("0"));
  service.scripts.at(0)->Say(ResultOf(R"({"capabilities":{}})"));
  EXPECT_TRUE(At(Line(), "/result").is_object());
}

TEST_F(StdioServerTest, WhatIsNoMessageIsAnError) {
  Say("{\"jsonrpc\":");
  auto line = Line();
  EXPECT_EQ(At(line, "/error/code"), -32700);
  EXPECT_FALSE(line.as_object().contains("id"));
  Say("[]");
  EXPECT_EQ(At(Line(), "/error/code"), -32600);
  Say(R"({"jsonrpc":"2.0","id":4,"method":7})");
  EXPECT_EQ(At(Line(), "/id"), 4);
  Say("");
  Say("  \r");
  EXPECT_TRUE(Lines().empty());
  Say(ModernBody("tools/list") + "\r");
  EXPECT_TRUE(At(Line(), "/result").is_object());
}

TEST_F(StdioServerTest, ALineThatIsTooLongIsSkippedAndTheNextOneServed) {
  peer->Send(std::string(kMaxLine * 3, 'x'));
  Settle(context);
  EXPECT_EQ(At(Line(), "/error/code"), -32600);
  Say("x\n" + ModernBody("tools/list"));
  EXPECT_TRUE(At(Line(), "/result").is_object());
}

TEST_F(StdioServerTest, LegacyClientsAreToldOfChangesOnceInitialized) {
  Initialize();
  EXPECT_EQ(service.seen.back(), "server/discover");
  Say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  ASSERT_EQ(service.seen.back(), "subscriptions/listen");
  service.scripts[0]->Say(
      Notification("notifications/tools/list_changed",
                   R"({"_meta":{"io.modelcontextprotocol/subscriptionId":0}})"));
  EXPECT_EQ(TextAt(Line(), "/method"), "notifications/tools/list_changed");
  service.scripts[0]->Say(ResultOf("{}", "0"));
  EXPECT_TRUE(Lines().empty()) << "nobody asked for a response";
}

TEST_F(StdioServerTest, TheLogLevelHoldsForLaterCallsOfTheSession) {
  service.OnResult("logging/setLevel", R"({"resultType":"complete"})");
  Initialize();
  clock.Advance(std::chrono::hours(2));
  sessions.Tick();  // the session is forgotten elsewhere
  Say(Legacy("logging/setLevel", "1", R"({"level":"error"})"));
  EXPECT_TRUE(At(Line(), "/result").is_object());
  Say(Legacy("tools/call", "2", R"({"name":"slow"})"));
  EXPECT_EQ(service.last_call->log_level, "error");
}

TEST_F(StdioServerTest, EndOfInputAnswersWhatWasAsked) {
  Initialize();
  Say(Modern("1"));
  peer->Send(ModernBody("tools/list", "", "2"));  // without its line end
  peer->HalfClose();
  Settle(context);
  EXPECT_FALSE(over);
  service.scripts[0]->Say(ResultOf("{}"));
  EXPECT_TRUE(EndsByItself());
  EXPECT_EQ(Lines().size(), 2U);
  EXPECT_EQ(sessions.size(), 0U);
}

TEST_F(StdioServerTest, EndOfInputIsNoAnswerToWhatTheClientWasAsked) {
  Say(Legacy("initialize", "0",
             R"({"protocolVersion":"2025-06-18","capabilities":{"roots":{}},)"
             R"("clientInfo":{"name":"a"}})"));
  EXPECT_TRUE(At(Line(), "/result").is_object());
  const auto wants = ResultOf(R"({"resultType":"input_required","requestState":"s-1",)"
                              R"("inputRequests":{"k":{"method":"roots/list"}}})");
  for (const char* id : {"1", "2"}) Say(Legacy("tools/call", id, R"({"name":"slow"})"));
  ASSERT_EQ(service.scripts.size(), 2U);
  const std::shared_ptr<Script> later = service.scripts[1];
  service.scripts[0]->Say(wants.Clone());
  const auto question = Line();
  EXPECT_EQ(TextAt(question, "/method"), "roots/list");
  peer->HalfClose();
  auto lines = Lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(TextAt(lines[0], "/method"), "notifications/cancelled");
  EXPECT_EQ(At(lines[0], "/params/requestId"), At(question, "/id"));
  EXPECT_EQ(At(lines[1], "/id"), 1);
  EXPECT_EQ(At(lines[1], "/result/isError"), true);
  EXPECT_TRUE(service.last_call->forsaken) << "the server is told that nobody will answer";
  EXPECT_FALSE(over) << "what else was asked is still answered";
  later->Say(wants.Clone());
  EXPECT_TRUE(EndsByItself());
  lines = Lines();
  ASSERT_EQ(lines.size(), 1U) << "nobody is asked any more";
  EXPECT_EQ(At(lines[0], "/id"), 2);
  EXPECT_EQ(At(lines[0], "/result/isError"), true);
  EXPECT_EQ(service.scripts.size(), 4U) << "and this server is told as well";
}

TEST_F(StdioServerTest, EndOfInputEndsStreamsThatWouldLast) {
  Initialize();
  Say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  Say(ModernBody("subscriptions/listen", R"("notifications":{},)", "9"));
  ASSERT_EQ(service.scripts.size(), 2U);
  peer->HalfClose();
  EXPECT_TRUE(EndsByItself());
  EXPECT_TRUE(service.scripts[0]->dropped);
  EXPECT_TRUE(service.scripts[1]->dropped);
}

TEST_F(StdioServerTest, AModernListenThatTheGatewayEndsIsCancelledAndHasItsResult) {
  Say(ModernBody("subscriptions/listen", R"("notifications":{},)", R"("l")"));
  Say(Modern("1"));
  ASSERT_EQ(service.scripts.size(), 2U);
  service.scripts[0]->Say(ResultOf(
      R"({"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"l"}})"));
  auto lines = Lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(TextAt(lines[0], "/method"), "notifications/cancelled");
  EXPECT_EQ(TextAt(lines[0], "/params/requestId"), "l");
  EXPECT_EQ(TextAt(lines[1], "/id"), "l");
  EXPECT_TRUE(At(lines[1], "/result").is_object());
  service.scripts[1]->Say(ResultOf("{}"));
  EXPECT_EQ(At(Line(), "/id"), 1) << "a call has its result alone";
  Say(ModernBody("subscriptions/listen", R"("notifications":{},)", "3"));
  service.scripts.back()->Fail({.code = Code::kInvalid, .message = "no", .rpc_code = -32602});
  EXPECT_EQ(At(Line(), "/error/code"), -32602) << "so has one that never began";
}

TEST_F(StdioServerTest, EndInputIsLikeTheEndOfTheInput) {
  Say(Modern("1"));
  server->EndInput();
  Settle(context);
  EXPECT_FALSE(over);
  service.scripts[0]->Say(ResultOf("{}"));
  EXPECT_TRUE(EndsByItself());
  EXPECT_TRUE(At(Line(), "/result").is_object());
}

TEST_F(StdioServerTest, AbortUnwindsEverythingAtOnce) {
  Say(Modern("1"));
  server->Abort();
  EXPECT_TRUE(EndsByItself());
  EXPECT_TRUE(service.scripts[0]->dropped);
}

TEST_F(StdioServerTest, AClientThatVanishesEndsItAll) {
  Say(Modern("1"));
  peer->Close();
  Settle(context);
  for (int i = 0; i < 3; ++i) service.scripts[0]->Say(ResultOf("{}"));
  EXPECT_TRUE(EndsByItself());
}

TEST_F(StdioServerTest, AClientThatDoesNotReadHoldsItsCallsBack) {
  Say(Modern("1", R"(,"progressToken":1)"));
  const std::string big(1'000'000, 'x');
  for (int i = 0; i < 50; ++i) {
    service.scripts[0]->Say(Notification("notifications/progress",
                                         R"({"progressToken":1,"progress":)" + std::to_string(i) +
                                             R"(,"message":")" + big + R"("})"));
  }
  Settle(context);
  EXPECT_GT(service.scripts[0]->messages.size(), 30U) << "the rest stays where it is";
  service.scripts[0]->Say(ResultOf("{}"));
  EXPECT_TRUE(RunUntil(context, [&] {
    peer->Read();
    return service.scripts[0]->dropped;
  }));
  peer->HalfClose();
  EXPECT_TRUE(EndsByItself());
  EXPECT_EQ(Lines().size(), 51U);
}

TEST_F(StdioServerTest, MoreCallsThanItServesAtOnceWaitInThePipe) {
  for (int i = 0; i < 1100; ++i) peer->Send(Modern(std::to_string(i)) + "\n");
  Settle(context);
  const std::size_t first = service.scripts.size();
  EXPECT_GE(first, 1024U);
  for (std::size_t i = 0; i < first; ++i) service.scripts[i]->Say(ResultOf("{}"));
  EXPECT_TRUE(RunUntil(context, [&] {
    peer->Read();
    return service.scripts.size() == 1100U;
  }));
}

}  // namespace
}  // namespace switchyard::edge
