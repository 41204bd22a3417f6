// The legacy face over HTTP: sessions, their calls, their stream.
#include "edge/legacy.h"

#include <gtest/gtest.h>

#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

struct LegacyTest : ::testing::Test, Edge {
  std::unique_ptr<Peer> peer = Connect();

  static Request Post(std::string body, const std::string& session = "") {
    Request request;
    request.body = std::move(body);
    if (!session.empty()) request.headers.emplace_back("Mcp-Session-Id", session);
    return request;
  }
  static Request Initialize(std::string_view version = "2025-11-25") {
    return Post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
                std::string(version) +
                R"(","capabilities":{"roots":{}},"clientInfo":{"name":"agent","version":"1"}}})");
  }
  static std::string Call(std::string_view id, std::string_view meta = "") {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) +
           R"(,"method":"tools/call","params":{"name":"slow","_meta":{)" + std::string(meta) +
           "}}}";
  }
  static std::string Plain(std::string_view method, std::string_view params = "{}") {
    return R"({"jsonrpc":"2.0","id":5,"method":")" + std::string(method) + R"(","params":)" +
           std::string(params) + "}";
  }
  static std::string Cancelled(std::string_view id) {
    return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
           std::string(id) + "}}";
  }

  std::optional<Answer> Ask(const Request& request) { return Ask(*peer, request); }
  std::optional<Answer> Ask(Peer& by, const Request& request) {
    by.Send(request.Text());
    return by.TakeAnswer();
  }
  std::string Open(std::string_view version = "2025-11-25") {
    return Ask(Initialize(version))->Header("mcp-session-id");
  }
  std::shared_ptr<Script> Begin(Peer& by, const Request& request) {
    by.Send(request.Text());
    Settle(context);
    return service->scripts.back();
  }
  static Request Stream(const std::string& session) {
    Request request = Post("", session);
    request.method = "GET";
    return std::move(request).Set("Accept", "text/event-stream");
  }
};

TEST_F(LegacyTest, InitializeAnswersWithTheVersionAskedForIfItIsOneOfThisEra) {
  const std::pair<const char*, const char*> cases[] = {
      {"2025-11-25", "2025-11-25"}, {"2025-06-18", "2025-06-18"}, {"2025-03-26", "2025-03-26"},
      {"2024-11-05", "2025-11-25"}, {"2026-07-28", "2025-11-25"}, {"3000-01-01", "2025-11-25"}};
  for (const auto& [asked, given] : cases) {
    const auto answer = Ask(Initialize(asked));
    ASSERT_EQ(answer->status, 200) << asked;
    EXPECT_EQ(TextAt(answer->Json(), "/result/protocolVersion"), given) << asked;
    EXPECT_NE(answer->Header("mcp-session-id"), "");
  }
}

TEST_F(LegacyTest, InitializeTellsWhatTheEndpointOffersAndNothingModern) {
  const auto json = Ask(Initialize())->Json();
  EXPECT_EQ(At(json, "/result/capabilities/tools/listChanged"), true);
  EXPECT_EQ(TextAt(json, "/result/serverInfo/name"), "switchyard");
  EXPECT_EQ(TextAt(json, "/result/instructions"), "be kind");
  for (const char* key : {"resultType", "supportedVersions", "ttlMs", "cacheScope"}) {
    EXPECT_FALSE(At(json, "/result").as_object().contains(key)) << key;
  }
  EXPECT_EQ(service->last_call->client->name, "agent");
  EXPECT_EQ(service->last_call->client->capabilities, R"({"roots":{}})");
}

TEST_F(LegacyTest, InitializeMayCarryHeadersOfAnyEra) {
  const auto answer =
      Ask(Initialize().Set("MCP-Protocol-Version", "2026-07-28").Set("Mcp-Method", "initialize"));
  EXPECT_EQ(TextAt(answer->Json(), "/result/protocolVersion"), "2025-11-25");
}

TEST_F(LegacyTest, InitializeWithoutItsParamsOrWithARefusalOpensNoSession) {
  auto answer = Ask(Post(Plain("initialize")));
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(At(answer->Json(), "/error/code"), -32602);
  EXPECT_EQ(answer->Header("mcp-session-id"), "");
  service->answers.clear();
  service->On("server/discover", [](struct Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnauthenticated, Origin::kClient, "who are you");
  });
  answer = Ask(Initialize());
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(sessions.size(), 0U);
}

