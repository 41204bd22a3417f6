// HTTP/1.1 at the client's side, over a real socket.
#include "edge/connection.h"

#include <gtest/gtest.h>

#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT
using std::chrono::seconds;

struct ConnectionTest : ::testing::Test, Edge {
  std::unique_ptr<Peer> peer = Connect();

  std::optional<testing::Answer> Ask(const Request& request) {
    peer->Send(request.Text());
    return peer->TakeAnswer(request.method == "HEAD");
  }
  static Request Get(std::string target) {
    Request request;
    request.method = "GET";
    request.target = std::move(target);
    return request;
  }
  int status(const std::optional<testing::Answer>& answer) { return answer ? answer->status : -1; }
};

TEST_F(ConnectionTest, ServesOneRequestAfterTheOtherOnOneConnection) {
  for (int i = 0; i < 3; ++i) {
    const auto answer = Ask(Modern("tools/list", "", std::to_string(i)));
    ASSERT_EQ(status(answer), 200);
    EXPECT_EQ(At(answer->Json(), "/id").as_int64(), i);
    EXPECT_EQ(answer->Header("connection"), "");
  }
  EXPECT_FALSE(peer->closed());
}

TEST_F(ConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  std::string all;
  for (int i = 0; i < 5; ++i) all += Modern("tools/list", "", std::to_string(i)).Text();
  peer->Send(all);
  for (int i = 0; i < 5; ++i) {
    const auto answer = peer->TakeAnswer();
    ASSERT_EQ(status(answer), 200);
    EXPECT_EQ(At(answer->Json(), "/id").as_int64(), i);
  }
}

TEST_F(ConnectionTest, ARequestThatComesWhileOneIsServedWaitsForItsTurn) {
  peer->Send(ModernCall("slow").Text());
  Settle(context);
  ASSERT_EQ(service->scripts.size(), 1U);
  peer->Send(Modern("tools/list", "", "2").Text());
  Settle(context);
  EXPECT_EQ(service->seen.size(), 1U);
  EXPECT_EQ(peer->received(), "");
  service->scripts[0]->Say(ResultOf("{}"));
  EXPECT_EQ(At(peer->TakeAnswer()->Json(), "/id").as_int64(), 1);
  EXPECT_EQ(At(peer->TakeAnswer()->Json(), "/id").as_int64(), 2);
}

TEST_F(ConnectionTest, ARequestMayComeByteByByteAndInAChunkedBody) {
  const std::string text = Modern("tools/list").Text();
  for (const char c : text) {
    peer->Send({&c, 1});
    Settle(context);
  }
  EXPECT_EQ(status(peer->TakeAnswer()), 200);

  Request chunked = Modern("tools/list", "", "7");
  const std::string body = std::exchange(chunked.body, "");
  std::string bytes = std::move(chunked).Set("Transfer-Encoding", "chunked").Text();
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", body.size());
  peer->Send(bytes + size + body + "\r\n0\r\n\r\n");
  EXPECT_EQ(At(peer->TakeAnswer()->Json(), "/id").as_int64(), 7);
}

