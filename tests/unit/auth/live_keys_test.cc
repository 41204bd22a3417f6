#include "auth/live_keys.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/key_keeper.h"
#include "base/mailbox.h"
#include "base/worker_timers.h"
#include "support/fake_fetcher.h"
#include "support/signer.h"
#include "telemetry/metrics.h"

namespace switchyard::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using tests::FakeFetcher;
using tests::Signer;

std::string SetOf(const Signer& signer, const std::string& id) {
  return "{\"keys\":[" + signer.Jwk("\"kid\":\"" + id + "\"") + "]}";
}

class LiveKeysTest : public ::testing::Test {
 protected:
  LiveKeys& Make(const std::string& jwks_url = "https://i/keys") {
    keys_ = std::make_shared<LiveKeys>(LiveKeys::Whose{.issuer = "https://i", .jwks_url = jwks_url},
                                       LiveKeys::Means{.fetcher = fetcher_,
                                                       .executor = context_.get_executor(),
                                                       .clock = clock_,
                                                       .metrics = metrics_,
                                                       .random = [] { return 0.5; }});
    return *keys_;
  }
  void Work() {
    context_.restart();
    while (context_.poll() > 0) {
    }
  }
  void Tick() {
    keys_->Tick();
    Work();
  }
  void Pass(Duration time) {
    clock_.Advance(time);
    TimersOf(context_.get_executor(), clock_).FireDue();
    Work();
  }
  // What a client whose token names an unknown key waits for.
  std::optional<bool> Await(Deadline deadline = {}) {
    auto result = std::make_shared<std::optional<bool>>();
    waiting_ = TaskHandle(context_.get_executor(), "wait",
                          [](LiveKeysTest& test, Deadline until, auto out) -> Task<void> {
                            *out = co_await test.keys_->AwaitNewer(test.keys_->version(), until);
                          }(*this, deadline, result));
    Work();
    awaited_ = result;
    return *result;
  }
  bool Has(const std::string& id) {
    const KeysPtr keys = keys_->Current();
    return keys != nullptr && keys->Find(Algorithm::kEdDsa, id).has_value();
  }

  net::io_context context_{1};
  ManualClock clock_;
  telemetry::Metrics metrics_;
  FakeFetcher fetcher_;
  const Signer one_ = Signer::Ed25519(), two_ = Signer::Ed25519();
  std::shared_ptr<LiveKeys> keys_;
  TaskHandle waiting_;
  std::shared_ptr<std::optional<bool>> awaited_;
};

TEST_F(LiveKeysTest, AreThereBeforeTheFirstToken) {
  fetcher_.Answers(SetOf(one_, "a"));
  Make();
  EXPECT_EQ(keys_->Current(), nullptr);
  const auto before = keys_->version();
  Tick();
  EXPECT_TRUE(Has("a"));
  EXPECT_NE(keys_->version(), before);
  EXPECT_EQ(fetcher_.asked.at(0).url, "https://i/keys");
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr("switchyard_keys_age_seconds{issuer=\"https://i\"} 0"));
}

TEST_F(LiveKeysTest, AreDueAgainWhenTheWayToThemChanged) {
  Make();
  for (int i = 0; i < 12; ++i) {
    Tick();
    Pass(minutes(5));
  }
  Tick();
  const std::size_t asked = fetcher_.asked.size();
  Tick();
  ASSERT_EQ(fetcher_.asked.size(), asked) << "within the pause";
  fetcher_.Answers(SetOf(one_, "a"));
  keys_->Retry();
  Tick();
  EXPECT_TRUE(Has("a"));
}

TEST_F(LiveKeysTest, WhatIsThrownIsAFailureLikeAnother) {
  fetcher_.wait = []() -> Task<void> {
    throw std::runtime_error("thrown");
    co_return;
  };
  Make();
  Tick();
  fetcher_.wait = nullptr;
  fetcher_.Answers(SetOf(one_, "a"));
  Pass(seconds(2));
  Tick();
  EXPECT_TRUE(Has("a"));
}

TEST_F(LiveKeysTest, AreFetchedAgainWhenTheyGrowOld) {
  fetcher_.Answers(SetOf(one_, "a"));
  Make();
  Tick();
  Pass(minutes(59));
  Tick();
  EXPECT_EQ(fetcher_.asked.size(), 1U);
  fetcher_.Answers(SetOf(two_, "b"));
  Pass(minutes(2));
  Tick();
  EXPECT_EQ(fetcher_.asked.size(), 2U);
  EXPECT_FALSE(Has("a"));
  EXPECT_TRUE(Has("b"));
}

TEST_F(LiveKeysTest, GoByWhatTheIssuerSaysOfTheirAgeWithinBounds) {
  fetcher_.Answers([this](const auto&) -> Result<fetch::Response> {
    return fetch::Response{
        .status = 200, .headers = {{"cache-control", "max-age=1"}}, .body = SetOf(one_, "a")};
  });
  Make();
  Tick();
  Pass(seconds(30));
  Tick();
  EXPECT_EQ(fetcher_.asked.size(), 1U) << "no more often than once a minute";
  Pass(seconds(31));
  Tick();
  EXPECT_EQ(fetcher_.asked.size(), 2U);
  const auto version = keys_->version();
  Pass(minutes(2));
  Tick();
  EXPECT_EQ(keys_->version(), version) << "the same keys: nothing is to be verified again";
}

