// What belongs to one caller is, for every other, what nobody has: streams of HTTP+SSE, questions
// that wait for an answer, tasks. (Sessions: auth_test.cc.)
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_tasks.h"
#include "support/gateway_fixture.h"
#include "support/questions.h"
#include "support/resumable_stream.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

class ForeignCallers : public ::testing::TestWithParam<Era> {
 protected:
  void SetUp() override {
    AddTasks(fake.surface(), GetParam());
    gateway.Serves("a", fake)
        .With("listen", R"({address: "127.0.0.1:0", legacy_sse: true})")
        .With("auth", "{issuers: [" + issuer.Config("audience: [gateway]") + "]}")
        .Start();
  }
  ModernClient As(const std::string& name, const std::string& capabilities) const {
    ModernClient client(gateway.port(), "/mcp", issuer.Token(name));
    client.set_capabilities(capabilities);
    return client;
  }
  // The status of a message that is posted to a stream.
  int Say(const std::string& url, const std::string& token, const std::string& body) const {
    Wire wire = gateway.Modern().Connect();
    wire.Write("POST " + url +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
               (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return Exchange(std::move(wire), "").status();
  }

  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  TokenIssuer issuer;
  Gateway gateway;
};

// Of the server.
INSTANTIATE_TEST_SUITE_P(Server, ForeignCallers, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(ForeignCallers, AStreamTakesMessagesOfItsOwnCallerAlone) {
  const std::string alice = issuer.Token("alice"), bob = issuer.Token("bob");
  Wire wire = gateway.Modern().Connect();
  wire.Write(
      "GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
      "Authorization: Bearer " +
      alice + "\r\n\r\n");
  ResumableStream stream(std::move(wire));
  const std::string url = stream.Next().value_or(StreamEvent()).data;
  ASSERT_FALSE(url.empty());
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  EXPECT_EQ(Say(url, "", ping), 401);
  EXPECT_EQ(Say(url, bob, ping), 404);
  EXPECT_EQ(Say("/sse?channel=0-nobody", bob, ping), 404);
  EXPECT_EQ(Say(url, alice, ping), 202);
  // A newer token of the same caller will do.
  EXPECT_EQ(Say(url, issuer.Token("alice", {{"jti", R"("2")"}}), ping), 202);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(At(Parse(stream.NextMessage().data), "/id"), 1);
}

TEST_P(ForeignCallers, AQuestionIsAnsweredByWhomItWasAskedAlone) {
  const std::string offers = R"({"roots":{}})";
  ModernClient alice = As("alice", offers), bob = As("bob", offers);
  const std::string call = R"("name":"a__ask","arguments":{"method":"roots/list","params":{}})";
  const Answer asked = alice.Request({.method = "tools/call", .members = call});
  ASSERT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  const json::value requests = asked.at("/result/inputRequests");
  const std::string key(requests.as_object().begin()->key());
  const auto retry = [&](const std::string& state) {
    return Ask{.method = "tools/call",
               .members = call + R"(,"inputResponses":{")" + key +
                          R"(":{"roots":[{"uri":"file:///r"}]}},"requestState":)" + Quote(state),
               .id = "9"};
  };
  const std::string state = TextAt(asked.message(), "/result/requestState");
  const Answer stolen = bob.Request(retry(state));
  const Answer made_up = bob.Request(retry("nobody-has-this"));
  EXPECT_NE(stolen.code(), 0) << stolen;
  EXPECT_EQ(stolen.status, made_up.status);
  EXPECT_EQ(stolen.body, made_up.body);
  EXPECT_THAT(alice.Request(retry(state)).text(), ::testing::HasSubstr("file:///r"));
}

TEST_P(ForeignCallers, ATaskIsItsCallersAlone) {
  const std::string takes = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  ModernClient alice = As("alice", takes), bob = As("bob", takes);
  const Answer begun = alice.Request(
      {.method = "tools/call", .members = R"("name":"a__must","arguments":{"label":"one"})"});
  const std::string id = TextAt(begun.message(), "/result/taskId");
  ASSERT_FALSE(id.empty()) << begun;
  const auto about = [](ModernClient& client, const std::string& method, const std::string& task) {
    return client.Request({.method = method, .members = R"("taskId":)" + Quote(task), .id = "9"});
  };
  for (const char* method : {"tasks/get", "tasks/cancel"}) {
    const Answer foreign = about(bob, method, id);
    const Answer unknown = about(bob, method, "nobody-has-this");
    EXPECT_NE(foreign.code(), 0) << foreign;
    EXPECT_EQ(foreign.status, unknown.status);
    EXPECT_EQ(foreign.body, unknown.body);
  }
  EXPECT_EQ(TextAt(about(alice, "tasks/get", id).message(), "/result/status"), "working");
  about(alice, "tasks/cancel", id);
}

TEST_P(ForeignCallers, ALegacyCallerCancelsItsOwnTask) {
  LegacyClient alice(gateway.port(), "/mcp", "2025-11-25", issuer.Token("alice"));
  const Answer begun =
      alice.Request({.method = "tools/call",
                     .members = R"("name":"a__must","arguments":{"label":"one"},"task":{})"});
  const std::string id = TextAt(begun.message(), "/result/task/taskId");
  ASSERT_FALSE(id.empty()) << begun;
  const Answer cancelled =
      alice.Request({.method = "tasks/cancel", .members = R"("taskId":)" + Quote(id)});
  EXPECT_EQ(TextAt(cancelled.message(), "/result/status"), "cancelled") << cancelled;
}

}  // namespace
}  // namespace switchyard::tests