TEST_F(LegacyTest, WithoutASessionIdIs400AndWithAnUnknownOneIs404) {
  auto answer = Ask(Post(Plain("tools/list")));
  EXPECT_EQ(answer->status, 400);
  EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("2025-11-25"));
  EXPECT_EQ(At(answer->Json(), "/id"), 5);
  answer = Ask(Post(Plain("tools/list"), "nonsense"));
  EXPECT_EQ(answer->status, 404);
  const std::string session = Open();
  Request elsewhere = Post(Plain("tools/list"), session);
  elsewhere.target = "/mcp/team";
  EXPECT_EQ(Ask(elsewhere)->status, 404) << "a session belongs to its endpoint";
  EXPECT_EQ(Ask(Post(Plain("tools/list"), session))->status, 200);
}

TEST_F(LegacyTest, TheVersionHeaderMustBeOneOfThisEra) {
  const std::string session = Open();
  const auto with = [&](std::string version) {
    return Ask(Post(Plain("tools/list"), session).Set("MCP-Protocol-Version", std::move(version)))
        ->status;
  };
  EXPECT_EQ(with("2025-11-25"), 200);
  EXPECT_EQ(with("2025-06-18"), 200);
  EXPECT_EQ(with("1999-01-01"), 400);
  // A modern header makes it a modern request, which lacks its metadata.
  EXPECT_EQ(with("2026-07-28"), 400);
}

TEST_F(LegacyTest, NotificationsAndResponsesAreAccepted) {
  const std::string session = Open();
  for (const char* body : {R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
                           R"({"jsonrpc":"2.0","method":"notifications/unheard_of"})",
                           R"({"jsonrpc":"2.0","id":3,"result":{}})"}) {
    const auto answer = Ask(Post(body, session));
    EXPECT_EQ(answer->status, 202) << body;
    EXPECT_EQ(answer->body, "");
  }
}

TEST_F(LegacyTest, PingIsAnsweredHereAndTheLogLevelIsTheSessions) {
  service->OnResult("logging/setLevel", R"({"resultType":"complete"})");
  const std::string session = Open();
  EXPECT_TRUE(At(Ask(Post(Plain("ping"), session))->Json(), "/result").as_object().empty());
  auto answer = Ask(Post(Plain("logging/setLevel", R"({"level":"loud"})"), session));
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(At(answer->Json(), "/error/code"), -32602);
  answer = Ask(Post(Plain("logging/setLevel", R"({"level":"error"})"), session));
  EXPECT_EQ(At(answer->Json(), "/result"), Parse("{}"));
  Begin(*peer, Post(Call("1"), session));
  EXPECT_EQ(service->last_call->log_level, "error");
}

TEST_F(LegacyTest, ALogLevelIsNotSetWhereTheEndpointHasNoLogs) {
  service->On("logging/setLevel", [](struct switchyard::Call&) -> Result<ReplyPtr> {
    return Failure(Error{.code = Code::kNotFound, .message = "unknown method", .rpc_code = -32601});
  });
  const std::string session = Open();
  for (const char* level : {R"({"level":"error"})", R"({"level":"loud"})"}) {
    const auto answer = Ask(Post(Plain("logging/setLevel", level), session));
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(At(answer->Json(), "/error/code"), -32601);
  }
  Begin(*peer, Post(Call("1"), session));
  EXPECT_EQ(service->last_call->log_level, "");
}

TEST_F(LegacyTest, MethodsOfTheOtherEraAreUnknownWithStatus200) {
  const std::string session = Open();
  for (const char* method : {"server/discover", "subscriptions/listen", "nonsense",
                             "sampling/createMessage", "notifications/initialized"}) {
    const auto answer = Ask(Post(Plain(method), session));
    EXPECT_EQ(answer->status, 200) << "legacy clients read 404 as: session gone";
    EXPECT_EQ(At(answer->Json(), "/error/code"), -32601) << method;
  }
}

