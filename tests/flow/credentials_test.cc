// What servers are shown, in a whole gateway: in the name of each caller, or by an account of the
// gateway's own.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/load.h"
#include "policies/registry.h"
#include "support/doc_examples.h"
#include "support/fake_fetcher.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/paths.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Shown(const FakeServer::Received& received) {
  const auto header = received.headers.find("authorization");
  return header == received.headers.end() ? "nothing" : header->second;
}

// By the eras of the server; the client's makes no difference here.
class Credentials : public ::testing::TestWithParam<Era> {
 protected:
  void StartPerUser(const std::string& values = "{alice: a-secret, bob: b-secret}") {
    gateway.With("auth", "{issuers: [" + issuer.Config("audience: [gateway]") + "]}");
    Serve(values);
    gateway.Start();
  }
  void Serve(const std::string& values) {
    gateway.Serves("a", fake,
                   "headers: {Authorization: Bearer own, X-Team: t}, credentials: {kind: per_user, "
                   "issuer: 'https://issuer.example', values: " +
                       values + "}");
  }
  std::string Call(const std::string& subject, const std::string& text = "x") {
    return ModernClient(gateway.port(), "/mcp", issuer.Token(subject))
        .Call("a__echo", R"({"text":")" + text + "\"}")
        .text();
  }

  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  TokenIssuer issuer;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Credentials, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Credentials, EachCallerIsShownByItsOwnAndTheGatewayByItsOwn) {
  StartPerUser();
  EXPECT_EQ(Call("alice", "from a"), "from a");
  EXPECT_EQ(Call("bob", "from b"), "from b");
  const auto calls = fake.received("tools/call");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(Shown(calls[0]), "Bearer a-secret");
  EXPECT_EQ(Shown(calls[1]), "Bearer b-secret");
  EXPECT_EQ(calls[0].headers.at("x-team"), "t");
  for (const auto& list : fake.received("tools/list")) EXPECT_EQ(Shown(list), "Bearer own");
}

TEST_P(Credentials, TheCallersOwnTokenStaysHere) {
  StartPerUser();
  const std::string token = issuer.Token("alice");
  ModernClient(gateway.port(), "/mcp", token).Call("a__echo", R"({"text":"x"})");
  for (const FakeServer::Received& received : fake.received()) {
    EXPECT_THAT(received.body, Not(HasSubstr(token)));
    for (const auto& [name, value] : received.headers) EXPECT_THAT(value, Not(HasSubstr(token)));
  }
}

TEST_P(Credentials, WhoHasNoneReachesNothing) {
  StartPerUser();
  const Answer answer = ModernClient(gateway.port(), "/mcp", issuer.Token("carol"))
                            .Call("a__echo", R"({"text":"x"})");
  EXPECT_THAT(answer.body, HasSubstr("has no credentials for this caller")) << answer;
  EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
  EXPECT_TRUE(fake.received("tools/call").empty());
}

TEST_P(Credentials, CallersAtTheSameTimeAreNeverTakenForEachOther) {
  StartPerUser();
  std::vector<std::thread> threads;
  for (const char* who : {"alice", "bob", "alice", "bob"}) {
    threads.emplace_back([this, who] {
      for (int i = 0; i < 25; ++i) EXPECT_EQ(Call(who, who), who);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto calls = fake.received("tools/call");
  EXPECT_EQ(calls.size(), 100U);
  for (const auto& call : calls) {
    const bool alice = call.body.find("\"alice\"") != std::string::npos;
    EXPECT_EQ(Shown(call), alice ? "Bearer a-secret" : "Bearer b-secret");
  }
}

TEST_P(Credentials, SessionsOfALegacyServerAreOneCallersAlone) {
  if (GetParam() == Era::kModern) GTEST_SKIP() << "has no sessions";
  StartPerUser();
  Call("alice");
  Call("bob");
  Call("alice");
  std::map<std::string, std::set<std::string>> shown;  // by session
  for (const FakeServer::Received& received : fake.received()) {
    const auto session = received.headers.find("mcp-session-id");
    if (session != received.headers.end()) shown[session->second].insert(Shown(received));
  }
  EXPECT_EQ(shown.size(), 3U);
  for (const auto& [session, who] : shown) EXPECT_EQ(who.size(), 1U) << session;
}

TEST_P(Credentials, AValueChangesWithAReload) {
  StartPerUser();
  EXPECT_EQ(Call("alice"), "x");
  Serve("{alice: a-second}");
  gateway.Reload();
  EXPECT_TRUE(gateway.server().WaitUntilSettled(std::chrono::seconds(20)));
  EXPECT_EQ(Call("alice"), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer a-second");
}

class Account : public ::testing::TestWithParam<Era> {
 protected:
  Account() {
    fetcher.Answers([this](const fetch::Request& request) -> Result<fetch::Response> {
      if (request.url == "https://as.example/.well-known/oauth-authorization-server") {
        return fetch::Response{.status = 200, .body = R"({"issuer":"https://as.example",
                                           "token_endpoint":"https://as.example/token"})"};
      }
      if (request.url != "https://as.example/token") return fetch::Response{.status = 404};
      if (fails) return fetch::Response{.status = 400, .body = R"({"error":"invalid_client"})"};
      return fetch::Response{.status = 200,
                             .body = R"({"access_token":"t)" + std::to_string(++given) +
                                     R"(","token_type":"Bearer","expires_in":3600})"};
    });
  }
  void Start() {
    gateway.GoesBy(clock)
        .FetchesBy(fetcher)
        .Serves("a", fake,
                "credentials: {kind: client_credentials, issuer: 'https://as.example', client_id: "
                "me, client_secret: the-client-secret}")
        .Start();
  }

  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  LeapingClock clock;
  FakeFetcher fetcher;
  std::atomic<int> given{0};
  std::atomic<bool> fails{false};
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Account, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Account, OneTokenServesAllAndIsReplacedInTime) {
  Start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  }
  EXPECT_EQ(given, 1);
  for (const auto& received : fake.received()) EXPECT_EQ(Shown(received), "Bearer t1");
  clock.Advance(std::chrono::hours(2));
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer t2");
  EXPECT_TRUE(
      Shows(gateway, R"(switchyard_credentials_tokens_total{server="a",outcome="refreshed"} 1)"));
}

TEST_P(Account, WithoutATokenTheServerIsNotAskedAndNothingIsToldOfWhy) {
  fails = true;
  Start();
  const Answer answer = gateway.Modern().Call("a__echo", R"({"text":"x"})");
  EXPECT_THAT(answer.body, Not(HasSubstr("the-client-secret")));
  EXPECT_THAT(answer.body, Not(HasSubstr("invalid_client")));
  EXPECT_TRUE(fake.received().empty());
}

TEST(CredentialDocs, EveryExampleLoads) {
  const std::vector<std::string> examples =
      ExamplesOf(::switchyard::paths::SourceDir() + "/docs/credentials.md");
  ASSERT_EQ(examples.size(), 5U);
  for (const std::string& example : examples) {
    const config::LoadResult loaded = config::LoadText(
        example, "credentials.md", policies::PolicyKeys(), config::ProcessEnvironment());
    EXPECT_TRUE(loaded) << example;
  }
}

}  // namespace
}  // namespace switchyard::tests
