// HTTP+SSE against a scripted server: what may be the endpoint, and what a POST's status means.
// What it has in common with other transports is in tests/contract.
#include "downstream/http_sse.h"

#include <string>

#include "downstream/http_either.h"
#include "unit/downstream/http_fixture.h"

namespace switchyard::downstream {
namespace {

using tests::Chunk;
using tests::EventOf;
using tests::EventsStart;
using Request = ScriptedHttpServer::Request;
using Peer = ScriptedHttpServer::Peer;

constexpr const char* kAccepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

class HttpSseTest : public HttpTest {
 protected:
  HttpSseTest() {
    sse_.OnDown([this](Error error) { down_.push_back(std::move(error)); });
    sse_.OnUnsolicited([this](mcp::Message message) { strays_.push_back(message.ToText()); });
  }
  ~HttpSseTest() override {
    if (stream_open_) Say("");
    if (stream_open_) RunUntil([this] { return !stream_open_; });
  }

  // The GET gets a stream that says what Say() is given, until Say("").
  void ThenStream(std::string first) {
    server_.Then([this, first](Peer& peer, const Request&) -> Task<void> {
      stream_open_ = true;
      co_await peer.Send(EventsStart() + Chunk(first));
      for (;;) {
        const std::string said = co_await said_.Take();
        if (said.empty()) break;
        co_await peer.Send(Chunk(said));
      }
      peer.Close();
      stream_open_ = false;
    });
  }
  void ThenStreamNaming(const std::string& endpoint) {
    ThenStream("event: endpoint\ndata: " + endpoint + "\n\n");
  }
  void Say(const std::string& text) { said_.Put(text); }

  std::string Start() {
    const Result<void> started = Run(sse_.Start());
    return started ? "started" : started.error().message;
  }
  Result<ReplyPtr> Ask() { return Run(sse_.Request(Out())); }
  // Its answer is to come on the stream.
  Result<ReplyPtr> AskedAndTaken() {
    ThenStreamNaming("/messages");
    EXPECT_EQ(Start(), "started");
    server_.ThenSend(kAccepted);
    Result<ReplyPtr> reply = Ask();
    EXPECT_TRUE(RunUntil([&] { return server_.requests().size() == 2; }));
    return reply;
  }
  Error AskedError() {
    Result<ReplyPtr> reply = Ask();
    if (!reply) return reply.error();
    Result<std::optional<mcp::Message>> next = Next(*reply);
    return next ? Error{.message = "no error"} : next.error();
  }

