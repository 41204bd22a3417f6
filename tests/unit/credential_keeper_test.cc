#include "credential_keeper.h"

#include <gtest/gtest.h>

#include "support/fake_fetcher.h"
#include "telemetry/metrics.h"

namespace switchyard {
namespace {

using config::Secret;
using config::ServerCredentials;

class CredentialKeeperTest : public ::testing::Test {
 protected:
  static config::Server Of(const std::string& url, const std::string& refresh_token) {
    config::Server server;
    server.name = "s";
    server.url = Secret(url, url);
    server.credentials = ServerCredentials{};
    server.credentials->kind = ServerCredentials::Kind::kRefreshToken;
    server.credentials->issuer = "https://as.example";
    server.credentials->client_id = "me";
    server.credentials->refresh_token = Secret(refresh_token);
    return server;
  }

  // What the page of a link says.
  credentials::ConnectFlow::Shown Shown(const std::string& url) {
    Result<credentials::ConnectFlow::Shown> shown = credentials::ConnectFlow::Shown();
    Spawn(context_.get_executor(), "test",
          [](credentials::ConnectFlow& flow, std::string token,
             Result<credentials::ConnectFlow::Shown>& into) -> Task<void> {
            into = co_await flow.Look(std::move(token), "");
          }(keeper_.flow(), url.substr(url.rfind('/') + 1), shown));
    context_.restart();
    context_.run();
    return shown.value();
  }

  net::io_context context_{1};
  ManualClock clock_;
  telemetry::Metrics metrics_;
  tests::FakeFetcher fetcher_{[](const fetch::Request& request) -> Result<fetch::Response> {
    if (!request.url.starts_with("https://as.example/.well-known/")) {
      return fetch::Response{.status = 404};
    }
    return fetch::Response{.status = 200, .body = R"({"issuer":"https://as.example",
        "authorization_endpoint":"https://as.example/authorize",
        "token_endpoint":"https://as.example/token"})"};
  }};
  CredentialKeeper keeper_{context_.get_executor(), clock_, metrics_, &fetcher_};
};

TEST_F(CredentialKeeperTest, AnAccountIsTheSameAfterAReload) {
  const auto before = keeper_.SourceFor(Of("https://s.example/", "r"));
  config::Server changed = Of("https://s.example/", "r");
  changed.list_timeout = std::chrono::seconds(1);
  EXPECT_EQ(keeper_.SourceFor(changed), before) << "two would spend one refresh token";
  EXPECT_NE(keeper_.SourceFor(Of("https://other.example/", "r")), before);
  EXPECT_NE(keeper_.SourceFor(Of("https://s.example/", "another")), before);
}

TEST_F(CredentialKeeperTest, OfEachCallerThereIsNothingToSpend) {
  config::Server server = Of("https://s.example/", "");
  server.credentials->kind = ServerCredentials::Kind::kPerUser;
  EXPECT_NE(keeper_.SourceFor(server), keeper_.SourceFor(server));
}

TEST_F(CredentialKeeperTest, PagesGoByTheOneThatAReloadWentBackTo) {
  config::Server first = Of("https://s.example/", "");
  first.credentials->kind = ServerCredentials::Kind::kOAuth;
  config::Server second = first;
  second.credentials->scopes = {"more"};
  const auto before = keeper_.SourceFor(first);
  const auto between = keeper_.SourceFor(second);
  EXPECT_NE(between, before);
  EXPECT_EQ(keeper_.SourceFor(first), before);
  const credentials::Whose alice{.issuer = "i", .subject = "alice"};
  const std::string url = keeper_.links().UrlFor("s", alice, {});
  EXPECT_EQ(Shown(url).scopes, std::vector<std::string>());
}

}  // namespace
}  // namespace switchyard
