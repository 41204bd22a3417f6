#include "fetch/http_fetcher.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/worker_timers.h"
#include "support/scripted_http_server.h"
#include "telemetry/metrics.h"

namespace switchyard::fetch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using tests::ScriptedHttpServer;
using tests::TestCertificate;
using tests::TextFile;
using Peer = ScriptedHttpServer::Peer;

std::string Redirect(const std::string& to, int status = 302) {
  return "HTTP/1.1 " + std::to_string(status) + " Go\r\nLocation: " + to +
         "\r\nContent-Length: 0\r\n\r\n";
}

class HttpFetcherTest : public ::testing::Test {
 protected:
  void SetUp() override { Allow({"127.0.0.1"}); }
  void Allow(std::vector<std::string> allow, std::string tls_ca = "", std::size_t max = 1 << 20) {
    config::Fetch fetch{.allow = std::move(allow), .max_bytes = max, .tls_ca = std::move(tls_ca)};
    Result<std::shared_ptr<const Terms>> terms = Terms::Make(fetch);
    ASSERT_TRUE(terms) << terms.error().message;
    fetcher_.Use(*terms);
  }
  Result<Response> Run(Request request) {
    std::optional<Result<Response>> result;
    Spawn(context_.get_executor(), "test", Keep(fetcher_, std::move(request), result));
    context_.restart();
    while (!result && context_.run_one_for(std::chrono::seconds(20)) > 0) {
      if (late_ && !server_.requests().empty()) {  // the other side has it, and time passes
        late_ = false;
        clock_.Advance(std::chrono::seconds(11));
        TimersOf(context_.get_executor(), clock_).FireDue();
      }
    }
    EXPECT_TRUE(result) << "it hangs";
    return result ? std::move(*result) : Failure(Code::kInternal, Origin::kGateway, "hangs");
  }
  Result<Response> Get(const std::string& url, unsigned redirects = 0) {
    return Run({.url = url,
                .headers = {{"Authorization", "Bearer s3cret"}, {"Accept", "a/b"}},
                .max_redirects = redirects});
  }
  std::string Url(const std::string& path = "/x") { return server_.Url("127.0.0.1", path); }
  Error Failing(const std::string& answer) {
    server_.ThenSendAndClose(answer);
    Result<Response> response = Get(Url());
    return response ? Error{.code = Code::kInternal, .message = "it passed"} : response.error();
  }
  static Task<void> Keep(HttpFetcher& fetcher, Request request,
                         std::optional<Result<Response>>& result) {
    result.emplace(co_await fetcher.Fetch(std::move(request), Deadline()));
  }

  net::io_context context_{1};
  ManualClock clock_;
  telemetry::Metrics metrics_;
  Guard::Endpoints named_;  // what every name resolves to, when there are some
  int asked_names_ = 0;
  HttpFetcher fetcher_{clock_, metrics_, [this](std::string_view host) {
                         ++asked_names_;
                         boost::system::error_code error;
                         const auto literal = net::ip::make_address(std::string(host), error);
                         if (!error) return Guard::Endpoints{{literal, 0}};
                         return named_;
                       }};
  ScriptedHttpServer server_{context_};
  bool late_ = false;
};