TEST_F(LegacyTest, ACallRunsStatelesslyAndItsAnswerReadsLegacy) {
  const std::string session = Open("2025-06-18");
  const auto script = Begin(*peer, Post(Call("7", R"("progressToken":"mine")"), session));
  EXPECT_EQ(service->last_call->progress_token, R"("mine")");
  EXPECT_EQ(service->last_call->client->version, mcp::Version::k2025_06_18);
  EXPECT_EQ(service->last_call->client->session, session);
  script->Say(Notification(
      "notifications/progress",
      R"({"progressToken":"x","progress":1,"_meta":{"io.modelcontextprotocol/serverInfo":{}}})"));
  script->Say(
      ResultOf(R"({"resultType":"complete","content":[],"ttlMs":5,"cacheScope":"private"})"));
  const auto answer = peer->TakeAnswer();
  ASSERT_EQ(answer->Events().size(), 2U);
  EXPECT_EQ(TextAt(Parse(answer->Events()[0]), "/params/progressToken"), "mine");
  EXPECT_FALSE(answer->body.contains("io.modelcontextprotocol"));
  EXPECT_EQ(Parse(answer->Events()[1]),
            Parse(R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})"));
}

TEST_F(LegacyTest, ErrorsOfServersTravelWithStatus200AndLegacyCodes) {
  const std::string session = Open();
  Begin(*peer, Post(Plain("resources/read", R"({"uri":"a:b"})"), session))
      ->Say(mcp::Message::MakeError("99", -32602, "no such resource"));
  auto answer = peer->TakeAnswer();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(At(answer->Json(), "/error/code"), -32002);
  for (const int code : {-32600, -32601, -32603, 17}) {
    Begin(*peer, Post(Call("8"), session))->Say(mcp::Message::MakeError("99", code, "x"));
    answer = peer->TakeAnswer();
    EXPECT_EQ(answer->status, 200) << code;
    EXPECT_EQ(At(answer->Json(), "/error/code"), code);
  }
}

TEST_F(LegacyTest, ADisconnectDoesNotCancelTheCall) {
  const std::string session = Open();
  const auto script = Begin(*peer, Post(Call("7", R"("progressToken":1)"), session));
  script->Say(Notification("notifications/progress", R"({"progressToken":1,"progress":1})"));
  ASSERT_TRUE(peer->WaitFor("progress"));
  peer->Close();
  Settle(context);
  script->Say(Notification("notifications/progress", R"({"progressToken":1,"progress":2})"));
  Settle(context);
  for (int i = 0; i < 5; ++i) Pass(std::chrono::seconds(20));  // comments into nothing
  EXPECT_FALSE(script->dropped);
  script->Say(ResultOf("{}"));
  Settle(context);
  EXPECT_TRUE(script->dropped);
  EXPECT_TRUE(connections[0]->finished());
  EXPECT_TRUE(sessions.Find(session, "")->in_flight.empty());
}

TEST_F(LegacyTest, ACancelByNotificationEndsTheCallWithoutAResponse) {
  const std::string session = Open();
  const std::unique_ptr<Peer> other = Connect();
  const auto script = Begin(*peer, Post(Call("7"), session));
  EXPECT_EQ(Ask(*other, Post(Cancelled("8"), session))->status, 202);
  EXPECT_FALSE(script->dropped) << "that was another call";
  EXPECT_EQ(Ask(*other, Post(Cancelled("7"), session))->status, 202);
  EXPECT_TRUE(script->dropped);
  const auto answer = peer->TakeAnswer();
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->body, "");
  EXPECT_TRUE(sessions.Find(session, "")->in_flight.empty());
  EXPECT_EQ(Ask(Post(Plain("tools/list"), session))->status, 200) << "the connection goes on";
  EXPECT_EQ(Ask(*other, Post(Cancelled("7"), session))->status, 202) << "late ones are ignored";
}

TEST_F(LegacyTest, ACancelOfAStreamingCallEndsTheStreamInOrder) {
  const std::string session = Open();
  const std::unique_ptr<Peer> other = Connect();
  const auto script = Begin(*peer, Post(Call(R"("a")", R"("progressToken":1)"), session));
  script->Say(Notification("notifications/progress", R"({"progressToken":1,"progress":1})"));
  ASSERT_TRUE(peer->WaitFor("progress"));
  EXPECT_EQ(Ask(*other, Post(Cancelled(R"("a")"), session))->status, 202);
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Events().size(), 2U) << "the priming event and one notification";
  const auto again = Begin(*peer, Post(Call(R"("b")"), session));
  EXPECT_EQ(Ask(*other, Post(Cancelled(R"("b")"), session))->status, 202);
  EXPECT_TRUE(again->dropped) << "a connection can be told more than once";
  EXPECT_EQ(peer->TakeAnswer()->status, 202);
}

