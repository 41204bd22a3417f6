#include "auth/gate.h"

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/principals.h"
#include "config/auth.h"
#include "telemetry/metrics.h"
#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

using ::testing::HasSubstr;

// Keys that come while somebody waits for them.
class LateKeys final : public KeyProvider {
 public:
  explicit LateKeys(KeysPtr keys) : later_(std::move(keys)) {}
  std::uint64_t version() const override { return version_; }
  KeysPtr Current() const override { return now_; }
  Task<bool> AwaitNewer(std::uint64_t, Deadline) override {
    Come();
    co_return true;
  }
  void Come() {
    now_ = later_;
    ++version_;
  }

 private:
  KeysPtr now_, later_;
  std::uint64_t version_ = 1;
};

config::Auth WithIssuer() {
  config::Auth auth;
  auth.issuers.push_back({.issuer = "https://issuer.example",
                          .audience = {"https://gateway.example/mcp"},
                          .keys = Issuer::Get().JwksText()});
  return auth;
}

class GateTest : public ::testing::Test {
 protected:
  Gate& Make(const config::Auth& auth, const ProviderOf& provider = FixedKeysOf) {
    auto made = Authenticator::Make(auth, "", {.port = 8080}, provider);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    gate_.emplace(*made, "/mcp", metrics_);
    return *gate_;
  }
  Gate::Answer Ask(std::string_view authorization, WallTime now = kNow) {
    return gate_->Ask({.authorization = authorization}, now);
  }
  static std::string Token(const Claims& changed = {}) {
    return "Bearer " +
           Issuer::Get().ed.Token("EdDSA", HeaderText("EdDSA", "ed"), ClaimsText(changed));
  }

  telemetry::Metrics metrics_;
  std::optional<Gate> gate_;
};

TEST_F(GateTest, OneCredentialIsOnePrincipalForAsLongAsItIsGood) {
  Make(WithIssuer());
  const std::string token = Token({{"scope", R"("a b")"}, {"org", R"({"unit":["x","y"]})"}});
  const Gate::Answer first = Ask(token), second = Ask(token, kNow + std::chrono::seconds(9));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->get(), second->get());
  EXPECT_EQ((*first)->issuer, "https://issuer.example");
  EXPECT_EQ((*first)->subject, "alice");
  EXPECT_THAT((*first)->scopes, ::testing::ElementsAre("a", "b"));
  EXPECT_THAT((*first)->claims.at("org.unit"), ::testing::ElementsAre("x", "y"));
  EXPECT_THAT((*first)->claims.at("exp"), ::testing::ElementsAre("1800000600"));
  const Gate::Answer late = Ask(token, kNow + std::chrono::seconds(700));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().why, Gate::Turned::kInvalid);
  EXPECT_EQ(late.error().refusal.reason, Reason::kExpired);
}

TEST_F(GateTest, WhatIsNoTextInAListIsThereAsJson) {
  Make(WithIssuer());
  const Gate::Answer one =
      Ask(Token({{"authorization_details", R"([{"type":"read"}, ["x"], null, "y"])"}}));
  ASSERT_TRUE(one);
  EXPECT_THAT((*one)->claims.at("authorization_details"),
              ::testing::ElementsAre(R"({"type":"read"})", R"(["x"])", "null", "y"));
}

TEST_F(GateTest, NewKeysForgetWhatOldOnesProved) {
  const auto keys = std::make_shared<LateKeys>(std::make_shared<const KeySet>(Issuer::Get().keys));
  Make(WithIssuer(),
       [&](const config::Issuer&) -> Result<std::shared_ptr<KeyProvider>> { return keys; });
  const Gate::Answer early = Ask(Token());
  ASSERT_FALSE(early);
  EXPECT_TRUE(early.error().keys_may_come);
  boost::asio::io_context context;
  const TaskHandle waiting(context.get_executor(), "wait", gate_->AwaitKeys(Token(), Deadline()));
  context.run();
  const Gate::Answer first = Ask(Token());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->get(), Ask(Token())->get());
  keys->Come();
  const Gate::Answer second = Ask(Token());
  ASSERT_TRUE(second);
  EXPECT_NE(first->get(), second->get());
}

