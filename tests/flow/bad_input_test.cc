// Bad clients: each gets a clear error, and everybody else nothing of it.
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

class BadInput : public ::testing::Test {
 protected:
  BadInput() {
    gateway.With("listen", "{address: \"127.0.0.1:0\", max_body: 64KiB}").Serves("a", fake).Start();
  }

  Answer Send(const std::string& body) {
    return gateway.Modern().Post(body, {.method = "tools/call", .members = R"("name":"a__echo")"});
  }
  // A call in which `members` stand in the place of the tool's name.
  Answer SendParams(const std::string& params) {
    return Send(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{)" + params + "}}");
  }
  void ExpectRefused(const Answer& answer, int code) {
    EXPECT_EQ(answer.status, 400) << answer;
    EXPECT_EQ(answer.code(), code) << answer;
  }
  void TearDown() override {
    // unharmed, and the server saw nothing of all this
    EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
    EXPECT_EQ(fake.received("tools/call").size(), 1u);
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

TEST_F(BadInput, WhatIsNoJsonIsAParseError) {
  for (const char* body : {"", "{", "{]", "tools", "{\"a\":1}}", "\xff\xfe", "{\"id\":01}"}) {
    ExpectRefused(Send(body), -32700);
  }
}

TEST_F(BadInput, JsonThatIsNoMessageIsAnInvalidRequest) {
  for (const char* body : {"null", "1", "\"x\"", "{}", "[]", R"({"id":1,"method":"tools/list"})",
                           R"({"jsonrpc":"1.0","id":1,"method":"tools/list"})",
                           R"({"jsonrpc":"2.0","id":null,"method":"tools/list"})",
                           R"({"jsonrpc":"2.0","id":{},"method":"tools/list"})",
                           R"({"jsonrpc":"2.0","id":1.5,"method":"tools/list"})",
                           R"({"jsonrpc":"2.0","id":1,"method":7})",
                           R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]})"}) {
    ExpectRefused(Send(body), -32600);
  }
}

TEST_F(BadInput, ABatchIsRefused) {
  ExpectRefused(Send(R"([{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{)" +
                     std::string(kMeta) + "}}]"),
                -32600);
}

TEST_F(BadInput, AKeyThatAppearsTwiceIsRefused) {
  const std::string meta(kMeta);
  for (const std::string& params :
       {R"("name":"a__echo","name":"a__die",)" + meta,
        R"("name":"a__echo","arguments":{},"arguments":{"x":1},)" + meta,
        R"("name":"a__echo",)" + meta + "," + meta}) {
    ExpectRefused(SendParams(params), -32600);
  }
  const std::string call = R"("params":{"name":"a__echo",)" + meta + "}";
  for (const std::string& members :
       {R"("jsonrpc":"2.0","id":1,"id":2,"method":"tools/call",)" + call,
        R"("jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list",)" + call,
        R"("jsonrpc":"2.0","id":1,"method":"tools/call",)" + call + "," + call}) {
    ExpectRefused(Send("{" + members + "}"), -32600);
  }
}

TEST_F(BadInput, AnEscapedKeyOfTheEnvelopeIsRefused) {
  const std::string meta(kMeta);
  ExpectRefused(SendParams(R"("n\u0061me":"a__die","name":"a__echo",)" + meta), -32600);
  ExpectRefused(SendParams(R"("name":"a__echo","\u0061rguments":{},)" + meta), -32600);
  ExpectRefused(
      Send(R"({"jsonrpc":"2.0","id":1,"m\u0065thod":"tools/call","params":{"name":"a__echo",)" +
           meta + "}}"),
      -32600);
}