  SseLimits limits_{.exchanges = {}, .unsent = 64, .posts = 2, .rubbish = 3};
  HttpSseTransport sse_{Config(server_.Url()), deps_, limits_};
  Mailbox<std::string> said_;
  bool stream_open_ = false;
  std::vector<Error> down_;
  std::vector<std::string> strays_;
};

TEST_F(HttpSseTest, PostsToTheAddressThatTheStreamNamesAndReadsTheAnswerThere) {
  for (const std::string endpoint : {"/messages?s=1", "messages?s=1", ""}) {
    ThenStreamNaming(endpoint.empty() ? server_.Url("127.0.0.1", "/messages?s=1") : endpoint);
    ASSERT_EQ(Start(), "started") << endpoint;
    server_.ThenSend(kAccepted);
    Result<ReplyPtr> reply = Ask();
    ASSERT_TRUE(reply) << reply.error().message;
    ASSERT_TRUE(RunUntil([&] { return server_.requests().back().start.starts_with("POST"); }));
    EXPECT_EQ(server_.requests().back().start, "POST /messages?s=1 HTTP/1.1") << endpoint;
    EXPECT_EQ(server_.requests().back().body, kRequestBody);
    Say(EventOf(kResponse));
    EXPECT_EQ(All(std::move(reply)), std::vector<std::string>{kResponse});
    Say("");
    RunUntil([this] { return down_.size() == 1 && !stream_open_; });
    down_.clear();
  }
}

// The configured headers are credentials.
TEST_F(HttpSseTest, NeverPostsToAnotherOrigin) {
  for (const std::string endpoint : {"http://127.0.0.2:1/messages", "https://127.0.0.1/messages",
                                     "//elsewhere/messages", "http://user@127.0.0.1/messages"}) {
    ThenStreamNaming(endpoint);
    EXPECT_TRUE(Start().contains("its endpoint is")) << endpoint;
    EXPECT_EQ(server_.requests().back().start, "GET /mcp HTTP/1.1");
    Say("");
    RunUntil([this] { return !stream_open_; });
  }
}

TEST_F(HttpSseTest, IsNoServerOfItsKindThatSaysSomethingElseFirst) {
  ThenStream(EventOf(kProgress));
  const std::string why = Start();
  EXPECT_TRUE(why.contains("no stream of HTTP+SSE")) << why;
  EXPECT_TRUE(why.starts_with("server x: GET /mcp: ")) << why;
}

TEST_F(HttpSseTest, WaitsForTheEndpointOnlySoLong) {
  ThenStream(": nothing\n\n");
  std::string why;
  Spawn(context_.get_executor(), "start",
        [](HttpSseTransport& sse, std::string& out) -> Task<void> {
          const Result<void> started = co_await sse.Start();
          out = started ? "started" : started.error().message;
        }(sse_, why));
  ASSERT_TRUE(RunUntil([this] { return stream_open_; }));
  RunAll();
  Pass(std::chrono::seconds(11));
  ASSERT_TRUE(RunUntil([&] { return !why.empty(); }));
  EXPECT_EQ(why, "server x: its stream names no endpoint");
}

TEST_F(HttpSseTest, ARefusedStreamTellsItsStatus) {
  server_.ThenSend("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Start(), "server x: GET /mcp: 405 Method Not Allowed");
}

TEST_F(HttpSseTest, AnAnswerMayComeBeforeItsPostIsTaken) {
  ThenStreamNaming("/messages");
  ASSERT_EQ(Start(), "started");
  server_.Then([this](Peer& peer, const Request&) -> Task<void> {
    said_.Put(EventOf(kProgress.substr(0, kProgress.size() - 1) +
                      R"(,"params":{"progressToken":7,"progress":1}})") +
              EventOf(kResponse));
    co_await peer.UntilClosed();
  });
  Result<ReplyPtr> reply = Ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(All(std::move(reply)).size(), 2u);
}

TEST_F(HttpSseTest, ARefusedPostFailsItsRequestAndNoOther) {
  ThenStreamNaming("/messages");
  ASSERT_EQ(Start(), "started");
  server_.ThenSend("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  const Error error = AskedError();
  EXPECT_EQ(error.code, Code::kProtocol) << error.message;
  EXPECT_FALSE(error.retryable);
  EXPECT_TRUE(down_.empty());
}

TEST_F(HttpSseTest, AForgottenSessionIsDownAndItsRequestWasNotLookedAt) {
  ThenStreamNaming("/messages");
  ASSERT_EQ(Start(), "started");
  server_.ThenSend("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  const Error error = AskedError();
  EXPECT_EQ(error.code, Code::kUnavailable) << error.message;
  EXPECT_TRUE(error.retryable);
  ASSERT_EQ(down_.size(), 1u);
  EXPECT_EQ(Ask().error().message, "server x: down");
}

TEST_F(HttpSseTest, TheEndOfTheStreamFailsWhatIsOpenAndIsTold) {
  Result<ReplyPtr> reply = AskedAndTaken();
  ASSERT_TRUE(reply);
  Say("");
  const Result<std::optional<mcp::Message>> next = Next(*reply);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::kUnavailable) << next.error().message;
  EXPECT_FALSE(next.error().retryable) << "the server may have run it";
  EXPECT_EQ(down_.size(), 1u);
}

TEST_F(HttpSseTest, WhatIsTakenWhenTheStreamIsOverIsNoSuccess) {
  ThenStreamNaming("/messages");
  ASSERT_EQ(Start(), "started");
  Mailbox<bool> over;
  server_.Then([&over](Peer& peer, const Request&) -> Task<void> {
    co_await over.Take();
    co_await peer.Send(kAccepted);
  });
  std::string told;
  Spawn(context_.get_executor(), "tell",
        [](HttpSseTransport& sse, Outgoing out, std::string& result) -> Task<void> {
          const Result<void> sent = co_await sse.Notify(out);
          result = sent ? "sent" : sent.error().message;
        }(sse_, Out(), told));
  ASSERT_TRUE(RunUntil([&] { return server_.requests().size() == 2; }));
  Say("");
  ASSERT_TRUE(RunUntil([this] { return down_.size() == 1; }));
  over.Put(true);
  ASSERT_TRUE(RunUntil([&] { return !told.empty(); }));
  EXPECT_EQ(told, "server x: down") << "a session would begin that is over";
}

TEST_F(HttpSseTest, UselessEventsAreSkippedUntilThereAreTooManyInARow) {
  ThenStreamNaming("/messages");
  ASSERT_EQ(Start(), "started");
  const std::string stray = R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})";
  Say(EventOf("rubbish") + EventOf("{}") + EventOf(stray) + "event: ping\ndata: x\n\n" +
      EventOf("rubbish") + EventOf("{}"));
  ASSERT_TRUE(RunUntil([this] { return !strays_.empty(); }));
  RunAll();
  EXPECT_EQ(strays_, std::vector<std::string>{stray});
  EXPECT_TRUE(down_.empty());
  Say(EventOf("rubbish"));
  ASSERT_TRUE(RunUntil([this] { return !down_.empty(); }));
  EXPECT_TRUE(down_[0].message.contains("3 events in a row")) << down_[0].message;
}

TEST_F(HttpSseTest, AnAnswerThatIsNoJsonRpcEndsItsCallAtOnce) {
  Result<ReplyPtr> reply = AskedAndTaken();
  ASSERT_TRUE(reply);
  Say(EventOf(R"({"jsonrpc":"2.0","id":7,"result":null})"));
  const Result<std::optional<mcp::Message>> next = Next(*reply);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::kProtocol);
  EXPECT_EQ(next.error().message, "server x: answer is not JSON-RPC: result must be an object");
  EXPECT_TRUE(down_.empty());
}

TEST_F(HttpSseTest, WhatAServerDoesNotTakeIsBounded) {
  ThenStreamNaming("/messages");
  ASSERT_EQ(Start(), "started");
  server_.Then([](Peer& peer, const Request&) -> Task<void> { co_await peer.UntilClosed(); });
  Result<ReplyPtr> first = Ask();
  ASSERT_TRUE(first);
  const Result<ReplyPtr> second = Ask();
  ASSERT_FALSE(second) << "two of these are more than 64 bytes";
  EXPECT_EQ(second.error().message, "server x: does not take its input");
  EXPECT_TRUE(second.error().retryable);
}

// -- either of the two

TEST_F(HttpSseTest, AnUnconfiguredUrlIsStreamableHttpUntilItFallsBack) {
  HttpEither either(Config(server_.Url()), deps_);
  ASSERT_TRUE(Run(either.Start()));
  EXPECT_TRUE(either.wants_headers());
  server_.ThenSend("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
  ASSERT_FALSE(Run(either.FallBack())) << "there is no stream either";
  EXPECT_TRUE(either.wants_headers());
  ThenStreamNaming("/messages");
  ASSERT_TRUE(Run(either.FallBack()));
  EXPECT_FALSE(either.wants_headers());
  Say("");
  RunUntil([this] { return !stream_open_; });
  RunAll();
  // Another program is there now.
  server_.ThenSend("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(Run(either.Start()));
  EXPECT_TRUE(either.wants_headers());
}

TEST_F(HttpSseTest, AServerThatIsDownIsStillWhatItWas) {
  HttpEither either(Config(server_.Url()), deps_);
  ThenStreamNaming("/messages");
  ASSERT_TRUE(Run(either.FallBack()));
  Say("");
  RunUntil([this] { return !stream_open_; });
  RunAll();
  server_.ThenSend("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  const Result<void> started = Run(either.Start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kUnavailable) << started.error().message;
  EXPECT_FALSE(either.wants_headers());
}

TEST_F(HttpSseTest, AStreamThatNamesNoEndpointMayBeOneOfStreamableHttp) {
  HttpEither either(Config(server_.Url()), deps_);
  ThenStreamNaming("/messages");
  ASSERT_TRUE(Run(either.FallBack()));
  Say("");
  RunUntil([this] { return !stream_open_; });
  RunAll();
  ThenStream(": nothing\n\n");
  std::string started;
  Spawn(context_.get_executor(), "start",
        [](HttpEither& transport, std::string& out) -> Task<void> {
          const Result<void> result = co_await transport.Start();
          out = result ? "started" : result.error().message;
        }(either, started));
  ASSERT_TRUE(RunUntil([this] { return stream_open_; }));
  RunAll();
  Pass(std::chrono::seconds(11));
  ASSERT_TRUE(RunUntil([&] { return !started.empty(); }));
  EXPECT_EQ(started, "started");
  EXPECT_TRUE(either.wants_headers()) << "the probe looks what it is";
}

}  // namespace
}  // namespace switchyard::downstream
