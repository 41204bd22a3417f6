// A server that is shown a token for each caller, got for the caller's own (RFC 8693), in a whole
// gateway.
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Shown(const FakeServer::Received& received) {
  const auto header = received.headers.find("authorization");
  return header == received.headers.end() ? "nothing" : header->second;
}

class TokenExchange : public ::testing::TestWithParam<Era> {
 protected:
  // The authorization server gives `x<n>` for the n-th token that it is shown, the same for the
  // same one.
  TokenExchange() {
    fetcher.Answers([this](const fetch::Request& request) -> Result<fetch::Response> {
      if (request.url != "https://as.example/token") return fetch::Response{.status = 404};
      const auto form = credentials::oauth::ReadForm(request.body);
      const std::string subject(credentials::oauth::Find(*form, "subject_token").value_or(""));
      ++asked;
      if (fails) return fetch::Response{.status = 400, .body = R"({"error":"invalid_request"})"};
      const std::string given =
          "x" + std::to_string(known.emplace(subject, known.size()).first->second);
      return fetch::Response{
          .status = 200,
          .body = R"({"access_token":")" + given + R"(","token_type":"Bearer","expires_in":3600})"};
    });
  }
  void Start() {
    gateway.FetchesBy(fetcher)
        .With("auth", "{issuers: [" + issuer.Config("audience: [gateway]") +
                          "], api_keys: [{name: ci, hash: '" + auth::ToText(key.kept) + "'}]}")
        .Serves("a", fake,
                "headers: {Authorization: Bearer own}, credentials: {kind: token_exchange, "
                "token_endpoint: 'https://as.example/token', client_id: me, client_secret: "
                "the-client-secret, audience: a}")
        .Start();
  }
  Answer Ask(const std::string& token, const std::string& text = "x") {
    return ModernClient(gateway.port(), "/mcp", token)
        .Call("a__echo", R"({"text":")" + text + "\"}");
  }
  // What the server got for this token.
  std::string For(const std::string& token) { return "Bearer x" + std::to_string(known.at(token)); }

  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  TokenIssuer issuer;
  const auth::NewKey key = auth::MakeApiKey();
  FakeFetcher fetcher;
  std::map<std::string, std::size_t> known;  // of the control thread, but when nothing runs
  std::atomic<int> asked{0};
  std::atomic<bool> fails{false};
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, TokenExchange, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(TokenExchange, EachCallersTokenIsExchangedOnceAndStaysHere) {
  Start();
  const std::string alice = issuer.Token("alice"), bob = issuer.Token("bob");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Ask(alice, "from a").text(), "from a");
    EXPECT_EQ(Ask(bob, "from b").text(), "from b");
  }
  EXPECT_EQ(asked, 2);
  const auto calls = fake.received("tools/call");
  ASSERT_EQ(calls.size(), 4U);
  EXPECT_EQ(Shown(calls[0]), For(alice));
  EXPECT_EQ(Shown(calls[1]), For(bob));
  for (const auto& list : fake.received("tools/list")) EXPECT_EQ(Shown(list), "Bearer own");
  for (const FakeServer::Received& received : fake.received()) {
    for (const std::string& token : {alice, bob}) {
      EXPECT_THAT(received.body, Not(HasSubstr(token)));
      for (const auto& [name, value] : received.headers) EXPECT_THAT(value, Not(HasSubstr(token)));
    }
  }
  EXPECT_TRUE(
      Shows(gateway, R"(switchyard_credentials_tokens_total{server="a",outcome="fetched"} 2)"));
}

TEST_P(TokenExchange, ANewTokenOfTheSameCallerIsAnother) {
  Start();
  const std::string wide = issuer.Token("alice", {{"scope", R"("read write")"}});
  const std::string narrow = issuer.Token("alice", {{"scope", R"("read")"}});
  for (const std::string& token : {wide, narrow, wide}) {
    EXPECT_EQ(Ask(token).text(), "x");
    EXPECT_EQ(Shown(fake.received("tools/call").back()), For(token));
  }
  EXPECT_EQ(asked, 2);
}

TEST_P(TokenExchange, WhoShowsNoTokenReachesNothingAndIsTold) {
  Start();
  const Answer answer = Ask(key.text);
  EXPECT_THAT(answer.body, HasSubstr("this caller has shown none")) << answer;
  EXPECT_TRUE(fake.received("tools/call").empty());
  EXPECT_EQ(asked, 0);
}

TEST_P(TokenExchange, WhoGetsNoneReachesNothingAndNothingIsToldOfWhy) {
  fails = true;
  Start();
  const Answer answer = Ask(issuer.Token("alice"));
  EXPECT_THAT(answer.body, HasSubstr("no token for this caller could be had")) << answer;
  EXPECT_THAT(answer.body, Not(HasSubstr("invalid_request")));
  EXPECT_THAT(answer.body, Not(HasSubstr("the-client-secret")));
  EXPECT_TRUE(fake.received("tools/call").empty());
}

TEST_P(TokenExchange, CallersAtTheSameTimeAreNeverTakenForEachOther) {
  Start();
  const std::map<std::string, std::string> tokens = {{"alice", issuer.Token("alice")},
                                                     {"bob", issuer.Token("bob")}};
  std::vector<std::thread> threads;
  for (const char* who : {"alice", "bob", "alice", "bob"}) {
    threads.emplace_back([&, who] {
      for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(tokens.at(who), who).text(), who);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked, 2);
  const auto calls = fake.received("tools/call");
  EXPECT_EQ(calls.size(), 80U);
  for (const auto& call : calls) {
    const bool alice = call.body.find("\"alice\"") != std::string::npos;
    EXPECT_EQ(Shown(call), For(tokens.at(alice ? "alice" : "bob")));
  }
}

TEST_P(TokenExchange, ALegacyClientsCallsGoInItsNameToo) {
  Start();
  const std::string token = issuer.Token("alice");
  const auto client = gateway.ClientOf(Era::kLegacy, "/mcp", token);
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), For(token));
}

}  // namespace
}  // namespace switchyard::tests