TEST_F(GateTest, OnlyWhatLacksAKeyMayWaitForOne) {
  Make(WithIssuer());
  EXPECT_TRUE(
      Ask("Bearer " + Issuer::Get().ed.Token("EdDSA", HeaderText("EdDSA", "nobody"), ClaimsText()))
          .error()
          .keys_may_come);
  for (const std::string& token : {std::string("Bearer x"), std::string("Basic x"),
                                   std::string("Bearer"), Token({{"exp", "1"}})}) {
    EXPECT_FALSE(Ask(token).error().keys_may_come) << token;
  }
}

// A rule may deny by the one that would be left out.
TEST_F(GateTest, ATokenOfMoreClaimsThanAreKeptIsRefused) {
  Make(WithIssuer());
  const auto many = [](std::size_t count) {
    std::string object = "{";
    for (std::size_t i = 0; i < count; ++i) {
      object += (i == 0 ? "\"c" : ",\"c") + std::to_string(i) + "\":1";
    }
    return object + "}";
  };
  EXPECT_TRUE(Ask(Token({{"x", many(kMaxClaims / 2)}})));
  EXPECT_FALSE(Ask(Token({{"x", many(kMaxClaims + 1)}})));
}

TEST_F(GateTest, StatusAndChallengeSayWhatToDo) {
  config::Auth auth = WithIssuer();
  auth.scopes = {"use"};
  Gate& gate = Make(auth);
  const auto told = [&](const Gate::Answer& answer) {
    return std::to_string(Gate::StatusOf(answer.error())) + " " +
           gate.ChallengeOf(answer.error(), "localhost:8080", "/mcp");
  };
  const std::string metadata =
      R"(resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp")";
  EXPECT_EQ(told(gate.Ask({}, kNow)), R"(401 Bearer scope="use", )" + metadata);
  EXPECT_EQ(told(Ask("Bearer")), R"(400 Bearer error="invalid_request", scope="use", )" + metadata);
  EXPECT_EQ(told(Ask("Bearer x")), R"(401 Bearer error="invalid_token", scope="use", )" + metadata);
  EXPECT_EQ(told(Ask(Token())),
            R"(403 Bearer error="insufficient_scope", scope="use", )" + metadata);
  EXPECT_TRUE(Ask(Token({{"scope", R"("use")"}})));
}

TEST_F(GateTest, CertificatesAreWhoTheFirstRuleSays) {
  using By = config::CertificateRule::By;
  config::Auth auth;
  auth.certificates = {{.by = By::kDns, .glob = "*.agents.example", .subject = ""},
                       {.by = By::kCommonName, .glob = "backup", .subject = "the-backup"},
                       {.by = By::kFingerprint, .glob = std::string(64, '0'), .subject = "zero"}};
  auth.certificates[0].rights.roles = {"agent"};
  Gate& gate = Make(auth);
  const auto ask = [&](const ClientCertificate& certificate) {
    return gate.Ask({.certificate = &certificate}, kNow);
  };
  ClientCertificate agent{
      .fingerprint = {1}, .common_name = "backup", .dns = {"other", "one.agents.example"}};
  const Gate::Answer first = ask(agent);
  ASSERT_TRUE(first);
  EXPECT_EQ((*first)->issuer, kCertificateIssuer);
  EXPECT_EQ((*first)->subject, "one.agents.example");
  EXPECT_THAT((*first)->roles, ::testing::ElementsAre("agent"));
  EXPECT_EQ(ask(agent)->get(), first->get());
  EXPECT_EQ((*ask({.fingerprint = {2}, .common_name = "backup"}))->subject, "the-backup");
  EXPECT_EQ((*ask({.fingerprint = {}, .common_name = "x"}))->subject, "zero");
  EXPECT_EQ(ask({.fingerprint = {3}, .common_name = "x"}).error().why, Gate::Turned::kMissing);
  agent.expires = kNow;
  agent.fingerprint = {4};
  EXPECT_EQ(ask(agent).error().why, Gate::Turned::kInvalid);
  // A header counts for more than a certificate.
  EXPECT_FALSE(gate.Ask({.authorization = "Bearer x", .certificate = &agent}, kNow));
}

