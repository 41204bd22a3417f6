#include "downstream/http.h"

#include <string>

#include "base/mailbox.h"
#include "unit/downstream/http_fixture.h"

namespace switchyard::downstream {
namespace {

using tests::JsonAnswer;
using Request = ScriptedHttpServer::Request;
using Peer = ScriptedHttpServer::Peer;
using Texts = std::vector<std::string>;

TEST_F(HttpTest, SendsOnePostAndReadsItsAnswer) {
  config::Server config = Config(server_.Url("127.0.0.1", "/mcp?key=s3cret"));
  config.headers.emplace("Authorization", config::Secret("Bearer t0ken"));
  Use(config);
  server_.ThenSend(JsonAnswer(kResponse, "Mcp-Session-Id: abc\r\n"));
  EXPECT_EQ(Call(), Texts{kResponse});
  ASSERT_EQ(server_.requests().size(), 1u);
  const Request& got = server_.requests()[0];
  EXPECT_EQ(got.start, "POST /mcp?key=s3cret HTTP/1.1");
  EXPECT_EQ(got.body, kRequestBody);
  EXPECT_EQ(got.Header("Host"), "127.0.0.1:" + std::to_string(server_.port()));
  EXPECT_EQ(got.Header("Content-Type"), "application/json");
  EXPECT_EQ(got.Header("Accept"), "application/json, text/event-stream");
  EXPECT_EQ(got.Header("Authorization"), "Bearer t0ken");
  EXPECT_EQ(got.Header("Mcp-Method"), "tools/call");
  EXPECT_EQ(got.Header("Content-Length"), std::to_string(kRequestBody.size()));
  EXPECT_EQ(facts_.status, 200);
  EXPECT_EQ(facts_.session_id, "abc");
}

TEST_F(HttpTest, ReadsAnAnswerThatComesByteByByte) {
  server_.ThenSend(JsonAnswer(kResponse), 1);
  EXPECT_EQ(Call(), Texts{kResponse});
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t piece = 1; piece < 8; ++piece) {
    server_.ThenSend(head + tests::Chunk(kResponse.substr(0, 9)) +
                         tests::Chunk(kResponse.substr(9)) + tests::Chunk(""),
                     piece);
    EXPECT_EQ(Call(), Texts{kResponse}) << piece;
  }
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpTest, CarriesBigBodiesBothWays) {
  const std::string big(3 << 20, 'x');
  const std::string request =
      R"({"jsonrpc":"2.0","id":7,"method":"m","params":{"a":")" + big + "\"}}";
  const std::string answer = R"({"jsonrpc":"2.0","id":7,"result":{"a":")" + big + "\"}}";
  body_ = {std::string_view(request).substr(0, 20), std::string_view(request).substr(20)};
  server_.ThenSend(JsonAnswer(answer));
  EXPECT_EQ(Call(), Texts{answer});
  EXPECT_EQ(server_.requests()[0].body, request);
}

TEST_F(HttpTest, ReusesTheConnection) {
  for (int i = 0; i < 3; ++i) {
    server_.ThenSend(JsonAnswer(kResponse));
    EXPECT_EQ(Call(), Texts{kResponse});
    Pass(std::chrono::seconds(5));
    deadline_ = Deadline::In(clock_, std::chrono::seconds(30));
  }
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_EQ(transport().pool().idle(), 1u);
}

TEST_F(HttpTest, TakesAFreshConnectionWhereTheServerClosedTheIdleOne) {
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  RunAll();
  server_.CloseIdle();
  RunAll();
  Pass(std::chrono::seconds(1));
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpTest, ForgetsConnectionsThatIdleTooLong) {
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(transport().pool().idle(), 1u);
  Pass(std::chrono::seconds(59));
  EXPECT_EQ(transport().pool().idle(), 1u);
  Pass(std::chrono::seconds(1));
  EXPECT_EQ(transport().pool().idle(), 0u);
}

