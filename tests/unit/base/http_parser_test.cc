#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/http/parser.h"

namespace switchyard::http {
namespace {

const std::string kRequest =
    "POST /mcp?x=1 HTTP/1.1\r\nHost: a:1\r\nContent-Type: application/json\r\n"
    "MCP-Protocol-Version: 2026-07-28\r\nmcp-method:\t tools/call \r\nX-Own: \r\n"
    "Content-Length: 5\r\n\r\nhello";
const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"
    "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n";

std::string Get(std::string_view fields) {
  return std::string("GET / HTTP/1.1\r\nHost: a\r\n").append(fields).append("\r\n");
}

// How one message ends when it is given at once.
template <class P>
Error ErrorOf(std::string_view bytes, Limits limits = {}) {
  P parser(limits);
  const Result<std::size_t> used = parser.Put(bytes);
  return used ? Error{.message = parser.done() ? "done" : "wants more"} : used.error();
}

template <class P>
std::string WhyNot(std::string_view bytes, Limits limits = {}) {
  return ErrorOf<P>(bytes, limits).message;
}

TEST(HttpParser, ReadsARequest) {
  RequestParser parser;
  const Result<std::size_t> used = parser.Put(kRequest + "GET");
  ASSERT_TRUE(used);
  EXPECT_EQ(*used, kRequest.size());
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(parser.method(), "POST");
  EXPECT_EQ(parser.target(), "/mcp?x=1");
  EXPECT_EQ(parser.version(), 11);
  EXPECT_EQ(parser.Get(Field::kHost), "a:1");
  EXPECT_EQ(parser.Get(Field::kMcpProtocolVersion), "2026-07-28");
  EXPECT_EQ(parser.Get(Field::kMcpMethod), "tools/call");
  EXPECT_EQ(parser.Get(Field::kMcpName), "");
  EXPECT_FALSE(parser.Has(Field::kMcpName));
  ASSERT_NE(parser.Find("x-OWN"), nullptr);
  EXPECT_EQ(parser.Find("x-OWN")->value, "");
  EXPECT_EQ(parser.headers().size(), 6u);
  EXPECT_EQ(parser.content_length(), 5u);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_FALSE(parser.expects_continue());
  EXPECT_EQ(parser.TakeBody(), "hello");
}

TEST(HttpParser, ReadsTheSameHoweverTheBytesAreCut) {
  for (std::size_t first = 1; first < kChunked.size(); ++first) {
    for (const std::size_t second : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
      ResponseParser parser;
      std::string body;
      std::string_view rest = kChunked;
      for (std::size_t size = first; !rest.empty(); size = second) {
        const std::string_view piece = rest.substr(0, size);
        const Result<std::size_t> used = parser.Put(piece);
        ASSERT_TRUE(used) << used.error().message << " at " << first;
        ASSERT_EQ(*used, piece.size());
        rest.remove_prefix(piece.size());
        body += parser.TakeBody();
      }
      ASSERT_TRUE(parser.done()) << first << " " << second;
      ASSERT_EQ(body, "hello world");
      ASSERT_EQ(parser.headers().size(), 2u) << "a trailer is not a header";
    }
  }
}

TEST(HttpParser, ReadsARequestByteByByteAndIsReusable) {
  RequestParser parser;
  for (int round = 0; round < 3; ++round) {
    for (const char c : kRequest) {
      ASSERT_FALSE(parser.done());
      ASSERT_TRUE(parser.Put(std::string_view(&c, 1)));
    }
    ASSERT_TRUE(parser.done());
    EXPECT_EQ(parser.Get(Field::kMcpMethod), "tools/call");
    EXPECT_EQ(parser.TakeBody(), "hello");
    if (round == 1) parser.Release();
    parser.Reset();
    EXPECT_FALSE(parser.started());
    EXPECT_FALSE(parser.Has(Field::kHost));
  }
}

TEST(HttpParser, HandsOutAStreamedBodyAsItComes) {
  ResponseParser parser;
  ASSERT_TRUE(parser.Put("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"));
  EXPECT_TRUE(parser.header_done());
  EXPECT_EQ(parser.TakeBody(), "hel");
  EXPECT_EQ(parser.TakeBody(), "");
  ASSERT_TRUE(parser.Put("lo"));
  EXPECT_EQ(parser.TakeBody(), "lo");
  ASSERT_TRUE(parser.Put("\r\n0\r\n\r"));
  EXPECT_FALSE(parser.done());
  ASSERT_TRUE(parser.Put("\n"));
  EXPECT_TRUE(parser.done());
}

TEST(HttpParser, LeavesRoomForAJsonReaderBehindTheBody) {
  RequestParser parser;
  ASSERT_TRUE(parser.Put(kRequest));
  const std::string body = parser.TakeBody();
  EXPECT_GE(body.capacity() - body.size(), 64u);
}

TEST(HttpParser, RefusesWhatTwoReadersCouldFrameInTwoWays) {
  const auto why = [](std::string_view fields) { return WhyNot<RequestParser>(Get(fields)); };
  EXPECT_EQ(why(""), "done");
  EXPECT_NE(why("Content-Length: 0\r\nContent-Length: 0\r\n"), "done");
  EXPECT_NE(why("Content-Length: 0, 0\r\n"), "done");
  EXPECT_NE(why("Content-Length: +0\r\n"), "done");
  EXPECT_NE(why("Content-Length: \r\n"), "done");
  EXPECT_NE(why("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), "done");
  EXPECT_EQ(why("Transfer-Encoding: gzip\r\n"),
            "bad HTTP request: transfer coding other than chunked");
  EXPECT_EQ(why("Transfer-Encoding: chunked, identity\r\n"),
            "bad HTTP request: transfer coding other than chunked");
  EXPECT_NE(why("Transfer-Encoding: gzip, chunked\r\n"), "wants more");
  EXPECT_NE(why("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "wants more");
  EXPECT_EQ(why("Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n"),
            "bad HTTP request: both Content-Length and Transfer-Encoding");
  EXPECT_NE(WhyNot<RequestParser>("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "wants more");
}

TEST(HttpParser, RefusesCrookedLines) {
  const auto why = [](std::string_view fields) { return WhyNot<RequestParser>(Get(fields)); };
  EXPECT_EQ(why("A: b\r\n c\r\n"), "bad HTTP request: folded header line");
  EXPECT_EQ(why("A: \r\n c\r\n"), "bad HTTP request: folded header line");
  EXPECT_EQ(why("A: \r\n \r\n"), "bad HTTP request: folded header line");
  EXPECT_EQ(why("A: b\n"), "bad HTTP request: a line of the header ends without CR");
  for (const std::string_view bad : {"close keep-alive", "close;", "\"close\"",
                                     "\xCE\xCE"
                                     "close",
                                     "a, b c"}) {
    EXPECT_EQ(why("Connection: " + std::string(bad) + "\r\n"),
              "bad HTTP request: Connection is not a list of names")
        << bad;
  }
  for (const std::string_view bad :
       {std::string_view("A: b\rc\r\n"), std::string_view("A: b\0c\r\n", 8),
        std::string_view("A: b\x01"
                         "c\r\n"),
        std::string_view("A: b\x7f\r\n"), std::string_view("A : b\r\n"),
        std::string_view(" A: b\r\n"), std::string_view(": b\r\n"), std::string_view("A\r\n"),
        std::string_view("A b: c\r\n")}) {
    const Error error = ErrorOf<RequestParser>(Get(bad));
    EXPECT_EQ(error.code, Code::kInvalid) << bad;
    EXPECT_EQ(error.origin, Origin::kClient) << bad;
  }
}

TEST(HttpParser, WantsExactlyOneHost) {
  EXPECT_NE(WhyNot<RequestParser>("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), "done");
  EXPECT_NE(WhyNot<RequestParser>("GET / HTTP/1.1\r\n\r\n"), "done");
  EXPECT_EQ(WhyNot<RequestParser>("GET / HTTP/1.0\r\n\r\n"), "done");
}

TEST(HttpParser, RefusesStartLinesThatAreNotHttp1) {
  for (const std::string_view bad :
       {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n", "GET / x HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"}) {
    EXPECT_EQ(ErrorOf<RequestParser>(bad).code, Code::kInvalid) << bad;
  }
  EXPECT_EQ(WhyNot<ResponseParser>("SSH-2.0"), "bad HTTP response: not HTTP/1");
  EXPECT_EQ(ErrorOf<ResponseParser>("HTTP/1.1 2x0 OK\r\n\r\n").code, Code::kProtocol);
}

TEST(HttpParser, BoundsAnEndlessHeader) {
  const Limits limits{.header = 200};
  EXPECT_EQ(ErrorOf<RequestParser>(Get("A: " + std::string(300, 'x') + "\r\n"), limits).code,
            Code::kTooLarge);
  RequestParser slow(limits);
  Result<std::size_t> used = slow.Put("GET / HTTP/1.1\r\n");
  for (int i = 0; used && i < 100; ++i) used = slow.Put("A: b\r\n");
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().code, Code::kTooLarge);
  EXPECT_FALSE(slow.header_done());
  std::string many;
  for (int i = 0; i < 300; ++i) many += "A: b\r\n";
  EXPECT_EQ(ErrorOf<RequestParser>(Get(many)).code, Code::kTooLarge);
}

TEST(HttpParser, BoundsTheBody) {
  const Limits limits{.body = 4};
  RequestParser known(limits);
  const Result<std::size_t> used = known.Put(kRequest.substr(0, kRequest.size() - 5));
  ASSERT_FALSE(used) << "refused before the body comes";
  EXPECT_EQ(used.error().code, Code::kTooLarge);
  EXPECT_TRUE(known.header_done());
  EXPECT_EQ(ErrorOf<ResponseParser>(kChunked, limits).code, Code::kTooLarge);
  EXPECT_EQ(ErrorOf<ResponseParser>("HTTP/1.0 200 OK\r\n\r\nhello", limits).code, Code::kTooLarge);
}

TEST(HttpParser, BoundsChunkHeadersAndTrailers) {
  const Limits limits{.header = 100};
  const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view piece : {"1;x=", "0\r\nA: "}) {
    ResponseParser parser(limits);
    ASSERT_TRUE(parser.Put(start + std::string(piece)));
    Result<std::size_t> used = 0;
    for (int i = 0; used && i < 200; ++i) used = parser.Put("x");
    ASSERT_FALSE(used) << piece;
    EXPECT_EQ(used.error().code, Code::kTooLarge);
  }
}

TEST(HttpParser, RefusesBadChunks) {
  const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view bad :
       {"x\r\n", "-1\r\n", "1\r\nabc\r\n", "fffffffffffffffff\r\n", "1\r\na\n0\r\n\r\n",
        "0x1\r\na\r\n\r\n", "\r\n\r\n", "1;a=\"\r\na\r\n0\r\n\r\n", "0;a \r\n\r\n", "0;=a\r\n\r\n",
        "0 \r\n\r\n", "0\r\nA : b\r\n\r\n", "0\n\r\n", "0\r\nContent-Length: 1\r\n\r\n"}) {
    EXPECT_EQ(ErrorOf<ResponseParser>(start + std::string(bad)).code, Code::kProtocol) << bad;
  }
}

TEST(HttpParser, SkipsExtensionsOfChunks) {
  const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view header :
       {"1;a", "1;a=b;c", "1 ; a = \"b;\\\"c\"", "01;a=\"\";b", "1\t;a"}) {
    ResponseParser parser;
    const std::string bytes = start + std::string(header) + "\r\na\r\n0;end\r\n\r\n";
    const Result<std::size_t> used = parser.Put(bytes);
    ASSERT_TRUE(used) << header << ": " << used.error().message;
    EXPECT_TRUE(parser.done()) << header;
    EXPECT_EQ(parser.TakeBody(), "a") << header;
  }
}

TEST(HttpParser, SkipsInformationalAnswersButNotForEver) {
  ResponseParser parser;
  ASSERT_TRUE(
      parser.Put("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 204 No\r\nRetry-After: 3\r\n\r\n"));
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(parser.status(), 204);
  EXPECT_EQ(parser.headers().size(), 1u);
  std::string many;
  for (int i = 0; i < 20; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(WhyNot<ResponseParser>(many), "bad HTTP response: too many 1xx answers");
  EXPECT_NE(WhyNot<ResponseParser>("HTTP/1.1 101 Up\r\nUpgrade: h2c\r\n\r\n"), "done");
}

TEST(HttpParser, EndsABodyWithoutLengthAtTheEndOfTheStream) {
  ResponseParser parser;
  ASSERT_TRUE(parser.Put("HTTP/1.1 200 OK\r\n\r\nhello"));
  EXPECT_FALSE(parser.done());
  EXPECT_FALSE(parser.keep_alive());
  ASSERT_TRUE(parser.PutEof());
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(parser.TakeBody(), "hello");
}

TEST(HttpParser, SaysWhereAMessageWasCutShort) {
  for (const auto& [bytes, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "closed before headers"},
           {"HTTP/1.1 200", "closed in the header"},
           {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "closed in the body"},
           {kChunked.substr(0, kChunked.size() - 2), "closed in the body"}}) {
    ResponseParser parser;
    ASSERT_TRUE(parser.Put(bytes));
    const Result<void> ended = parser.PutEof();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().message, "bad HTTP response: " + why);
  }
}

TEST(HttpParser, TellsWhetherTheConnectionLives) {
  const auto lives = [](std::string_view bytes) {
    RequestParser parser;
    EXPECT_TRUE(parser.Put(bytes));
    return parser.keep_alive();
  };
  EXPECT_TRUE(lives("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(lives("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"));
  EXPECT_FALSE(lives("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(lives("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_TRUE(lives("GET / HTTP/1.0\r\nConnection:, x-a ,,\tKeep-Alive ,\r\n\r\n"));
  EXPECT_FALSE(
      lives("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            "Connection: keep-alive\r\n\r\n"));
}

TEST(HttpParser, RefusesARequestThatSaysTwiceWhatHasOneValue) {
  for (const std::string name : {"Authorization", "Content-Type", "Last-Event-ID", "Mcp-Method",
                                 "Mcp-Name", "MCP-Protocol-Version", "Mcp-Session-Id", "Origin"}) {
    RequestParser parser;
    const auto put = parser.Put(Get(name + ": a\r\nX: y\r\n" + name + ": a\r\n"));
    ASSERT_FALSE(put) << name;
    EXPECT_EQ(put.error().message, "bad HTTP request: " + name + " more than once");
    parser.Reset();
    EXPECT_TRUE(parser.Put(Get(name + ": a\r\n"))) << name << ": one is one again";
  }
  ResponseParser parser;
  EXPECT_TRUE(
      parser.Put("HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Type: a\r\n"
                 "Content-Length: 0\r\n\r\n"));
}

TEST(HttpParser, ShowsExpectationsAndDuplicates) {
  RequestParser parser;
  ASSERT_TRUE(
      parser.Put(Get("Expect: 100-Continue\r\n"
                     "Accept: a\r\nACCEPT: b\r\n")));
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.count(Field::kAccept), 2);
  const Header* first = parser.Find("accept");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->value, "a");
  ASSERT_NE(parser.Find("accept", first), nullptr);
  EXPECT_EQ(parser.Find("accept", first)->value, "b");
}

TEST(HttpParser, CutsAMediaTypeOutOfItsParameters) {
  EXPECT_EQ(MediaType("text/event-stream ; charset=utf-8"), "text/event-stream");
  EXPECT_EQ(MediaType("application/json"), "application/json");
  EXPECT_EQ(MediaType(""), "");
}

}  // namespace
}  // namespace switchyard::http
