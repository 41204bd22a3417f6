// HTTP+SSE (2024-11-05) in front of servers of both eras: basic/transports of that revision.
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/resumable_stream.h"

namespace switchyard::tests {
namespace {

class HttpPlusSse : public ::testing::Test {
 protected:
  HttpPlusSse() {
    gateway.Serves("a", modern).Serves("b", legacy);
    gateway.With("listen", R"({address: "127.0.0.1:0", legacy_sse: true})").Start();
  }
  ResumableStream Open(const std::string& path = "/sse") {
    Wire wire = Wire::Connect(gateway.port());
    wire.Write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    return ResumableStream(std::move(wire));
  }
  // Each on a connection of its own, so to any worker.
  int Say(const std::string& url, const std::string& body) {
    ModernClient client(gateway.port());
    Wire wire = client.Connect();
    wire.Write("POST " + url +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return Exchange(std::move(wire), "").status();
  }
  static std::string Request(int id, const std::string& method, const std::string& params = "{}") {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":)" + Quote(method) +
           R"(,"params":)" + params + "}";
  }

  FakeServer modern = FakeServer::Modern("a");
  FakeServer legacy = FakeServer::Legacy("b");
  Gateway gateway;
};

TEST_F(HttpPlusSse, AClientOf20241105UsesServersOfBothEras) {
  for (const char* path : {"/sse", "/mcp"}) {
    ResumableStream stream = Open(path);
    const StreamEvent first = stream.Next().value_or(StreamEvent());
    ASSERT_EQ(first.type, "endpoint");
    EXPECT_EQ(Say(first.data, Request(0, "initialize",
                                      R"({"protocolVersion":"2024-11-05","capabilities":{},)"
                                      R"("clientInfo":{"name":"old","version":"1"}})")),
              202);
    const json::value initialized = Parse(stream.NextMessage().data);
    EXPECT_EQ(TextAt(initialized, "/result/protocolVersion"), "2024-11-05");
    for (int id = 1; id <= 8; ++id) {
      const std::string server = id % 2 == 0 ? "a" : "b";
      EXPECT_EQ(Say(first.data,
                    Request(id, "tools/call",
                            R"({"name":")" + server + R"(__echo","arguments":{"text":"x"}})")),
                202);
      const StreamEvent answer = stream.NextMessage();
      EXPECT_EQ(answer.type, "message");
      EXPECT_EQ(At(Parse(answer.data), "/id"), id) << answer.data;
      EXPECT_EQ(TextAt(Parse(answer.data), "/result/content/0/text"), "x") << answer.data;
    }
  }
}

TEST_F(HttpPlusSse, ChangesComeOnTheStreamAndAStoppingGatewayEndsIt) {
  ResumableStream stream = Open();
  const std::string url = stream.Next().value_or(StreamEvent()).data;
  Say(url, Request(0, "initialize",
                   R"({"protocolVersion":"2024-11-05","capabilities":{},)"
                   R"("clientInfo":{"name":"old","version":"1"}})"));
  stream.NextMessage();
  Say(url, R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  Say(url, Request(1, "ping"));
  stream.NextMessage();
  Say(url, Request(2, "tools/call", R"({"name":"a__grow","arguments":{}})"));
  std::set<std::string> heard;
  for (int i = 0; i < 2; ++i) {
    const json::value message = Parse(stream.NextMessage().data);
    heard.insert(At(message, "/id").is_null() ? TextAt(message, "/method") : "answer");
  }
  EXPECT_EQ(heard, (std::set<std::string>{"answer", "notifications/tools/list_changed"}));
  gateway.Stop();
  EXPECT_FALSE(stream.Next().has_value());
}

TEST_F(HttpPlusSse, IsOffByDefault) {
  Gateway plain;
  plain.Serves("a", modern).Start();
  Wire wire = Wire::Connect(plain.port());
  wire.Write("GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
  EXPECT_EQ(ResumableStream(std::move(wire)).status(), 404);
}

}  // namespace
}  // namespace switchyard::tests