TEST_F(HttpTest, DoesNotReuseWhatTheServerEndsOrTaints) {
  for (const std::string& answer : {JsonAnswer(kResponse, "Connection: close\r\n"),
                                    JsonAnswer(kResponse) + "HTTP/1.1 200 OK"}) {
    server_.ThenSend(answer);
    EXPECT_EQ(Call(), Texts{kResponse});
    EXPECT_EQ(transport().pool().idle(), 0u);
  }
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpTest, NeverSendsARequestTwiceThatTheServerMayHaveSeen) {
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  server_.Then([](Peer& peer, const Request&) -> Task<void> {
    peer.Close();
    co_return;
  });
  const Error error = CallError();
  EXPECT_EQ(error.message, "server x: POST /mcp: connection closed before headers");
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.origin, Origin::kServer);
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(server_.requests().size(), 2u);
  EXPECT_EQ(facts_.status, 200) << "of the first call: the second saw no headers";
}

TEST_F(HttpTest, WhatAServerSaysUnaskedIsNoAnswerToTheNextCall) {
  Mailbox<bool> go;
  server_.Then([&](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send(JsonAnswer(kResponse));
    co_await go.Take();
    co_await peer.Send(JsonAnswer(R"({"jsonrpc":"2.0","error":{"code":1,"message":"late"}})"));
  });
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(transport().pool().idle(), 1u);
  go.Put(true);
  RunAll();
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpTest, AnAnswerToSomethingElseIsTheLastOfItsConnection) {
  server_.ThenSend(JsonAnswer(R"({"jsonrpc":"2.0","id":99,"result":{}})"));
  EXPECT_TRUE(CallError().message.contains("answer to a request that was not sent"));
  EXPECT_EQ(transport().pool().idle(), 0u);
}

TEST_F(HttpTest, LooksBeforeEveryReuse) {
  for (int i = 0; i < 3; ++i) {
    server_.ThenSend(JsonAnswer(kResponse));
    EXPECT_EQ(Call(), Texts{kResponse});
    RunAll();
    server_.CloseIdle();
    RunAll();
  }
  EXPECT_EQ(server_.connections(), 3);
}

TEST_F(HttpTest, SaysThatNothingRanWhenNobodyListens) {
  transport();
  server_.StopListening();
  const Error error = CallError();
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(error.message.starts_with("server x: POST /mcp: connect: ")) << error.message;
}

TEST_F(HttpTest, ReachesAServerByName) {
  Use(Config(server_.Url("localhost")));  // may mean ::1 first, where nobody listens
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
}

TEST_F(HttpTest, GivesUpAtTheDeadlineWhereverItIs) {
  const std::string answer = JsonAnswer(kResponse);
  for (const std::size_t sent : {std::size_t{0}, std::size_t{20}, answer.size() - 3}) {
    server_.Then([this, part = answer.substr(0, sent)](Peer& peer, const Request&) -> Task<void> {
      co_await peer.Send(part);
      Pass(std::chrono::seconds(30));
      co_await peer.UntilClosed();
    });
    deadline_ = Deadline::In(clock_, std::chrono::seconds(30));
    const Error error = CallError();
    EXPECT_EQ(error.code, Code::kDeadline) << sent;
    EXPECT_EQ(error.message, "server x: POST /mcp: no answer in time");
    EXPECT_FALSE(error.retryable);
  }
}

TEST_F(HttpTest, CutsOffAnEndlessHeader) {
  server_.Then([](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'));
    co_await peer.UntilClosed();
  });
  const Error error = CallError();
  EXPECT_EQ(error.code, Code::kTooLarge);
  EXPECT_EQ(error.message, "server x: POST /mcp: bad HTTP response: header over 16384 bytes");
}

TEST_F(HttpTest, NoticesALyingContentLength) {
  server_.ThenSendAndClose("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + kResponse);
  EXPECT_EQ(CallError().message, "server x: POST /mcp: connection closed in the body");
  server_.ThenSend("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + kResponse);
  EXPECT_EQ(CallError().code, Code::kProtocol);
  EXPECT_EQ(transport().pool().idle(), 0u);
}

TEST_F(HttpTest, TakesAnAnswerThatTheCloseEnds) {
  server_.Then([](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + kResponse);
    peer.HalfClose();
    co_await peer.UntilClosed();
  });
  EXPECT_EQ(Call(), Texts{kResponse});
}

TEST_F(HttpTest, ReadsARefusalSentBeforeTheRequestWasRead) {
  const std::string big(16 << 20, 'x');
  body_ = {std::string_view(big)};
  net::basic_socket_acceptor<net::ip::tcp, Executor> acceptor(
      context_, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0));
  Use(Config("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/mcp"));
  Spawn(context_.get_executor(), "refuse", [](auto& listening) -> Task<void> {
    ScriptedHttpServer::Socket socket(listening.get_executor());
    co_await listening.async_accept(socket, use_task);
    const std::string answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
    co_await socket.async_send(net::buffer(answer), use_task);
    std::string some(1 << 16, '\0');
    co_await socket.async_read_some(net::buffer(some), use_task);
  }(acceptor));  // the rest is unread, so the close is a reset
  EXPECT_EQ(CallError().message, "server x: POST /mcp: 413 Content Too Large");
}

