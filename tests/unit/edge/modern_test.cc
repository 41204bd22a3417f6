// The modern face: the order of its checks, and how replies reach the client.
#include "edge/modern.h"

#include <gtest/gtest.h>

#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

struct Check {
  const char* name;
  Request request;
  int status;
  int code;  // 0 = a result
};

class ModernChecks : public ::testing::TestWithParam<Check>, public Edge {};

TEST_P(ModernChecks, AnswerWithTheStatusAndTheCodeOfTheFirstFault) {
  service->OnResult("tools/call", R"({"resultType":"complete","content":[]})");
  const auto peer = Connect();
  peer->Send(GetParam().request.Text());
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, GetParam().status) << answer->body;
  const auto json = answer->Json();
  if (GetParam().code == 0) {
    EXPECT_TRUE(At(json, "/result").is_object()) << answer->body;
    return;
  }
  EXPECT_EQ(At(json, "/error/code"), GetParam().code) << answer->body;
  EXPECT_TRUE(service->seen.empty());
  EXPECT_EQ(answer->Header("connection"), "") << "the client may try again";
}

std::string Body(std::string_view method, std::string_view meta, std::string_view params = "") {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + R"(","params":{)" +
         std::string(params) + R"("_meta":{)" + std::string(meta) + "}}}";
}
Request With(Request request, std::string body) {
  request.body = std::move(body);
  return request;
}

constexpr std::string_view kVersion = R"("io.modelcontextprotocol/protocolVersion":)";
constexpr std::string_view kCapabilities = R"("io.modelcontextprotocol/clientCapabilities":{})";

std::string Meta(std::string_view version) {
  return std::string(kVersion) + '"' + std::string(version) + "\"," + std::string(kCapabilities);
}

std::vector<Check> Checks() {
  const auto list = [] { return Modern("tools/list"); };
  const auto call = [] { return ModernCall("echo"); };
  const auto versions = [](std::string header, std::string_view body) {
    return With(Modern("tools/list").Set("MCP-Protocol-Version", std::move(header)),
                Body("tools/list", Meta(body)));
  };
  return {
      {"Good", list(), 200, 0},
      {"GoodCall", call(), 200, 0},
      {"HeaderNamesInAnyCase", list().Without("Mcp-Method").Set("mCP-mETHOD", "tools/list"), 200,
       0},
      {"BlanksAroundValues", list().Set("Mcp-Method", "  tools/list \t"), 200, 0},
      {"NameInBase64", call().Set("Mcp-Name", "=?base64?ZWNobw==?="), 200, 0},
      {"SessionIdIsIgnored", list().Set("Mcp-Session-Id", "whatever"), 200, 0},
      {"NotJson", With(list(), "{\"jsonrpc\":"), 400, -32700},
      {"Batch", With(list(), "[]"), 400, -32600},
      {"TwoMethods",
       With(list(), R"({"jsonrpc":"2.0","id":1,"method":"tools/list","method":"x","params":{}})"),
       400, -32600},
      {"NoVersionHeader", list().Without("MCP-Protocol-Version"), 400, -32020},
      {"NoVersionHeaderAndNoCapabilities",
       With(list().Without("MCP-Protocol-Version"),
            Body("tools/list", std::string(kVersion) + R"("2026-07-28")")),
       400, -32020},
      {"NoMeta", With(list(), Body("tools/list", "")), 400, -32602},
      {"NoCapabilities",
       With(list(), Body("tools/list", std::string(kVersion) + R"("2026-07-28")")), 400, -32602},
      {"NoVersionInMeta", With(list(), Body("tools/list", kCapabilities)), 400, -32602},
      {"CapabilitiesAreNoObject",
       With(list(), Body("tools/list", std::string(kVersion) + R"("2026-07-28",)" +
                                           R"("io.modelcontextprotocol/clientCapabilities":[])")),
       400, -32602},
      {"MissingMetaComesBeforeVersions",
       With(list().Set("MCP-Protocol-Version", "2026-07-28").Without("Mcp-Method"),
            Body("nonsense", kCapabilities)),
       400, -32602},
      {"HeaderLegacyBodyModern", versions("2025-11-25", "2026-07-28"), 400, -32020},
      {"HeaderModernBodyLegacy", versions("2026-07-28", "2025-11-25"), 400, -32020},
      {"BothLegacyInModernForm", versions("2025-11-25", "2025-11-25"), 400, -32022},
      {"BothUnknown", versions("2027-01-01", "2027-01-01"), 400, -32022},
      {"VersionComesBeforeMethod",
       With(list().Set("MCP-Protocol-Version", "2027-01-01").Without("Mcp-Method"),
            Body("nonsense", Meta("2027-01-01"))),
       400, -32022},
      {"NoMethodHeader", list().Without("Mcp-Method"), 400, -32020},
      {"OtherMethodHeader", list().Set("Mcp-Method", "tools/call"), 400, -32020},
      {"MethodHeaderInOtherCase", list().Set("Mcp-Method", "Tools/List"), 400, -32020},
      {"MethodHeaderComesBeforeMethod", Modern("nonsense").Set("Mcp-Method", "x"), 400, -32020},
      {"UnknownMethod", Modern("nonsense"), 404, -32601},
      {"Initialize", Modern("initialize"), 404, -32601},
      {"Ping", Modern("ping"), 404, -32601},
      {"SetLevel", Modern("logging/setLevel"), 404, -32601},
      {"Subscribe", Modern("resources/subscribe"), 404, -32601},
      {"TasksList", Modern("tasks/list"), 404, -32601},
      {"SamplingIsNotForServers", Modern("sampling/createMessage"), 404, -32601},
      {"NoName", call().Without("Mcp-Name"), 400, -32020},
      {"OtherName", call().Set("Mcp-Name", "other"), 400, -32020},
      {"EmptyName", call().Set("Mcp-Name", ""), 400, -32020},
      {"BrokenBase64", call().Set("Mcp-Name", "=?base64?ZWNobw=?="), 400, -32020},
      {"NameOfAResource", Modern("resources/read", R"("uri":"a:b",)").Set("Mcp-Name", "a:c"), 400,
       -32020},
      {"LogLevel", Modern("tools/list", "", "1", R"(,"io.modelcontextprotocol/logLevel":"loud")"),
       400, -32602},
      {"AResponse",
       With(list(),
            R"({"jsonrpc":"2.0","id":1,"result":{"_meta":{)" + std::string(kModernMeta) + "}}}"),
       400, -32600},
      {"PlainText", list().Set("Content-Type", "text/plain"), 415, -32600},
  };
}

