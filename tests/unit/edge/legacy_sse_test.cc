// HTTP+SSE (2024-11-05): a stream down, POSTs up.
#include "edge/legacy_sse.h"

#include <gtest/gtest.h>

#include "unit/edge/legacy_support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

struct LegacySseTest : ::testing::Test, LegacyEdge {
  std::unique_ptr<Peer> stream, posting;

  LegacySseTest() { endpoint.SetAccess(Access{.legacy_sse = true}); }

  static Request Opening(std::string target = "/sse") {
    Request request;
    request.method = "GET";
    request.target = std::move(target);
    return std::move(request).Set("Accept", "text/event-stream");
  }
  // The URL for messages.
  std::string OpenStream(const std::string& target = "/sse") {
    stream = Connect();
    posting = Connect();
    stream->Send(Opening(target).Text());
    EXPECT_TRUE(stream->WaitFor("\n\n"));
    const auto events = EventsOf(stream->received());
    EXPECT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].type, "endpoint");
    stream->TakeReceived();
    return events[0].data;
  }
  int Say(const std::string& url, std::string body) {
    Request request = Post(std::move(body));
    request.target = url;
    return Ask(*posting, request)->status;
  }
  tests::json::value Hear() {
    std::vector<SeenEvent> events;
    EXPECT_TRUE(RunUntil(context, [&] {
      stream->Read();
      events = EventsOf(stream->received());
      return !events.empty();
    }));
    stream->TakeReceived();
    if (events.empty()) return {};
    EXPECT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].type, "message");
    EXPECT_EQ(events[0].id, "") << "2024-11-05 has no event ids";
    return Parse(events[0].data);
  }
  static std::string Initialize(std::string_view version = "2024-11-05") {
    return Plain("initialize", R"({"protocolVersion":")" + std::string(version) +
                                   R"(","capabilities":{"roots":{}},)"
                                   R"("clientInfo":{"name":"a","version":"1"}})");
  }
};

TEST_F(LegacySseTest, IsOffUnlessItIsAskedFor) {
  endpoint.SetAccess(Access{});
  EXPECT_EQ(Ask(*peer, Opening())->status, 404);
  EXPECT_EQ(Ask(*peer, Opening("/mcp"))->status, 405);
  Request post = Post(Initialize());
  post.target = "/sse?channel=0-0";
  EXPECT_EQ(Ask(*peer, post)->status, 404);
}

TEST_F(LegacySseTest, NamesTheUrlForMessagesFirstAndAnswersOnTheStream) {
  const std::string url = OpenStream();
  EXPECT_TRUE(url.starts_with("/sse?channel=")) << url;
  EXPECT_EQ(Say(url, Initialize()), 202);
  const auto initialized = Hear();
  EXPECT_EQ(TextAt(initialized, "/result/protocolVersion"), "2024-11-05");
  EXPECT_EQ(Say(url, R"({"jsonrpc":"2.0","method":"notifications/initialized"})"), 202);
  EXPECT_EQ(service->seen.back(), "subscriptions/listen");
  EXPECT_EQ(Say(url, Plain("tools/list")), 202);
  EXPECT_TRUE(At(Hear(), "/result/tools").is_array());
  EXPECT_EQ(Say(url, Call("7")), 202);
  service->scripts.back()->Say(ResultOf(R"({"resultType":"complete","content":[]})"));
  EXPECT_EQ(Hear(), Parse(R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})"));
  EXPECT_EQ(service->last_call->client->version, mcp::Version::k2024_11_05);
}

TEST_F(LegacySseTest, IsAlsoThereAtTheUrlOfTheEndpointAndForEachEndpoint) {
  EXPECT_TRUE(OpenStream("/mcp").starts_with("/sse?channel="));
  const std::string url = OpenStream("/sse/team");
  EXPECT_TRUE(url.starts_with("/sse/team?channel=")) << url;
  EXPECT_EQ(Say(url, Initialize()), 202);
  Hear();
  EXPECT_EQ(service->last_call->endpoint, "team");
  EXPECT_EQ(Say("/sse" + url.substr(9), Plain("ping")), 404) << "not through another endpoint";
  EXPECT_EQ(Ask(*peer, Opening("/sse/none"))->status, 404);
}