TEST_F(HttpTest, TellsStatusesApart) {
  const std::pair<int, Code> kTable[] = {
      {400, Code::kProtocol},    {401, Code::kUnavailable}, {403, Code::kUnavailable},
      {404, Code::kNotFound},    {405, Code::kNotFound},    {415, Code::kProtocol},
      {429, Code::kRateLimited}, {500, Code::kUnavailable}, {503, Code::kUnavailable}};
  for (const auto& [status, code] : kTable) {
    server_.ThenSend("HTTP/1.1 " + std::to_string(status) +
                     " Secret reason\r\nContent-Length: 4\r\n\r\nbody");
    const Error error = CallError();
    EXPECT_EQ(error.code, code) << status;
    EXPECT_EQ(error.origin, Origin::kServer);
    EXPECT_EQ(facts_.status, status);
    EXPECT_FALSE(error.message.contains("body") || error.message.contains("Secret"));
    EXPECT_EQ(error.detail, "body");
    EXPECT_EQ(error.retryable, status == 429) << status;
    EXPECT_TRUE(error.data.contains("\"status\":" + std::to_string(status))) << error.data;
  }
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpTest, ReadsEveryChallengeOfARefusal) {
  server_.ThenSend(
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
      "WWW-Authenticate: Bearer scope=\"a\"\r\nContent-Length: 0\r\n\r\n");
  CallError();
  EXPECT_EQ(facts_.challenge, "Basic realm=\"x\", Bearer scope=\"a\"");
}