TEST_F(LegacyTest, ACallThatIsCancelledInTheMiddleOfAWriteEndsItsConnection) {
  peer->BoundReceiveBuffer();
  const std::string session = Open();
  const std::unique_ptr<Peer> other = Connect();
  const auto script = Begin(*peer, Post(Call("7", R"("progressToken":1)"), session));
  script->Say(Notification(
      "notifications/progress",
      R"({"progressToken":1,"progress":1,"message":")" + std::string(40'000'000, 'x') + R"("})"));
  Settle(context);
  EXPECT_EQ(Ask(*other, Post(Cancelled("7"), session))->status, 202);
  Settle(context);
  EXPECT_TRUE(script->dropped);
  EXPECT_TRUE(connections[0]->finished()) << "nothing may follow half an event";
}

TEST_F(LegacyTest, TheStreamOfASessionCarriesListChanges) {
  const std::string session = Open();
  const auto script = Begin(*peer, Stream(session));
  EXPECT_EQ(service->seen.back(), "subscriptions/listen");
  script->Say(Notification("notifications/subscriptions/acknowledged",
                           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":0}})"));
  script->Say(Notification("notifications/tools/list_changed",
                           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":0}})"));
  ASSERT_TRUE(peer->WaitFor("list_changed"));
  EXPECT_FALSE(peer->received().contains("acknowledged"));
  EXPECT_FALSE(peer->received().contains("subscriptionId"));
  script->Say(ResultOf("{}", "0"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Header("content-type"), "text/event-stream");
  EXPECT_EQ(answer->Events().size(), 1U) << "a GET stream never carries a response";
}

TEST_F(LegacyTest, ASessionHasOneStreamAndTheLastOneHasIt) {
  const std::string session = Open();
  const std::unique_ptr<Peer> other = Connect();
  const auto first = Begin(*peer, Stream(session));
  const auto second = Begin(*other, Stream(session));
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_TRUE(first->dropped);
  EXPECT_FALSE(second->dropped);
  other->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return second->dropped; }));
  EXPECT_EQ(sessions.Find(session, "")->end_stream, nullptr);
}

TEST_F(LegacyTest, GetNeedsASessionAndAClientThatTakesEvents) {
  Request get = Stream("");
  EXPECT_EQ(Ask(get)->status, 405);
  EXPECT_EQ(Ask(get)->Header("allow"), "POST");
  EXPECT_EQ(Ask(Stream("nonsense"))->status, 404);
  EXPECT_EQ(Ask(Stream(Open()).Set("Accept", "application/json"))->status, 406);
}

TEST_F(LegacyTest, SeveralAcceptLinesAreOneList) {
  Request get = Stream(Open()).Set("Accept", "application/json");
  get.headers.emplace_back("Accept", "text/event-stream");
  Begin(*peer, get);
  EXPECT_EQ(service->seen.back(), "subscriptions/listen");
}

TEST_F(LegacyTest, DeleteEndsTheSessionItsCallsAndItsStream) {
  const std::string session = Open();
  const std::unique_ptr<Peer> calling = Connect();
  const std::unique_ptr<Peer> streaming = Connect();
  const auto call = Begin(*calling, Post(Call("7"), session));
  const auto stream = Begin(*streaming, Stream(session));
  Request request = Post("", session);
  request.method = "DELETE";
  EXPECT_EQ(Ask(request)->status, 204);
  EXPECT_TRUE(call->dropped);
  EXPECT_TRUE(stream->dropped);
  EXPECT_EQ(calling->TakeAnswer()->status, 202);
  EXPECT_TRUE(streaming->WaitForClose());
  EXPECT_EQ(Ask(request)->status, 404);
  EXPECT_EQ(Ask(Post(Plain("tools/list"), session))->status, 404);
  EXPECT_EQ(Ask(std::move(request).Without("Mcp-Session-Id"))->status, 405);
}

TEST_F(LegacyTest, TwoCallsWithOneIdAreBothAnswered) {
  const std::string session = Open();
  const std::unique_ptr<Peer> other = Connect();
  const auto first = Begin(*peer, Post(Call("7"), session));
  const auto second = Begin(*other, Post(Call("7"), session));
  second->Say(ResultOf("{}"));
  EXPECT_EQ(other->TakeAnswer()->status, 200);
  EXPECT_EQ(sessions.Find(session, "")->in_flight.size(), 1U);
  first->Say(ResultOf("{}"));
  EXPECT_EQ(peer->TakeAnswer()->status, 200);
}

}  // namespace
}  // namespace switchyard::edge
