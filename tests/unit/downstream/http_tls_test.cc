#include <string>

#include "base/http/tls.h"
#include "unit/downstream/http_fixture.h"

namespace switchyard::downstream {
namespace {

using tests::JsonAnswer;
using tests::TestCertificate;
using tests::TextFile;
using Texts = std::vector<std::string>;

class HttpTlsTest : public HttpTest {
 protected:
  void Trust(const std::string& pem, std::string_view host = "localhost") {
    authorities_ = std::make_unique<TextFile>(pem);
    config::Server config = Config(secure_.Url(host));
    config.tls_ca = authorities_->path();
    Use(config);
  }

  const TestCertificate certificate_ = TestCertificate::For("localhost");
  ScriptedHttpServer secure_{context_, &certificate_};
  std::unique_ptr<TextFile> authorities_;
};

TEST_F(HttpTlsTest, TalksToAServerItCanVerify) {
  Trust(certificate_.authority_pem);
  EXPECT_TRUE(Run(transport().Start()));
  const std::string big(100'000, 'x');
  const std::string request =
      R"({"jsonrpc":"2.0","id":7,"method":"m","params":{"a":")" + big + "\"}}";
  body_ = {std::string_view(request).substr(0, 11), std::string_view(request).substr(11)};
  for (const std::size_t piece : {std::size_t{0}, std::size_t{1}}) {
    secure_.ThenSend(JsonAnswer(kResponse), piece);
    EXPECT_EQ(Call(), Texts{kResponse});
    Pass(std::chrono::seconds(1));
  }
  EXPECT_EQ(secure_.requests()[1].body, request);
  EXPECT_EQ(secure_.connections(), 1) << "TLS connections are kept, too";
}

TEST_F(HttpTlsTest, DoesNotReuseWhatTheServerTaintsWithARecordMore) {
  Trust(certificate_.authority_pem);
  for (int i = 1; i <= 2; ++i) {
    secure_.Then([](ScriptedHttpServer::Peer& peer, const auto&) -> Task<void> {
      co_await peer.Send(JsonAnswer(kResponse));
      co_await peer.Send(JsonAnswer(kResponse));
    });
    EXPECT_EQ(Call(), Texts{kResponse});
    RunAll();
    EXPECT_EQ(secure_.connections(), i);
  }
}

TEST_F(HttpTlsTest, StreamsOverTls) {
  Trust(certificate_.authority_pem);
  secure_.ThenSend(tests::EventsAnswer(tests::EventOf(kProgress) + tests::EventOf(kResponse)), 5);
  EXPECT_EQ(Call(), (Texts{kProgress, kResponse}));
}

TEST_F(HttpTlsTest, RefusesAnUnknownAuthority) {
  Trust(TestCertificate::For("localhost").authority_pem);
  const Error error = CallError();
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_TRUE(error.retryable) << "nothing was sent";
  EXPECT_TRUE(error.message.starts_with("server x: POST /mcp: TLS: ")) << error.message;
  EXPECT_TRUE(secure_.requests().empty());
}

TEST_F(HttpTlsTest, RefusesTheCertificateOfAnotherHost) {
  Trust(certificate_.authority_pem, "127.0.0.1");
  const Error error = CallError();
  EXPECT_TRUE(error.message.contains("TLS: ")) << error.message;
  EXPECT_TRUE(secure_.requests().empty());
}

TEST_F(HttpTlsTest, DoesNotTrustTheSystemWithATestAuthority) {
  Use(Config(secure_.Url("localhost")));
  EXPECT_TRUE(CallError().message.contains("TLS: "));
}

TEST_F(HttpTlsTest, SaysAtStartThatAuthoritiesCannotBeRead) {
  config::Server config = Config(secure_.Url("localhost"));
  config.tls_ca = "/nowhere/ca.pem";
  Use(config);
  const Result<void> started = Run(transport().Start());
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().detail.contains("/nowhere/ca.pem"));
}

TEST_F(HttpTlsTest, CoversTheHandshakeByTheDeadline) {
  // A plain server that never says hello.
  config::Server config = Config("https://127.0.0.1:" + std::to_string(server_.port()) + "/mcp");
  Use(config);
  std::optional<Error> error;
  Spawn(context_.get_executor(), "call",
        [](HttpTransport& t, Outgoing out, std::optional<Error>& into) -> Task<void> {
          Result<ReplyPtr> reply = co_await t.Request(out);
          into = reply ? Error{} : reply.error();
        }(transport(), Out(), error));
  ASSERT_TRUE(RunUntil([&] { return server_.connections() == 1; }));
  RunAll();
  EXPECT_FALSE(error);
  Pass(std::chrono::seconds(30));
  ASSERT_TRUE(RunUntil([&] { return error.has_value(); }));
  EXPECT_EQ(error->code, Code::kDeadline);
  EXPECT_TRUE(error->retryable) << "no byte of the request was sent";
}

}  // namespace
}  // namespace switchyard::downstream