TEST_F(HttpTest, TellsHowLongTheServerWantsToBeLeftAlone) {
  server_.ThenSend(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(CallError().data, R"({"origin":"server","code":"unavailable","retryable":false,)"
                              R"("status":503,"retryAfterMs":30000})");
}

TEST_F(HttpTest, TakesAJsonRpcErrorForAnAnswerWhateverTheStatus) {
  const std::string error = R"("error":{"code":-32022,"message":"m"}})";
  const auto answer = [](const std::string& body) {
    return "HTTP/1.1 400 Bad\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  server_.ThenSend(answer(R"({"jsonrpc":"2.0","id":7,)" + error));
  EXPECT_EQ(Call(), Texts{R"({"jsonrpc":"2.0","id":7,)" + error});
  EXPECT_EQ(facts_.status, 400);
  for (const std::string& id : {std::string(), std::string(R"("id":null,)")}) {
    server_.ThenSend(answer(R"({"jsonrpc":"2.0",)" + id + error));
    Result<ReplyPtr> reply = Post();
    ASSERT_TRUE(reply);
    Result<std::optional<mcp::Message>> message = Next(*reply);
    ASSERT_TRUE(message && *message);
    EXPECT_TRUE((*message)->ToText().contains(R"("id":7)"));
    EXPECT_EQ((*message)->error_code(), -32022);
  }
}

TEST_F(HttpTest, RefusesAnswersThatAreNone) {
  const std::pair<std::string, std::string> kTable[] = {
      {JsonAnswer("<html>"), "answer is not JSON-RPC"},
      {JsonAnswer(R"({"jsonrpc":"2.0","id":8,"result":{}})"), "request that was not sent"},
      {JsonAnswer(R"({"jsonrpc":"2.0","id":"7","result":{}})"), "request that was not sent"},
      {JsonAnswer(kProgress), "answer is not a response"},
      {JsonAnswer(""), "200 without an answer"},
      {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "202 without an answer"},
      {"SSH-2.0-OpenSSH\r\n", "not HTTP/1"}};
  for (const auto& [answer, why] : kTable) {
    server_.ThenSend(answer);
    const Error error = CallError();
    EXPECT_EQ(error.code, Code::kProtocol) << why;
    EXPECT_TRUE(error.message.contains(why)) << error.message;
  }
}

TEST_F(HttpTest, TakesMislabelledAnswers) {
  const std::string events = tests::EventOf(kResponse);
  server_.ThenSend(JsonAnswer(events));
  EXPECT_EQ(Call(), Texts{kResponse});
  server_.ThenSend(JsonAnswer(": hello\n\n" + events), 1);
  EXPECT_EQ(Call(), Texts{kResponse});
  server_.ThenSend(tests::EventsAnswer(kResponse), 1);
  EXPECT_EQ(Call(), Texts{kResponse});
  server_.ThenSend("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " +
                   std::to_string(kResponse.size()) + "\r\n\r\n" + kResponse);
  EXPECT_EQ(Call(), Texts{kResponse});
}

TEST_F(HttpTest, FollowsOneRedirectWithinTheOrigin) {
  server_.ThenSend("HTTP/1.1 307 Moved\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(server_.requests()[1].start, "POST /mcp/ HTTP/1.1");
  EXPECT_EQ(server_.requests()[1].body, kRequestBody);
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpTest, RefusesOtherRedirects) {
  const auto moved = [](const std::string& status, const std::string& where) {
    return "HTTP/1.1 " + status + " Moved\r\nLocation: " + where + "\r\nContent-Length: 0\r\n\r\n";
  };
  const std::string context = "server x: POST /mcp: redirect ";
  server_.ThenSend(moved("308", "http://other.example/mcp"));
  EXPECT_EQ(CallError().message, context + "(308) refused: it leads to another origin");
  server_.ThenSend(moved("307", "https://127.0.0.1:" + std::to_string(server_.port()) + "/mcp"));
  EXPECT_EQ(CallError().message, context + "(307) refused: it leads to another origin");
  server_.ThenSend(moved("302", "/other"));
  EXPECT_EQ(CallError().message, context + "(302) refused: it would drop the message");
  server_.ThenSend(moved("307", "/a"));
  server_.ThenSend(moved("307", "/b"));
  EXPECT_EQ(CallError().message, context + "(307) refused: it leads to another one");
  EXPECT_EQ(server_.requests().size(), 5u);
}

TEST_F(HttpTest, DeliversNotifications) {
  server_.ThenSend("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(Run(transport().Notify(Out())));
  EXPECT_EQ(facts_.status, 202);
  server_.ThenSend("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(Run(transport().Notify(Out())));
  server_.ThenSend("HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n");
  const Result<void> refused = Run(transport().Notify(Out()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNotFound);
  EXPECT_EQ(facts_.status, 404);
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpTest, EndsASessionAndMindsNoRefusal) {
  headers_ = "Mcp-Session-Id: abc\r\n";
  server_.ThenSend("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(Run(transport().EndSession(Out())));
  EXPECT_EQ(server_.requests()[0].start, "DELETE /mcp HTTP/1.1");
  EXPECT_EQ(server_.requests()[0].Header("Mcp-Session-Id"), "abc");
  EXPECT_EQ(server_.requests()[0].Header("Content-Length"), "");
}

TEST_F(HttpTest, EndsWithItsTask) {
  bool closed = false;
  bool asked = false;
  server_.Then([&](Peer& peer, const Request&) -> Task<void> {
    asked = true;
    co_await peer.UntilClosed();
    closed = true;
  });
  HttpTransport& used = transport();
  TaskHandle task(context_.get_executor(), "call",
                  [](HttpTransport& t, Outgoing out) -> Task<void> {
                    const Result<ReplyPtr> reply = co_await t.Request(out);
                    EXPECT_FALSE(reply);
                    if (!reply) EXPECT_EQ(reply.error().code, Code::kCancelled);
                  }(used, Out()));
  ASSERT_TRUE(RunUntil([&] { return asked; }));
  task.Cancel();
  EXPECT_TRUE(RunUntil([&] { return closed; }));
}

TEST_F(HttpTest, KeepsNothingAfterClose) {
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(transport().pool().idle(), 1u);
  Run([](HttpTransport& t) -> Task<bool> {
    co_await t.Close();
    co_return true;
  }(transport()));
  EXPECT_EQ(transport().pool().idle(), 0u);
  EXPECT_EQ(timers_.size(), 0u) << "no timer is left behind";
}

TEST_F(HttpTest, RefusesAnUnusableUrlAtStart) {
  Use(Config("ftp://host/"));
  const Result<void> started = Run(transport().Start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kInvalid);
}

}  // namespace
}  // namespace switchyard::downstream
