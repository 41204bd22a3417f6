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

  net::io_context context_{1};
  ManualClock clock_;
  telemetry::Metrics metrics_;
  tests::FakeFetcher fetcher_;
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

}  // namespace
}  // namespace switchyard