TEST_F(ConnectionTest, ABodyLargerThanAnyBufferArrivesWhole) {
  Request request = Modern("tools/list", R"("cursor":")" + std::string(90'000, 'x') + R"(",)");
  EXPECT_EQ(status(Ask(request)), 200);
  EXPECT_TRUE(service->last_call->message.contains(std::string(90'000, 'x')));
  EXPECT_EQ(status(Ask(Modern("tools/list"))), 200);
}

TEST_F(ConnectionTest, ABodyOverTheLimitIsRefusedAndTheConnectionEnds) {
  Request request = Modern("tools/list");
  request.body = std::string(100'001, ' ');
  const auto answer = Ask(request);
  ASSERT_EQ(status(answer), 413);
  EXPECT_EQ(answer->Header("connection"), "close");
  EXPECT_EQ(At(answer->Json(), "/error/code").as_int64(), -32600);
  EXPECT_EQ(At(answer->Json(), "/id"), nullptr);
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_TRUE(service->seen.empty());
}

TEST_F(ConnectionTest, AChunkedBodyOverTheLimitIsRefusedWhereItCrosses) {
  Request request = Modern("tools/list");
  request.body.clear();
  peer->Send(std::move(request).Set("Transfer-Encoding", "chunked").Text());
  for (int i = 0; i < 30; ++i) peer->Send("1000\r\n" + std::string(0x1000, ' ') + "\r\n");
  EXPECT_EQ(status(peer->TakeAnswer()), 413);
}

TEST_F(ConnectionTest, HeadersOverTheLimitAreRefused) {
  EXPECT_EQ(status(Ask(Modern("tools/list").Set("X-Long", std::string(5000, 'x')))), 431);
}

struct BadRequest {
  const char* what;
  std::string bytes;
};
class ConnectionRefuses : public ConnectionTest,
                          public ::testing::WithParamInterface<BadRequest> {};

TEST_P(ConnectionRefuses, WhatTwoReadersCouldReadInTwoWays) {
  peer->Send(GetParam().bytes);
  EXPECT_EQ(status(peer->TakeAnswer()), 400) << GetParam().what;
  peer->HalfClose();
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_TRUE(service->seen.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, ConnectionRefuses,
    ::testing::Values(
        BadRequest{"not HTTP", "\x16\x03\x01 hello\r\n\r\n"},
        BadRequest{"two lengths",
                   "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                   "Content-Length: 3\r\n\r\n{}x"},
        BadRequest{"length and chunks",
                   "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"no host", "POST /mcp HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"},
        BadRequest{"bare line feed", "POST /mcp HTTP/1.1\nHost: localhost\n\n"},
        BadRequest{"chunks in 1.0",
                   "POST /mcp HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"},
        BadRequest{"absolute form",
                   "GET http://localhost/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n"}),
    [](const auto& info) {
      std::string name = info.param.what;
      std::ranges::replace_if(name, [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

// What follows a refused request must never be read as a request of its own.
TEST_F(ConnectionTest, NothingAfterARefusedRequestIsServed) {
  peer->Send(
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\nx" +
      Modern("tools/list").Text());
  EXPECT_EQ(status(peer->TakeAnswer()), 400);
  Settle(context);
  EXPECT_TRUE(service->seen.empty());
  EXPECT_EQ(peer->received(), "");
}

TEST_F(ConnectionTest, ContinueIsSaidOnceAndOnlyWhenTheBodyIsStillToCome) {
  Request request = Modern("tools/list").Set("Expect", "100-continue");
  const std::string text = request.Text();
  const std::size_t head = text.size() - request.body.size();
  peer->Send(text.substr(0, head));
  ASSERT_TRUE(peer->WaitFor("HTTP/1.1 100 Continue\r\n\r\n"));
  peer->TakeReceived();
  peer->Send(text.substr(head, 10));
  Settle(context);
  peer->Send(text.substr(head + 10));
  EXPECT_EQ(status(peer->TakeAnswer()), 200);
  EXPECT_EQ(status(Ask(request)), 200) << "the body was there with the header";
}

TEST_F(ConnectionTest, ConnectionCloseIsHonoured) {
  const auto answer = Ask(Modern("tools/list").Set("Connection", "close"));
  EXPECT_EQ(status(answer), 200);
  EXPECT_EQ(answer->Header("connection"), "close");
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_FALSE(peer->reset());
}

TEST_F(ConnectionTest, HeadHasTheHeadOfGetAndNoBody) {
  Request head = Get("/healthz");
  head.method = "HEAD";
  const auto answer = Ask(head);
  EXPECT_EQ(status(answer), 200);
  EXPECT_EQ(answer->Header("content-length"), "2");
  head.target = "/nothing";
  EXPECT_EQ(status(Ask(head)), 404);
  EXPECT_EQ(Ask(Get("/healthz"))->body, "ok") << "the connection is still in step";
}

TEST_F(ConnectionTest, AClientOfHttp10GetsItsAnswerAndTheEndOfTheConnection) {
  Request request = Modern("tools/list");
  request.version = "HTTP/1.0";
  EXPECT_EQ(status(Ask(request)), 200);
  EXPECT_TRUE(peer->WaitForClose());

  peer = Connect();
  const auto kept = Ask(std::move(request).Set("Connection", "keep-alive"));
  EXPECT_EQ(kept->Header("connection"), "keep-alive");
  EXPECT_EQ(status(Ask(request)), 200);
}

TEST_F(ConnectionTest, AStreamToAClientOfHttp10HasNoChunksAndEndsWithTheConnection) {
  Request request = ModernCall("slow", "1", R"(,"progressToken":"t")");
  request.version = "HTTP/1.0";
  peer->Send(std::move(request).Set("Connection", "keep-alive").Text());
  Settle(context);
  service->scripts.at(0)->Say(
      Notification("notifications/progress", R"({"progressToken":"x","progress":1})"));
  service->scripts.at(0)->Say(ResultOf("{}"));
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->chunked);
  EXPECT_EQ(answer->Header("connection"), "close");
  EXPECT_EQ(answer->Events().size(), 2U);
  EXPECT_TRUE(answer->body.starts_with("event: message\ndata: "));
  EXPECT_TRUE(answer->body.ends_with("\n\n"));
}

TEST_F(ConnectionTest, AClientThatVanishesCancelsItsModernCall) {
  peer->Send(ModernCall("slow").Text());
  Settle(context);
  ASSERT_FALSE(service->scripts.at(0)->dropped);
  peer->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return service->scripts[0]->dropped; }));
  EXPECT_TRUE(connections[0]->finished());
}

TEST_F(ConnectionTest, AClientThatSendsAheadAndVanishesCancelsItsModernCall) {
  peer->Send(ModernCall("slow").Text());
  Settle(context);
  for (const std::size_t ahead : {std::size_t{1}, std::size_t{2000}}) {
    peer->Send(std::string(ahead, 'P'));
    Settle(context);
  }
  ASSERT_FALSE(service->scripts.at(0)->dropped);
  peer->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return service->scripts[0]->dropped; }));
}

TEST_F(ConnectionTest, AnAbortUnwindsWhatIsServed) {
  peer->Send(ModernCall("slow").Text());
  Settle(context);
  connections[0]->Abort();
  Settle(context);
  EXPECT_TRUE(service->scripts.at(0)->dropped);
  EXPECT_TRUE(peer->WaitForClose());
}

TEST_F(ConnectionTest, ADrainLetsTheRequestEndAndThenCloses) {
  const std::unique_ptr<Peer> idle = Connect();
  peer->Send(ModernCall("slow").Text());
  Settle(context);
  for (const auto& connection : connections) connection->Drain();
  EXPECT_TRUE(idle->WaitForClose());
  service->scripts.at(0)->Say(ResultOf("{}"));
  const auto answer = peer->TakeAnswer();
  EXPECT_EQ(status(answer), 200);
  EXPECT_EQ(answer->Header("connection"), "close") << "nobody is to send another";
  EXPECT_TRUE(peer->WaitForClose());
  for (const auto& connection : connections) EXPECT_TRUE(connection->finished());
}

TEST_F(ConnectionTest, IdleAndSlowClientsAreDroppedInTime) {
  const std::unique_ptr<Peer> slow = Connect();
  slow->Send("POST /mcp HTTP/1.1\r\nHost:");
  Settle(context);
  Pass(seconds(29));
  slow->Send(" localhost\r\n");
  Settle(context);
  Pass(seconds(2));
  EXPECT_TRUE(slow->WaitForClose()) << "a byte now and then does not help";
  EXPECT_FALSE(connections[0]->finished());
  Pass(seconds(90));
  EXPECT_TRUE(peer->WaitForClose());
}

TEST_F(ConnectionTest, ABodyThatTricklesInIsDroppedInTime) {
  const std::unique_ptr<Peer> slow = Connect();
  slow->Send("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{");
  Settle(context);
  Pass(seconds(29));
  slow->Send(" ");
  Settle(context);
  Pass(seconds(2));
  EXPECT_TRUE(slow->WaitForClose()) << "a byte now and then does not help";
}

TEST_F(ConnectionTest, AnIdleConnectionStillServesAfterItGaveItsMemoryBack) {
  EXPECT_EQ(status(Ask(Modern("tools/list"))), 200);
  Pass(seconds(20));
  Pass(seconds(20));
  EXPECT_EQ(status(Ask(Modern("tools/list"))), 200);
}

struct LargeAnswer : ConnectionTest {
  void SetUp() override {
    service->OnResult("tools/call", R"({"content":")" + std::string(40'000'000, 'x') + R"("})");
    peer->BoundReceiveBuffer();
    peer->Send(ModernCall("large").Text());
    Settle(context);
  }
};

TEST_F(LargeAnswer, AClientThatDoesNotReadIsDropped) {
  for (int i = 0; i < 5; ++i) Pass(seconds(1));  // until the kernel's buffers are full
  Pass(seconds(24));
  EXPECT_FALSE(connections[0]->finished());
  Pass(seconds(10));
  EXPECT_TRUE(connections[0]->finished());
}

TEST_F(LargeAnswer, AClientThatReadsSlowlyIsNot) {
  for (int i = 0; i < 4; ++i) {
    Pass(seconds(20));
    ASSERT_FALSE(connections[0]->finished()) << i;
    const std::size_t before = peer->received().size();
    ASSERT_TRUE(RunUntil(context, [&] {
      peer->Read();
      return peer->received().size() > before + 6'000'000;
    }));
  }
  const auto answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_GT(answer->body.size(), 40'000'000U);
}

TEST_F(ConnectionTest, ASilentStreamGetsACommentNowAndThen) {
  peer->Send(ModernCall("slow", "1", R"(,"progressToken":"t")").Text());
  Settle(context);
  service->scripts.at(0)->Say(
      Notification("notifications/progress", R"({"progressToken":"x","progress":1})"));
  ASSERT_TRUE(peer->WaitFor("\n\n\r\n"));
  peer->TakeReceived();
  Pass(seconds(1));
  Pass(seconds(14));
  peer->Read();
  EXPECT_EQ(peer->received(), "") << "not silent for long";
  Pass(seconds(2));
  ASSERT_TRUE(peer->WaitFor("3\r\n:\n\n\r\n"));
  service->scripts[0]->Say(ResultOf("{}"));
  EXPECT_TRUE(peer->WaitFor("0\r\n\r\n"));
}

TEST_F(ConnectionTest, AServiceThatThrowsEndsItsConnectionOnly) {
  const std::unique_ptr<Peer> other = Connect();
  service->On("prompts/list", [](Call&) -> Result<ReplyPtr> { throw std::runtime_error("bug"); });
  peer->Send(Modern("prompts/list").Text());
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_TRUE(connections[0]->finished());
  other->Send(Modern("tools/list").Text());
  EXPECT_EQ(status(other->TakeAnswer()), 200);
}

}  // namespace
}  // namespace switchyard::edge
