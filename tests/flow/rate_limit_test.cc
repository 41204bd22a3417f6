// rate_limit in a whole gateway, by a clock that the test moves.
#include <memory>

#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr const char* kTwo = "{rate_limit: {limits: [{name: few, rate: 2/h, per: tool}]}}";

class RateLimit : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& policies) {
    gateway.GoesBy(clock).Serves("a", fake).With("policies", policies).Start();
  }
  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path);
  }

  static ::testing::AssertionResult Passes(Client& client, const std::string& tool = "a__echo") {
    const Answer answer = client.Call(tool, R"({"text":"x"})");
    if (answer.text() == "x") return ::testing::AssertionSuccess() << "it passed";
    return ::testing::AssertionFailure() << answer;
  }

  LeapingClock clock;
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, RateLimit, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(RateLimit, ACallTooManyIsAToolsErrorThatTellsWhenToComeAgain) {
  Start(kTwo);
  const auto client = NewClient();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  }
  const Answer refused = client->Call("a__echo", R"({"text":"x"})");
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  EXPECT_TRUE(refused.text().starts_with(
      "rate limit few: 2/h (burst 2) per tool is used up, try again in 1"))
      << refused;
  const json::value why = refused.at("/result/_meta/switchyard~1error");
  ASSERT_TRUE(why.is_object()) << refused;
  EXPECT_EQ(why.at("code"), json::value("rate_limited"));
  EXPECT_EQ(why.at("limit"), json::value("few"));
  EXPECT_GT(why.at("retryAfterMs").as_int64(), 1'700'000);
  EXPECT_LE(why.at("retryAfterMs").as_int64(), 1'800'000);
  EXPECT_EQ(refused.Contains("resultType"), GetParam() == Era::kModern) << refused;
  EXPECT_EQ(fake.received("tools/call").size(), 2U) << "the server was not asked";
  EXPECT_FALSE(client->Call("a__mirror").Contains("rate limit"))
      << "another tool has a bucket of its own";
}

TEST_P(RateLimit, ACallPassesWhenItWasToldToComeAgain) {
  Start(kTwo);
  const auto client = NewClient();
  EXPECT_TRUE(Passes(*client) && Passes(*client));
  const auto told = [&] {
    const Answer refused = client->Call("a__echo", R"({"text":"x"})");
    const json::value after = refused.at("/result/_meta/switchyard~1error/retryAfterMs");
    return milliseconds(after.is_int64() ? after.get_int64() : 0);
  };
  clock.Advance(told() / 2);
  client->HangUp();
  const milliseconds rest = told();
  EXPECT_GT(rest, milliseconds(0));
  clock.Advance(rest);
  client->HangUp();
  EXPECT_TRUE(Passes(*client));
  EXPECT_FALSE(Passes(*client)) << "one came back, not more";
}

TEST_P(RateLimit, TheExampleOfItsPageDoesWhatItSays) {
  Start(FromPolicyPage("rate_limit", 0, "policies"));
  const auto client = NewClient();
  for (const int burst : {1, 2}) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(Passes(*client)) << burst << " " << i;
    EXPECT_FALSE(Passes(*client));
    clock.Advance(std::chrono::minutes(2));
    client->HangUp();
  }
}

TEST_P(RateLimit, ARequestThatIsNoToolsCallGetsAnErrorObject) {
  Start("{rate_limit: {rate: 1/h}}");
  const auto client = NewClient();
  client->Call("a__echo");
  const Answer refused =
      client->Request({.method = "prompts/get", .members = R"("name":"a__greet")"});
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.code(), -32603) << refused;
  EXPECT_EQ(refused.at("/error/data/limit"), json::value("default")) << refused;
  EXPECT_FALSE(client->Tools().empty()) << "lists are free";
}

TEST_P(RateLimit, HoldsOverAllConnectionsWorkersAndReloads) {
  Start(kTwo);
  int passed = 0;
  const auto send = [&] { passed += Passes(*NewClient()) ? 1 : 0; };
  for (int i = 0; i < 10; ++i) send();
  gateway.Reload();
  for (int i = 0; i < 10; ++i) send();
  EXPECT_EQ(passed, 2);
}

TEST_P(RateLimit, AnEndpointAndAServerHaveTheirOwn) {
  FakeServer other = FakeServer::Modern("b");
  gateway.With("endpoints", "{free: {policies: {rate_limit: {limits: []}}}}")
      .Serves("b", other, "policies: {rate_limit: {limits: [{name: one, rate: 1/h}]}}");
  Start(kTwo);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Passes(*NewClient("/mcp/free"))) << i;
  const auto client = NewClient();
  EXPECT_TRUE(Passes(*client, "b__echo"));
  EXPECT_FALSE(Passes(*client, "b__echo"));
  EXPECT_TRUE(Passes(*client));
  EXPECT_FALSE(Passes(*NewClient("/mcp/free"), "b__echo")) << "the server's is nearer";
}

}  // namespace
}  // namespace switchyard::tests