INSTANTIATE_TEST_SUITE_P(All, ModernChecks, ::testing::ValuesIn(Checks()),
                         [](const auto& info) { return std::string(info.param.name); });

struct ModernTest : ::testing::Test, Edge {
  std::unique_ptr<Peer> peer = Connect();

  std::shared_ptr<Script> Begin(const Request& request) {
    peer->Send(request.Text());
    Settle(context);
    return service->scripts.back();
  }
};

TEST_F(ModernTest, AnErrorEchoesTheIdWithItsTypeAndLeavesItOutWhenUnreadable) {
  peer->Send(Modern("nonsense", "", R"("seven")").Text());
  EXPECT_EQ(TextAt(peer->TakeAnswer()->Json(), "/id"), "seven");
  peer->Send(With(Modern("x"), "{").Text());
  EXPECT_FALSE(peer->TakeAnswer()->Json().as_object().contains("id"));
}

TEST_F(ModernTest, AnUnsupportedVersionNamesWhatIsSupported) {
  peer->Send(With(Modern("tools/list").Set("MCP-Protocol-Version", "2027-01-01"),
                  Body("tools/list", Meta("2027-01-01")))
                 .Text());
  const auto json = peer->TakeAnswer()->Json();
  EXPECT_EQ(TextAt(json, "/error/data/supported/0"), "2026-07-28");
  EXPECT_EQ(TextAt(json, "/error/data/requested"), "2027-01-01");
}

TEST_F(ModernTest, ANotificationIsAcceptedWithoutABody) {
  peer->Send(With(Modern("notifications/cancelled"),
                  R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,)"
                  R"("_meta":{)" +
                      std::string(kModernMeta) + "}}}")
                 .Text());
  const auto answer = peer->TakeAnswer();
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->body, "");
}

