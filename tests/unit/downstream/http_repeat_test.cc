// Which requests go out a second time when their connection breaks, and which never do
// (docs/decisions/0023).
#include <string>

#include "unit/downstream/http_fixture.h"

namespace switchyard::downstream {
namespace {

using tests::JsonAnswer;
using Request = ScriptedHttpServer::Request;
using Peer = ScriptedHttpServer::Peer;
using Texts = std::vector<std::string>;
using HttpRepeatTest = HttpTest;

// "Connection: close" is often forgotten. That the request was not read is seen by what the
// server's kernel has acknowledged.
TEST_F(HttpRepeatTest, SendsARequestAgainThatCameTooLateForTheServerToReadIt) {
  server_.ThenSendAndClose(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  RunAll();
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  EXPECT_EQ(server_.connections(), 2);
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(HttpRepeatTest, SendsARepeatableRequestAgainWhateverTheServerRead) {
  for (const bool reset : {false, true}) {
    server_.ThenSend(JsonAnswer(kResponse));
    EXPECT_EQ(Call(), Texts{kResponse});
    const std::size_t before = server_.requests().size();
    server_.Then([reset](Peer& peer, const Request&) -> Task<void> {
      reset ? peer.Reset() : peer.Close();
      co_return;
    });
    server_.ThenSend(JsonAnswer(kResponse));
    Outgoing out = Out();
    out.repeatable = true;
    EXPECT_EQ(All(Run(transport().Request(out))), Texts{kResponse});
    EXPECT_EQ(server_.requests().size(), before + 2);
  }
}

TEST_F(HttpRepeatTest, SendsARepeatableRequestOnlyOnceMore) {
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  for (int i = 0; i < 2; ++i) {
    server_.Then([](Peer& peer, const Request&) -> Task<void> {
      peer.Close();
      co_return;
    });
  }
  Outgoing out = Out();
  out.repeatable = true;
  const Result<ReplyPtr> reply = Run(transport().Request(out));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_EQ(server_.requests().size(), 3u);
}

TEST_F(HttpRepeatTest, SendsNothingAfterItsEnd) {
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
  Spawn(context_.get_executor(), "close",
        [](HttpTransport& t) -> Task<void> { co_await t.Close(); }(transport()));
  RunAll();
  const Error refused = CallError();
  EXPECT_EQ(refused.code, Code::kUnavailable);
  EXPECT_TRUE(refused.retryable);
  EXPECT_EQ(server_.requests().size(), 1u);
  ASSERT_TRUE(Run(transport().Start()));
  server_.ThenSend(JsonAnswer(kResponse));
  EXPECT_EQ(Call(), Texts{kResponse});
}

// A server that read a request and died of it.
TEST_F(HttpRepeatTest, NeverSendsACallAgainThatWasRead) {
  for (const bool reset : {false, true}) {
    server_.ThenSend(JsonAnswer(kResponse));
    EXPECT_EQ(Call(), Texts{kResponse});
    RunAll();
    const std::size_t before = server_.requests().size();
    server_.Then([reset](Peer& peer, const Request&) -> Task<void> {
      reset ? peer.Reset() : peer.Close();
      co_return;
    });
    EXPECT_FALSE(CallError().retryable) << reset;
    EXPECT_EQ(server_.requests().size(), before + 1) << reset;
  }
}

}  // namespace
}  // namespace switchyard::downstream