TEST_F(LiveKeysTest, ServeOnWhileTheIssuerIsDownButNotForEver) {
  fetcher_.Answers(SetOf(one_, "a"));
  Make();
  Tick();
  fetcher_.Answers(
      [](const auto&) -> Result<fetch::Response> { return fetch::Response{.status = 500}; });
  for (int i = 0; i < 12 * 12; ++i) {
    Pass(minutes(5));
    Tick();
  }
  EXPECT_TRUE(Has("a")) << "12 hours later";
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("outcome=\"failed\""));
  const auto version = keys_->version();
  Pass(hours(2));
  Tick();
  EXPECT_EQ(keys_->Current(), nullptr);
  EXPECT_NE(keys_->version(), version);
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr("switchyard_keys_age_seconds{issuer=\"https://i\"} -1"));
}

TEST_F(LiveKeysTest, AnUnknownKeyIsAskedForOnceInAWhile) {
  fetcher_.Answers(SetOf(one_, "a"));
  Make();
  Tick();
  Pass(minutes(1));
  fetcher_.Answers(SetOf(two_, "b"));
  EXPECT_EQ(Await(), std::optional(true)) << "rotated";
  EXPECT_TRUE(Has("b"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Await(), std::optional(false));
  EXPECT_EQ(fetcher_.asked.size(), 2U) << "whoever makes up keys makes no fetches";
  Pass(seconds(31));
  EXPECT_EQ(Await(), std::optional(false)) << "asked, and the same";
  EXPECT_EQ(fetcher_.asked.size(), 3U);
}

TEST_F(LiveKeysTest, ManyWaitForOneFetchAndNoLongerThanTheirDeadline) {
  fetcher_.Answers(SetOf(one_, "a"));
  Mailbox<int> gate;
  fetcher_.wait = [&gate]() -> Task<void> { co_await gate.Take(); };
  Make();
  EXPECT_EQ(Await(Deadline::In(clock_, seconds(2))), std::nullopt) << "it waits";
  const auto first = awaited_;
  TaskHandle held = std::move(waiting_);
  EXPECT_EQ(Await(), std::nullopt);
  EXPECT_EQ(fetcher_.asked.size(), 1U);
  Pass(seconds(2));
  EXPECT_EQ(*first, std::optional(false)) << "its time is over";
  gate.Put(1);
  Work();
  EXPECT_EQ(*awaited_, std::optional(true));
}

TEST_F(LiveKeysTest, AreWaitedForNoLongerThanAFewSeconds) {
  Mailbox<int> gate;
  fetcher_.wait = [&gate]() -> Task<void> { co_await gate.Take(); };
  Make();
  EXPECT_EQ(Await(), std::nullopt);
  Pass(seconds(5));
  EXPECT_EQ(*awaited_, std::optional(false));
  gate.Put(1);
  Work();
}

TEST_F(LiveKeysTest, AreFoundByTheMetadataOfTheIssuer) {
  fetcher_.Answers([this](const fetch::Request& request) -> Result<fetch::Response> {
    if (request.url == "https://i/.well-known/oauth-authorization-server") {
      return fetch::Response{.status = 200,
                             .body = R"({"issuer":"https://i","jwks_uri":"https://k/keys"})"};
    }
    if (request.url == "https://k/keys") {
      return fetch::Response{.status = 200, .body = SetOf(one_, "a")};
    }
    return fetch::Response{.status = 404};
  });
  Make("");
  Tick();
  EXPECT_TRUE(Has("a"));
  EXPECT_EQ(fetcher_.asked.size(), 3U);
}

TEST_F(LiveKeysTest, AreNotTakenFromAnotherIssuersMetadata) {
  fetcher_.Answers([this](const fetch::Request& request) -> Result<fetch::Response> {
    if (request.url.contains("well-known")) {
      return fetch::Response{.status = 200,
                             .body = R"({"issuer":"https://evil","jwks_uri":"https://k/keys"})"};
    }
    return fetch::Response{.status = 200, .body = SetOf(one_, "a")};
  });
  Make("");
  Tick();
  EXPECT_EQ(keys_->Current(), nullptr);
  EXPECT_EQ(fetcher_.asked.size(), 1U);
}

TEST_F(LiveKeysTest, AreNoSecretsAndNotTooLarge) {
  const Signer secret = Signer::Hmac(std::string(64, 's'));
  const Signer huge = Signer::Rsa(5120);
  for (const std::string& bad :
       {SetOf(secret, "s"), SetOf(huge, "h"), "{\"keys\":[" + one_.PrivateJwk() + "]}",
        std::string("{\"keys\":[]}"), std::string("<html>"), one_.Pem()}) {
    fetcher_.Answers(bad);
    Make();
    Tick();
    EXPECT_EQ(keys_->Current(), nullptr) << bad.substr(0, 60);
  }
}

TEST_F(LiveKeysTest, AreKeptByTheirKeeperAcrossAReload) {
  KeyKeeper keeper({.fetcher = fetcher_,
                    .executor = context_.get_executor(),
                    .clock = clock_,
                    .metrics = metrics_,
                    .random = [] { return 0.5; }});
  config::Issuer issuer{.issuer = "https://i", .jwks_url = config::Secret("https://i/keys")};
  const auto first = keeper.ProviderFor(issuer);
  ASSERT_TRUE(first);
  fetcher_.Answers(SetOf(one_, "a"));
  keeper.Tick();
  Work();
  EXPECT_EQ(*keeper.ProviderFor(issuer), *first);
  issuer.audience = {"another"};
  EXPECT_EQ(*keeper.ProviderFor(issuer), *first) << "the keys are the same";
  issuer.jwks_url = config::Secret("https://i/more");
  EXPECT_NE(*keeper.ProviderFor(issuer), *first);
  EXPECT_EQ(fetcher_.asked.size(), 1U);
}

}  // namespace
}  // namespace switchyard::auth