TEST_F(ModernTest, TheCallCarriesWhatTheClientSaid) {
  Begin(ModernCall("slow", "1",
                   R"(,"progressToken":7,"io.modelcontextprotocol/logLevel":"warning",)"
                   R"("io.modelcontextprotocol/clientInfo":{"name":"agent","version":"1"})"));
  EXPECT_EQ(service->last_call->progress_token, "7");
  EXPECT_EQ(service->last_call->log_level, "warning");
  EXPECT_EQ(service->last_call->client->name, "agent");
  EXPECT_EQ(service->last_call->client->version, mcp::kModern);
  EXPECT_EQ(service->last_call->client->session, "");
}

TEST_F(ModernTest, AResponseThatComesFirstIsOneJsonBodyWithTheClientsId) {
  Begin(ModernCall("slow", R"("abc")"))->Say(ResultOf(R"({"resultType":"complete"})"));
  const auto answer = peer->TakeAnswer();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->Header("content-type"), "application/json");
  EXPECT_EQ(TextAt(answer->Json(), "/id"), "abc");
  EXPECT_EQ(TextAt(answer->Json(), "/result/resultType"), "complete");
}

TEST_F(ModernTest, WhatComesBeforeTheResponseMakesItAStream) {
  const auto script = Begin(ModernCall("slow", "5", R"(,"progressToken":"mine")"));
  for (const char* progress : {"1", "2"}) {
    script->Say(Notification("notifications/progress", R"({"progressToken":"servers","progress":)" +
                                                           std::string(progress) + "}"));
  }
  script->Say(ResultOf("{}"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Header("content-type"), "text/event-stream");
  EXPECT_EQ(answer->Header("x-accel-buffering"), "no");
  const auto events = answer->Events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(TextAt(Parse(events[0]), "/params/progressToken"), "mine");
  EXPECT_EQ(At(Parse(events[1]), "/params/progress"), 2);
  EXPECT_EQ(At(Parse(events[2]), "/id"), 5);
  EXPECT_FALSE(answer->body.contains("id: "));
  peer->Send(Modern("tools/list").Text());
  EXPECT_EQ(peer->TakeAnswer()->status, 200) << "the connection lives on";
}

TEST_F(ModernTest, AClientThatTakesNoStreamGetsTheResponseAlone) {
  const auto script = Begin(
      ModernCall("slow", "5", R"(,"progressToken":"mine")").Set("Accept", "application/json"));
  script->Say(Notification("notifications/progress", R"({"progressToken":"x","progress":1})"));
  script->Say(ResultOf("{}"));
  EXPECT_EQ(peer->TakeAnswer()->Header("content-type"), "application/json");
}

TEST_F(ModernTest, WhatWasNotAskedForDoesNotPass) {
  const auto script = Begin(ModernCall("slow"));
  script->Say(Notification("notifications/progress", R"({"progressToken":"x","progress":1})"));
  script->Say(Notification("notifications/message", R"({"level":"emergency","data":"x"})"));
  script->Say(Notification("notifications/tools/list_changed", "{}"));
  script->Say(Notification("notifications/resources/updated", R"({"uri":"a:b"})"));
  script->Say(Notification("notifications/unheard_of", "{}"));
  script->Say(ResultOf("{}"));
  EXPECT_EQ(peer->TakeAnswer()->Header("content-type"), "application/json");
}

TEST_F(ModernTest, ATokenThatIsNeitherTextNorNumberIsNone) {
  for (const char* token : {"null", "{}", "[1]", "true"}) {
    const auto script = Begin(ModernCall("slow", "1", R"(,"progressToken":)" + std::string(token)));
    EXPECT_EQ(service->last_call->progress_token, "");
    script->Say(ResultOf("{}"));
    EXPECT_TRUE(peer->TakeAnswer());
  }
}

TEST_F(ModernTest, LogMessagesPassAtOrAboveTheLevelOfTheRequest) {
  const auto script =
      Begin(ModernCall("slow", "1", R"(,"io.modelcontextprotocol/logLevel":"warning")"));
  for (const char* level : {"debug", "notice", "warning", "loud", "error", "emergency"}) {
    script->Say(Notification("notifications/message",
                             R"({"level":")" + std::string(level) + R"(","data":"x"})"));
  }
  script->Say(ResultOf("{}"));
  std::string levels;
  for (const std::string& event : peer->TakeAnswer()->Events()) {
    levels += TextAt(Parse(event), "/params/level") + " ";
  }
  EXPECT_EQ(levels, "warning error emergency  ");
}

TEST_F(ModernTest, AListenStreamGivesItsAcknowledgementAndChangesUntilTheClientGoes) {
  const auto script = Begin(Modern("subscriptions/listen", R"("notifications":{},)", "9"));
  script->Say(Notification("notifications/subscriptions/acknowledged",
                           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":9},)"
                           R"("notifications":{}})"));
  script->Say(Notification("notifications/tools/list_changed",
                           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":9}})"));
  ASSERT_TRUE(peer->WaitFor("list_changed"));
  EXPECT_TRUE(peer->received().contains(R"("io.modelcontextprotocol/subscriptionId":9)"));
  peer->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return script->dropped; }));
}