TEST_F(HttpFetcherTest, AsksAndReadsTheWholeAnswer) {
  server_.ThenSend(tests::JsonAnswer("{\"a\":1}", "Cache-Control: max-age=5\r\n"), 3);
  const Result<Response> response = Get(Url("/x?y=z"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "{\"a\":1}");
  EXPECT_EQ(response->Find("cache-control"), "max-age=5");
  EXPECT_EQ(server_.requests().at(0).start, "GET /x?y=z HTTP/1.1");
  EXPECT_EQ(server_.requests().at(0).Header("Accept-Encoding"), "identity");
  EXPECT_EQ(server_.requests().at(0).Header("Authorization"), "Bearer s3cret");
}

TEST_F(HttpFetcherTest, Posts) {
  server_.ThenSend(tests::JsonAnswer("{}"));
  const Result<Response> response =
      Run({.method = "POST", .url = Url(), .body = std::string(100'000, 'b')});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(server_.requests().at(0).body.size(), 100'000U);
}

TEST_F(HttpFetcherTest, SendsNoHeaderThatWouldMakeAnotherRequest) {
  for (const Header& bad : {Header{"Host", "a"}, Header{"content-length", "1"}, Header{"A b", "c"},
                            Header{"A", "b\r\nC: d"}, Header{"Transfer-Encoding", "chunked"}}) {
    EXPECT_FALSE(Run({.url = Url(), .headers = {bad}})) << bad.name;
  }
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(HttpFetcherTest, ReachesNothingInsideUnlessItIsNamed) {
  Allow({});
  const Result<Response> response = Get(Url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kForbidden);
  EXPECT_EQ(response.error().origin, Origin::kGateway);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(HttpFetcherTest, ConnectsToTheVeryAddressThatItChecked) {
  // By the time of a second look the name would mean something else.
  Allow({"rebinding.example"});
  named_ = {{net::ip::make_address("127.0.0.1"), 0}};
  server_.ThenSend(tests::JsonAnswer("{}"));
  EXPECT_TRUE(Get(server_.Url("rebinding.example", "/")));
  EXPECT_EQ(asked_names_, 1);
  EXPECT_THAT(server_.requests().at(0).Header("Host"), HasSubstr("rebinding.example"));
}

TEST_F(HttpFetcherTest, ANameThatPointsInsideIsRefused) {
  Allow({});
  named_ = {{net::ip::make_address("127.0.0.1"), 0}};
  const Result<Response> response =
      Get("https://public.example:" + std::to_string(server_.port()) + "/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kForbidden);
  EXPECT_THAT(response.error().message, Not(HasSubstr("127.0.0.1"))) << "the detail has it";
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(HttpFetcherTest, FollowsRedirectsWithinItsBounds) {
  server_.ThenSend(Redirect("/y"));
  server_.ThenSend(tests::JsonAnswer("{}"));
  EXPECT_TRUE(Get(Url(), 1));
  EXPECT_EQ(server_.requests().at(1).start, "GET /y HTTP/1.1");
  EXPECT_EQ(server_.requests().at(1).Header("Authorization"), "Bearer s3cret");
  server_.ThenSend(Redirect("/y"));
  const Result<Response> as_is = Get(Url());
  ASSERT_TRUE(as_is);
  EXPECT_EQ(as_is->status, 302);
  for (int i = 0; i < 3; ++i) server_.ThenSend(Redirect("/y"));
  const Result<Response> loop = Get(Url(), 2);
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().code, Code::kProtocol);
}

TEST_F(HttpFetcherTest, ChecksWhereARedirectLeads) {
  for (const std::string to :
       {"http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "https://[::1]/",
        "ftp://127.0.0.1/", "http://user@127.0.0.1/", "http://127.0.0.1:22/", ""}) {
    server_.ThenSend(Redirect(to));
    const Result<Response> response = Get(Url(), 3);
    EXPECT_FALSE(response) << to;
  }
}

TEST_F(HttpFetcherTest, TakesNoCredentialsToAnotherOrigin) {
  ScriptedHttpServer other(context_);
  other.ThenSend(tests::JsonAnswer("{}"));
  server_.ThenSend(Redirect(other.Url("127.0.0.1", "/o")));
  EXPECT_TRUE(Get(Url(), 1));
  EXPECT_EQ(other.requests().at(0).Header("Authorization"), "");
  EXPECT_EQ(other.requests().at(0).Header("Accept"), "a/b");
  server_.ThenSend(Redirect(other.Url("127.0.0.1", "/o"), 307));
  EXPECT_FALSE(Run({.method = "POST", .url = Url(), .body = "secret", .max_redirects = 1}));
  EXPECT_EQ(other.requests().size(), 1U);
}

TEST_F(HttpFetcherTest, BoundsWhatItReads) {
  Allow({"127.0.0.1"}, "", 1000);
  const std::string big(1001, 'x');
  EXPECT_EQ(Failing("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + big).code, Code::kTooLarge);
  EXPECT_EQ(Failing("HTTP/1.1 200 OK\r\n\r\n" + big).code, Code::kTooLarge);
  EXPECT_EQ(Failing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + big +
                    "\r\n0\r\n\r\n")
                .code,
            Code::kTooLarge);
  EXPECT_EQ(Failing("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").code,
            Code::kTooLarge);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += "A: b\r\n";
  EXPECT_EQ(Failing(many + "\r\n").code, Code::kTooLarge);
}

TEST_F(HttpFetcherTest, RefusesWhatItCannotReadForSure) {
  EXPECT_EQ(Failing("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx").code,
            Code::kProtocol);
  EXPECT_EQ(Failing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx").code, Code::kUnavailable);
  EXPECT_EQ(Failing("SSH-2.0-OpenSSH_9\r\n").code, Code::kProtocol);
  EXPECT_EQ(Failing("").code, Code::kUnavailable);
  EXPECT_EQ(Failing("HTTP/1.1 101 Switching\r\n\r\n").code, Code::kProtocol);
}

TEST_F(HttpFetcherTest, WaitsNoLongerThanItsTime) {
  server_.Then([](Peer& peer, const auto&) -> Task<void> {
    co_await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx");  // and no more of it
    co_await peer.UntilClosed();
  });
  late_ = true;
  const Result<Response> response = Get(Url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kDeadline);
}

TEST_F(HttpFetcherTest, VerifiesWhomItTalksTo) {
  const TestCertificate certificate = TestCertificate::For("idp.example");
  const TextFile authorities(certificate.authority_pem);
  ScriptedHttpServer secure(context_, &certificate);
  named_ = {{net::ip::make_address("127.0.0.1"), 0}};
  Allow({"idp.example", "other.example"}, authorities.path());
  secure.ThenSend(tests::JsonAnswer("{}"));
  EXPECT_TRUE(Get(secure.Url("idp.example", "/")));
  const Result<Response> other = Get(secure.Url("other.example", "/"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kUnavailable);
  Allow({"idp.example"});  // by the system's authorities
  EXPECT_FALSE(Get(secure.Url("idp.example", "/")));
}

TEST_F(HttpFetcherTest, CountsWhatBecameOfIt) {
  server_.ThenSend(tests::JsonAnswer("{}"));
  EXPECT_TRUE(Get(Url()));
  Allow({});
  EXPECT_FALSE(Get(Url()));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_fetches_total{outcome=\"ok\"} 1"));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_fetches_total{outcome=\"refused\"} 1"));
}

TEST(TermsOfFetches, SayWhatIsWrong) {
  EXPECT_FALSE(Terms::Make({.allow = {"http://a"}}));
  const auto made = Terms::Make({.tls_ca = "/nowhere.pem"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kInvalid);
}

}  // namespace
}  // namespace switchyard::fetch