TEST_F(GateTest, ApiKeysAndTokensOfTheSameNameAreDifferentCallers) {
  const NewKey made = MakeApiKey();
  config::Auth auth = WithIssuer();
  auth.api_keys.push_back({.name = "alice", .hash = ToText(made.kept)});
  Make(auth);
  const Gate::Answer key = Ask("bearer " + made.text), token = Ask(Token());
  ASSERT_TRUE(key && token);
  EXPECT_EQ((*key)->subject, (*token)->subject);
  EXPECT_NE((*key)->issuer, (*token)->issuer);
  EXPECT_EQ(key->get(), Ask("Bearer " + made.text)->get());
}

TEST(Authenticator, SaysWhatIsWrongWithItsKeysAndWhere) {
  const auto problem = [](const config::Auth& auth) {
    const auto made = Authenticator::Make(auth, "", {});
    return made ? std::string() : made.error().message;
  };
  config::Auth auth = WithIssuer();
  EXPECT_EQ(problem(auth), "");
  auth.issuers[0].algorithms = {"RS256", "RS1"};
  EXPECT_THAT(problem(auth), HasSubstr("issuer.example: algorithms: \"RS1\" is none"));
  auth.issuers[0].algorithms.clear();
  auth.issuers[0].keys = "rubbish";
  EXPECT_THAT(problem(auth), HasSubstr("issuer.example: keys: "));
  auth.issuers[0].keys.clear();
  auth.issuers[0].keys_file = "/nowhere/keys";
  EXPECT_THAT(problem(auth), HasSubstr("/nowhere/keys: cannot read"));
  auth.issuers[0].keys_file.clear();
  auth.issuers[0].secret = config::Secret("short");
  EXPECT_THAT(problem(auth), HasSubstr("secret: "));
  EXPECT_THAT(problem(auth), ::testing::Not(HasSubstr("short\"")));
  auth.issuers.clear();
  auth.api_keys.push_back({.name = "ci", .hash = "x"});
  EXPECT_THAT(problem(auth), HasSubstr("auth.api_keys ci.hash: must be what `switchyard key new`"));
}

TEST(Resource, IsNeverCalledWhatARequestSays) {
  const Resource here({.port = 8080, .legacy_sse = true}, "team", {});
  EXPECT_EQ(here.Url("localhost:8080", "/mcp/team"), "http://localhost:8080/mcp/team");
  EXPECT_EQ(here.Url("LOCALHOST", "/mcp/team"), "http://localhost:8080/mcp/team");
  EXPECT_EQ(here.Url("[::1]:99", "/mcp/team"), "http://[::1]:8080/mcp/team");
  for (const char* host :
       {"evil.example", "", "127.0.0.1.evil.example", "x\"y", "localhost:80:90"}) {
    EXPECT_EQ(here.Url(host, "/mcp/team"), "http://127.0.0.1:8080/mcp/team") << host;
  }
  EXPECT_THAT(here.Audiences(),
              ::testing::UnorderedElementsAre(
                  "http://127.0.0.1:8080/mcp/team", "http://localhost:8080/mcp/team",
                  "http://[::1]:8080/mcp/team", "http://127.0.0.1:8080/sse/team",
                  "http://localhost:8080/sse/team", "http://[::1]:8080/sse/team"));
  const Resource proxied({.public_url = "https://mcp.example.com/", .tls = false, .port = 1}, "",
                         {});
  EXPECT_EQ(proxied.Url("evil.example", "/mcp"), "https://mcp.example.com/mcp");
  EXPECT_THAT(proxied.Audiences(), ::testing::ElementsAre("https://mcp.example.com/mcp"));
}

TEST(Resource, PathsOfMetadataLeadToEndpoints) {
  EXPECT_EQ(ResourcePathOf("/.well-known/oauth-protected-resource"), "/mcp");
  EXPECT_EQ(ResourcePathOf("/.well-known/oauth-protected-resource/"), "/mcp");
  EXPECT_EQ(ResourcePathOf("/.well-known/oauth-protected-resource/mcp/x"), "/mcp/x");
  EXPECT_EQ(ResourcePathOf("/.well-known/oauth-protected-resourcex"), "");
  EXPECT_EQ(ResourcePathOf("/.well-known/oauth-authorization-server"), "");
  EXPECT_EQ(ResourcePathOf("/mcp"), "");
}

}  // namespace
}  // namespace switchyard::auth