TEST_F(LegacySseTest, ClientsThatAskForALaterRevisionGetIt) {
  Say(OpenStream(), Initialize("2025-06-18"));
  EXPECT_EQ(TextAt(Hear(), "/result/protocolVersion"), "2025-06-18");
  Say(OpenStream(), Initialize("2026-07-28"));
  EXPECT_EQ(TextAt(Hear(), "/result/protocolVersion"), "2025-11-25") << "never a modern one";
}

TEST_F(LegacySseTest, UnknownStreamsAndBadMessagesAreRefused) {
  const std::string url = OpenStream();
  for (const char* bad :
       {"/sse", "/sse?channel=", "/sse?channel=0-abc", "/sse?channel=9-abc", "/sse?channel=x"}) {
    EXPECT_EQ(Say(bad, Plain("ping")), 404) << bad;
  }
  EXPECT_EQ(Say(url, "rubbish"), 202);
  EXPECT_EQ(At(Hear(), "/error/code"), -32700);
  EXPECT_EQ(Say(url, Plain("tools/list")), 202);
  EXPECT_EQ(At(Hear(), "/error/code"), -32600) << "initialize comes first";
  Request text = Post(Plain("ping")).Set("Content-Type", "text/plain");
  text.target = url;
  EXPECT_EQ(Ask(*posting, text)->status, 415);
  EXPECT_EQ(Ask(*peer, Opening().Set("Accept", "application/json"))->status, 406);
}

TEST_F(LegacySseTest, ModernRequestsAreNotServedThere) {
  const std::string url = OpenStream();
  Say(url, Initialize());
  Hear();
  Say(url, ModernBody("server/discover"));
  EXPECT_EQ(At(Hear(), "/error/code"), -32601);
}

TEST_F(LegacySseTest, ProgressAndQuestionsComeOnTheStream) {
  const std::string url = OpenStream();
  Say(url, Initialize());
  Hear();
  Say(url, Call("7", R"("progressToken":1)"));
  service->scripts.back()->Say(
      Notification("notifications/progress", R"({"progressToken":1,"progress":1})"));
  EXPECT_EQ(TextAt(Hear(), "/method"), "notifications/progress");
  service->scripts.back()->Say(
      ResultOf(R"({"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}})"));
  const auto question = Hear();
  EXPECT_EQ(TextAt(question, "/method"), "roots/list");
  Say(url, ResultFor(tests::json::serialize(At(question, "/id")), R"({"roots":[]})"));
  ASSERT_EQ(service->scripts.size(), 2U);
  service->scripts.back()->Say(ResultOf("{}"));
  EXPECT_EQ(At(Hear(), "/id"), 7);
}

TEST_F(LegacySseTest, ClosingTheStreamEndsTheSessionAndItsCalls) {
  const std::string url = OpenStream();
  Say(url, Initialize());
  Hear();
  Say(url, Call("7"));
  const auto script = service->scripts.back();
  const std::string session = service->last_call->client->session;
  stream->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return script->dropped; }));
  Settle(context);
  EXPECT_EQ(Say(url, Plain("ping")), 404);
  EXPECT_EQ(sessions.Find(session, ""), nullptr);
  EXPECT_EQ(sessions.size(), 0U);
}

TEST_F(LegacySseTest, EndsInOrderWhenTheGatewayEndsItsListens) {
  const std::string url = OpenStream();
  Say(url, Initialize());
  Hear();
  Say(url, R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  const auto changes = service->scripts.back();
  Say(url, Call("7"));
  const auto call = service->scripts.back();
  changes->Say(ResultOf("{}"));
  Settle(context);
  stream->Read();
  EXPECT_FALSE(stream->received().ends_with("0\r\n\r\n")) << "a call is running";
  call->Say(ResultOf("{}"));
  EXPECT_TRUE(stream->WaitFor("0\r\n\r\n"));
}

}  // namespace
}  // namespace switchyard::edge