TEST_F(BadInput, ABodyOverTheLimitIsTooLarge) {
  const Answer answer = Send(std::string(70'000, ' '));
  EXPECT_EQ(answer.status, 413);
}

TEST_F(BadInput, AnAnnouncedLengthOverTheLimitIsRefusedUnread) {
  const Answer answer = gateway.Modern().Raw(
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(answer.status, 413);
}

TEST_F(BadInput, AChunkedBodyOverTheLimitIsTooLarge) {
  const Answer answer = gateway.Modern().Raw(
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n" +
      ChunkOf(std::string(70'000, ' ')));
  EXPECT_EQ(answer.status, 413);
}

TEST_F(BadInput, HeadersOverTheLimitAreTooLarge) {
  const Answer answer = gateway.Modern().Raw(
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Big: " + std::string(70'000, 'h') + "\r\n\r\n");
  EXPECT_EQ(answer.status, 431);
}

TEST_F(BadInput, WhatNeverBecomesACallIsCountedByItsStatus) {
  const auto status = [this](const std::string& head) {
    return gateway.Modern().Raw(head + "\r\n\r\n").status;
  };
  EXPECT_EQ(status("GET /healthz HTTP/1.1\r\nHost: evil.example"), 403);
  EXPECT_EQ(status("GET /nowhere HTTP/1.1\r\nHost: localhost"), 404);
  EXPECT_EQ(status("GET /mcp HTTP/1.1\r\nHost: localhost"), 405);
  EXPECT_EQ(status("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000"), 413);
  EXPECT_EQ(status("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"), 415);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(70'000, 'h')), 431);
  // Headers that are not as the body says.
  EXPECT_EQ(gateway.Modern()
                .Request({.method = "tools/call",
                          .members = R"("name":"a__echo")",
                          .headers = {{"mcp-method", "tools/list"}}})
                .status,
            400);
  for (const char* refused : {"400", "403", "404", "405", "413", "415", "431"}) {
    EXPECT_TRUE(
        Shows(gateway, "switchyard_refused_total{status=\"" + std::string(refused) + "\"} 1"))
        << refused;
  }
}

TEST_F(BadInput, AnotherContentTypeIsUnsupported) {
  for (const char* type : {"text/plain", "application/jsonx", ""}) {
    const Answer answer = gateway.Modern().Post(
        "{}", {.method = "tools/list", .headers = {{"content-type", std::string(type)}}});
    EXPECT_EQ(answer.status, 415) << type;
  }
}

TEST_F(BadInput, WhatIsNoHttpIsABadRequest) {
  for (const char* bytes :
       {"nonsense\r\n\r\n", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"}) {
    const Answer answer = gateway.Modern().Raw(bytes);
    EXPECT_GE(answer.status, 400) << bytes << answer;
    EXPECT_LE(answer.status, 501) << bytes << answer;
  }
}

TEST_F(BadInput, AnotherPathIsNotFound) {
  for (const char* path : {"/", "/mcp/none", "/mcp/a/b", "/other", "/mcpx"}) {
    EXPECT_EQ(gateway.Modern(path).Request({.method = "tools/list"}).status, 404) << path;
  }
}

TEST_F(BadInput, ARefusedBodyDoesNotHarmItsConnection) {
  ModernClient client = gateway.Modern();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.Post("{]", {.method = "tools/list"}).status, 400);
    EXPECT_EQ(client.Request({.method = "tools/list"}).code(), 0);
  }
}

TEST_F(BadInput, ClientsThatSendSlowlyOrVanishMidRequestHoldNobodyUp) {
  std::vector<Wire> slow;
  for (int i = 0; i < 64; ++i) {
    Wire wire = gateway.Modern().Connect();
    wire.Write("POST /mcp HTTP/1.1\r\nHost: local");
    slow.push_back(std::move(wire));
  }
  EXPECT_GT(gateway.Modern().Tools().size(), 20u);
  for (std::size_t i = 0; i < slow.size(); ++i) {
    if (i % 2 == 0) slow[i].Reset();
  }
  EXPECT_GT(gateway.Modern().Tools().size(), 20u);
}

TEST_F(BadInput, RequestsInOnePieceAreAnsweredInTheirOrder) {
  const ModernClient client = gateway.Modern();
  std::string both;
  for (const char* id : {"1", "2", "3"}) {
    both += client.Text({.method = "tools/list", .id = id});
  }
  Wire wire = client.Connect();
  wire.Write(both);
  for (int id = 1; id <= 3; ++id) {
    const std::optional<Head> head = ReadHead(wire);
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(At(Parse(ReadBody(wire, *head, true).value_or("")), "/id"), id);
  }
}

TEST_F(BadInput, DeepNestingIsRefused) {
  const std::string deep = std::string(20'000, '[') + std::string(20'000, ']');
  const Answer answer =
      SendParams(R"("name":"a__echo","arguments":{"x":)" + deep + "}," + std::string(kMeta));
  EXPECT_EQ(answer.status, 400) << answer;
}

}  // namespace
}  // namespace switchyard::tests
