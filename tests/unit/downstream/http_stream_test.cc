#include "downstream/http_stream.h"

#include <string>

#include "unit/base/log_capture.h"
#include "unit/downstream/http_fixture.h"

namespace switchyard::downstream {
namespace {

using tests::Chunk;
using tests::EventOf;
using tests::EventsAnswer;
using tests::EventsStart;
using Request = ScriptedHttpServer::Request;
using Peer = ScriptedHttpServer::Peer;
using Texts = std::vector<std::string>;

class HttpStreamTest : public HttpTest {
 protected:
  // A server that sends what it is told and then waits to be left.
  void ThenHold(std::string bytes, bool& left) {
    server_.Then([bytes, &left](Peer& peer, const Request&) -> Task<void> {
      co_await peer.Send(bytes);
      co_await peer.UntilClosed();
      left = true;
    });
  }
  // How it fails within so many messages; without a message when it does not.
  static Task<Error> FailureOf(Reply& reply, int messages) {
    for (int i = 0; i < messages; ++i) {
      Result<std::optional<mcp::Message>> next = co_await reply.Next();
      if (!next) co_return std::move(next.error());
    }
    co_return Error();
  }
  Result<ReplyPtr> Open() { return Run(transport().OpenStream(Out())); }
};

TEST_F(HttpStreamTest, YieldsEventsAndThenTheResponse) {
  const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  server_.ThenSend(EventsAnswer(": comment\n\n" + EventOf(kProgress) + EventOf(request) +
                                "event: other\ndata: x\n\n" + EventOf(kResponse)));
  EXPECT_EQ(Call(), (Texts{kProgress, request, kResponse}));
  EXPECT_EQ(transport().pool().idle(), 1u);
}

TEST_F(HttpStreamTest, ReadsEventsInPiecesOfAnySize) {
  const std::string events = EventOf(kProgress) + EventOf(kResponse);
  for (std::size_t piece = 1; piece < 9; ++piece) {
    server_.ThenSend(
        EventsStart() + Chunk(events.substr(0, 40)) + Chunk(events.substr(40)) + Chunk(""), piece);
    EXPECT_EQ(Call(), (Texts{kProgress, kResponse})) << piece;
    EXPECT_TRUE(RunUntil([&] { return transport().pool().idle() == 1; }));
  }
  EXPECT_EQ(server_.connections(), 1) << "the rest of the message was waited for";
}

TEST_F(HttpStreamTest, GivesTheFirstEventBeforeTheSecondIsSent) {
  bool second = false;
  server_.Then([&](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send(EventsStart() + Chunk(EventOf(kProgress)));
    while (!second) co_await net::post(context_.get_executor(), use_task);
    co_await peer.Send(Chunk(EventOf(kResponse)) + Chunk(""));
  });
  Result<ReplyPtr> reply = Post();
  ASSERT_TRUE(reply);
  Result<std::optional<mcp::Message>> first = Next(*reply);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->ToText(), kProgress);
  second = true;
  EXPECT_EQ(All(std::move(reply)), Texts{kResponse});
}

TEST_F(HttpStreamTest, ClosesTheConnectionWhenItIsDropped) {
  bool left = false;
  ThenHold(EventsStart() + Chunk(EventOf(kProgress)), left);
  Result<ReplyPtr> reply = Post();
  ASSERT_TRUE(reply);
  ASSERT_TRUE(Next(*reply));
  EXPECT_FALSE(left);
  reply->reset();
  EXPECT_TRUE(RunUntil([&] { return left; }));
  EXPECT_EQ(transport().pool().idle(), 0u);
  EXPECT_EQ(timers_.size(), 0u);
}

TEST_F(HttpStreamTest, LeavesAServerThatDoesNotEndItsAnswer) {
  bool left = false;
  ThenHold(EventsStart() + Chunk(EventOf(kResponse)), left);
  EXPECT_EQ(Call(), Texts{kResponse});
  RunAll();
  EXPECT_FALSE(left);
  Pass(std::chrono::seconds(1));
  EXPECT_TRUE(RunUntil([&] { return left; }));
  EXPECT_EQ(transport().pool().idle(), 0u);
}

TEST_F(HttpStreamTest, FailsWhenTheStreamEndsOrBreaksBeforeTheResponse) {
  server_.ThenSend(EventsAnswer(EventOf(kProgress, "1")));
  EXPECT_EQ(Call(), (Texts{kProgress, "server x: POST /mcp: stream ended before the answer"}));
  server_.ThenSendAndClose(EventsStart() + Chunk(EventOf(kProgress)));
  EXPECT_EQ(Call(), (Texts{kProgress, "server x: POST /mcp: connection closed in the body"}));
  EXPECT_EQ(server_.requests().size(), 2u) << "nothing is resumed unless asked for";
}

TEST_F(HttpStreamTest, KeepsTheDeadlineUntilTheResponse) {
  server_.Then([this](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send(EventsStart() + Chunk(EventOf(kProgress)));
    Pass(std::chrono::seconds(30));
    co_await peer.UntilClosed();
  });
  EXPECT_EQ(Call().back(), "server x: POST /mcp: no answer in time");
}

TEST_F(HttpStreamTest, CutsOffRubbishAndStrangeAnswers) {
  server_.ThenSend(EventsAnswer("data: {rubbish\n\n"));
  Error error = CallError();
  EXPECT_EQ(error.code, Code::kProtocol);
  EXPECT_TRUE(error.message.contains("event is not JSON-RPC")) << error.message;
  server_.ThenSend(EventsAnswer(EventOf(R"({"jsonrpc":"2.0","id":8,"result":{}})")));
  error = CallError();
  EXPECT_EQ(error.code, Code::kProtocol);
  EXPECT_EQ(transport().pool().idle(), 0u);
}

TEST_F(HttpStreamTest, CutsOffAFloodThatDoesNotEnd) {
  const testing::LogCapture log;
  std::string events;
  for (int i = 0; i < 1000; ++i) events += EventOf(kProgress);
  resumable_ = true;
  bool due = true, left = false;
  server_.Then([&](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send(EventsStart());
    while (!left) {
      for (int i = std::exchange(due, false) ? 0 : 22; i < 22; ++i) {
        co_await peer.Send(Chunk(events));
      }
      co_await net::post(context_.get_executor(), use_task);
    }
  });
  Result<ReplyPtr> stream = Open();
  ASSERT_TRUE(stream);
  int seconds = 0;
  Error why = Run(FailureOf(**stream, 22'000));
  for (; why.message.empty() && seconds < 20; ++seconds) {
    Pass(std::chrono::seconds(1));
    due = true;
    why = Run(FailureOf(**stream, 22'000));
  }
  left = true;
  RunAll();
  EXPECT_EQ(seconds, 10);
  EXPECT_EQ(why.code, Code::kProtocol);
  EXPECT_EQ(why.message, "server x: GET /mcp: cut off: floods: more than 10000 a second for 10 s");
  EXPECT_EQ(log.count(why.message), 1) << log.text();
  EXPECT_EQ(server_.requests().size(), 1U) << "it is not taken up again at once";
  EXPECT_EQ(transport().pool().idle(), 0U);
}

TEST_F(HttpStreamTest, ResumesWhereTheServerGaveIds) {
  resumable_ = true;
  headers_ = "Mcp-Session-Id: abc\r\n";
  server_.ThenSendAndClose(EventsStart() + Chunk("id: 1\nretry: 500\ndata:\n\n") +
                           Chunk(EventOf(kProgress, "2")));
  Result<ReplyPtr> reply = Post();
  ASSERT_TRUE(reply);
  ASSERT_TRUE(Next(*reply));
  server_.ThenSend(EventsAnswer(EventOf(kProgress, "3")));
  server_.ThenSend(EventsAnswer(EventOf(kResponse, "4")));
  // Woken by the clock only, so it must be waiting before time passes.
  std::optional<Texts> rest;
  Spawn(context_.get_executor(), "rest", [](Reply& from, std::optional<Texts>& out) -> Task<void> {
    Texts texts;
    for (int i = 0; i < 2; ++i) {
      Result<std::optional<mcp::Message>> next = co_await from.Next();
      texts.push_back(next && *next ? (*next)->ToText() : "?");
    }
    out = std::move(texts);
  }(**reply, rest));
  for (std::size_t request = 1; request <= 2; ++request) {
    ASSERT_TRUE(
        RunUntil([&] { return server_.requests().size() == request && timers_.size() > 0; }));
    RunAll();
    Pass(std::chrono::milliseconds(499));
    RunAll();
    EXPECT_EQ(server_.requests().size(), request) << "too early";
    Pass(std::chrono::milliseconds(1));
    ASSERT_TRUE(RunUntil([&] { return server_.requests().size() == request + 1; }));
  }
  ASSERT_TRUE(RunUntil([&] { return rest.has_value(); }));
  EXPECT_EQ(*rest, (Texts{kProgress, kResponse}));
  EXPECT_EQ(server_.requests()[1].start, "GET /mcp HTTP/1.1");
  EXPECT_EQ(server_.requests()[1].Header("Last-Event-ID"), "2");
  EXPECT_EQ(server_.requests()[1].Header("Mcp-Session-Id"), "abc");
  EXPECT_EQ(server_.requests()[1].Header("Accept"), "text/event-stream");
  EXPECT_EQ(server_.requests()[2].Header("Last-Event-ID"), "3");
}

TEST_F(HttpStreamTest, StopsResumingWhenTheServerRefuses) {
  resumable_ = true;
  server_.ThenSend(EventsAnswer("id: 1\nretry: 0\ndata:\n\n"));
  server_.ThenSend("HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n");
  Result<ReplyPtr> reply = Post();
  ASSERT_TRUE(reply);
  std::optional<Error> error;
  Spawn(context_.get_executor(), "rest", [](Reply& from, std::optional<Error>& out) -> Task<void> {
    Result<std::optional<mcp::Message>> next = co_await from.Next();
    out = next ? Error{} : next.error();
  }(**reply, error));
  RunAll();
  Pass(std::chrono::seconds(1));
  ASSERT_TRUE(RunUntil([&] { return error.has_value(); }));
  EXPECT_EQ(error->code, Code::kNotFound);
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(HttpStreamTest, DoesNotWaitPastTheDeadlineToResume) {
  resumable_ = true;
  server_.ThenSend(EventsAnswer("id: 1\nretry: 31000\ndata:\n\n"));
  EXPECT_EQ(Call().back(), "server x: POST /mcp: no answer in time");
}

TEST_F(HttpStreamTest, OpensTheGetStream) {
  bool left = false;
  headers_ = "Mcp-Session-Id: abc\r\n";
  ThenHold(EventsStart() + Chunk(EventOf(kResponse) + EventOf(kProgress)), left);
  Result<ReplyPtr> stream = Open();
  ASSERT_TRUE(stream);
  EXPECT_EQ(server_.requests()[0].start, "GET /mcp HTTP/1.1");
  EXPECT_EQ(server_.requests()[0].Header("Mcp-Session-Id"), "abc");
  Result<std::optional<mcp::Message>> next = Next(*stream);
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->ToText(), kProgress) << "a response belongs to nobody here";
  Pass(std::chrono::hours(1));
  RunAll();
  EXPECT_FALSE(left) << "the deadline covered the headers only";
  stream->reset();
  EXPECT_TRUE(RunUntil([&] { return left; }));
}

TEST_F(HttpStreamTest, EndsTheGetStreamWhenTheServerEndsItForGood) {
  server_.ThenSend(EventsAnswer(EventOf(kProgress)));
  EXPECT_EQ(All(Open()), Texts{kProgress});
  server_.ThenSend("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
  const Result<ReplyPtr> none = Open();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_EQ(facts_.status, 405);
}

}  // namespace
}  // namespace switchyard::downstream