TEST_F(ModernTest, ErrorsOfStagesHaveTheirStatusBeforeAStreamAndNoneWithin) {
  Begin(ModernCall("slow"))
      ->Fail(Error{.code = Code::kForbidden, .message = "no", .detail = "secret"});
  auto answer = peer->TakeAnswer();
  EXPECT_EQ(answer->status, 403);
  EXPECT_EQ(TextAt(answer->Json(), "/error/message"), "no");
  EXPECT_FALSE(answer->body.contains("secret"));

  const auto script = Begin(ModernCall("slow", "2", R"(,"progressToken":1)"));
  script->Say(Notification("notifications/progress", R"({"progressToken":1,"progress":1})"));
  script->Fail(Error{.code = Code::kUnavailable, .message = "server x: gone"});
  answer = peer->TakeAnswer();
  EXPECT_EQ(answer->status, 200);
  ASSERT_EQ(answer->Events().size(), 2U);
  EXPECT_EQ(TextAt(Parse(answer->Events()[1]), "/error/message"), "server x: gone");
  EXPECT_EQ(At(Parse(answer->Events()[1]), "/id"), 2);
}

TEST_F(ModernTest, AnAnswerWithoutAResponseIsAnError) {
  Begin(ModernCall("slow"))->End();
  const auto answer = peer->TakeAnswer();
  EXPECT_EQ(At(answer->Json(), "/error/code"), -32603);
}

TEST_F(ModernTest, ErrorsOfServersKeepTheirWordsAndGetTheCodesOfThisEra) {
  Begin(Modern("resources/read", R"("uri":"a:b",)", "3").Set("Mcp-Name", "a:b"))
      ->Say(mcp::Message::MakeError("99", -32002, "no such thing", R"({"uri":"a:b"})"));
  auto json = peer->TakeAnswer()->Json();
  EXPECT_EQ(At(json, "/error/code"), -32602);
  EXPECT_EQ(TextAt(json, "/error/message"), "no such thing");
  EXPECT_EQ(TextAt(json, "/error/data/uri"), "a:b");
  EXPECT_EQ(At(json, "/id"), 3);

  Begin(ModernCall("slow"))->Say(mcp::Message::MakeError("99", -32020, "your header"));
  json = peer->TakeAnswer()->Json();
  EXPECT_EQ(At(json, "/error/code"), -32603) << "that was our hop's trouble";
  EXPECT_EQ(At(json, "/error/data/serverCode"), -32020);

  Begin(ModernCall("slow"))->Say(mcp::Message::MakeError("99", 17, "its own", R"([1])"));
  EXPECT_EQ(At(peer->TakeAnswer()->Json(), "/error/code"), 17);
}

TEST(ModernRequest, IsToldByItsMetadataOrItsHeader) {
  const auto modern = [](std::string text, std::string_view header) {
    return IsModernRequest(*mcp::Message::Parse(std::move(text)), header);
  };
  const std::string plain = R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})";
  const std::string initialize = R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})";
  EXPECT_FALSE(modern(plain, ""));
  EXPECT_FALSE(modern(plain, "2025-11-25"));
  EXPECT_TRUE(modern(plain, "2026-07-28"));
  EXPECT_FALSE(modern(initialize, "2026-07-28"));
  EXPECT_TRUE(modern(ModernBody("initialize"), ""));
  for (const char* key : {"protocolVersion", "clientCapabilities", "clientInfo"}) {
    EXPECT_TRUE(
        modern(Body("tools/list", R"("io.modelcontextprotocol/)" + std::string(key) + R"(":{})"),
               "2025-11-25"))
        << key;
  }
  EXPECT_FALSE(modern(Body("tools/list", R"("progressToken":1)"), ""));
}

}  // namespace
}  // namespace switchyard::edge
