#include "credentials/login.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "unit/auth/issuer.h"

namespace switchyard::credentials {
namespace {

using auth::Claims;
using auth::ClaimsText;
using auth::ExpectRefused;
using auth::HeaderText;
using auth::Issuer;
using auth::kNow;
using auth::Reason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kNonce = "0123456789abcdef0123456789abcdef";

config::Issuer Configured(const std::string& name = "https://issuer.example") {
  config::Issuer issuer{.issuer = name};
  issuer.login = config::Login{
      .client_id = "me", .client_secret = config::Secret("the secret"), .scopes = {"email"}};
  return issuer;
}

Result<std::shared_ptr<auth::KeyProvider>> Trusted(const config::Issuer& /*issuer*/) {
  return std::make_shared<auth::FixedKeys>(std::make_shared<auth::KeySet>(Issuer::Get().keys));
}

config::Config With(std::vector<config::Issuer> issuers) {
  config::Config config;
  config.auth = config::Auth();
  config.auth->issuers = std::move(issuers);
  return config;
}

Login TheLogin() {
  return LoginsOf(With({Configured()}), Trusted).value().at("https://issuer.example");
}

// What a good ID token says, but for what is changed.
std::string Said(const Claims& changed = {}) {
  Claims claims{{"aud", R"("me")"}, {"nonce", "\"" + std::string(kNonce) + "\""}};
  for (const auto& [name, raw] : changed) claims[name] = raw;
  return ClaimsText(claims);
}
std::string Signed(const std::string& payload, const std::string& more = "") {
  return Issuer::Get().ed.Token("EdDSA", HeaderText("EdDSA", "ed", more), payload);
}
auth::Verdict<auth::Identity> Read(const std::string& token, const Login& login = TheLogin(),
                                   const std::string& nonce = kNonce) {
  return ReadIdToken(token, Issuer::Get().keys, login, nonce, kNow);
}

TEST(IdToken, SaysWhoSignedIn) {
  const auto identity = Read(Signed(Said()));
  ASSERT_TRUE(identity) << identity.error().detail;
  EXPECT_EQ(identity->issuer, "https://issuer.example");
  EXPECT_EQ(identity->subject, "alice");
  EXPECT_TRUE(Read(Signed(Said({{"aud", R"(["me"])"}}))));
  EXPECT_TRUE(Read(Signed(Said({{"aud", R"(["me","other"])"}, {"azp", R"("me")"}}))));
  EXPECT_TRUE(Read(Signed(Said({{"azp", R"("me")"}}), R"("typ":"JWT")")));
}

TEST(IdToken, NamesTheCallerByTheClaimThatTokensDo) {
  config::Issuer issuer = Configured();
  issuer.subject = "email";
  const Login login = LoginsOf(With({issuer}), Trusted).value().at("https://issuer.example");
  EXPECT_EQ(Read(Signed(Said({{"email", R"("a@b")"}})), login)->subject, "a@b");
  ExpectRefused(Read(Signed(Said()), login), Reason::kClaims, "email is missing", "no such claim");
}

struct Hostile {
  std::string name, token;
  Reason reason;
  std::string detail;
};

std::vector<Hostile> Signatures() {
  const Issuer& issuer = Issuer::Get();
  const std::string good = Signed(Said());
  const std::string body = good.substr(good.find('.'), good.rfind('.') - good.find('.'));
  return {
      {"nothing", "", Reason::kMalformed, "three parts"},
      {"unsigned", EncodeBase64Url(R"({"alg":"none"})") + body + ".", Reason::kAlgorithm,
       "unknown"},
      {"no signature", good.substr(0, good.rfind('.') + 1), Reason::kSignature, "no signature"},
      {"another's signature", issuer.other_ed.Token("EdDSA", HeaderText("EdDSA", "ed"), Said()),
       Reason::kSignature, "does not fit"},
      {"a key that it brings along",
       issuer.other_ed.Token("EdDSA", R"({"alg":"EdDSA","jwk":)" + issuer.other_ed.Jwk() + "}",
                             Said()),
       Reason::kSignature, "does not fit"},
      {"a key that nobody has", issuer.ed.Token("EdDSA", HeaderText("EdDSA", "another"), Said()),
       Reason::kUnknownKey, "no key named"},
      {"the client's secret as a key",
       tests::Signer::Hmac("the secret").Token("HS256", HeaderText("HS256", "ed"), Said()),
       Reason::kWrongKey, "not for HS256"},
      {"encrypted", good + ".AAAA.AAAA", Reason::kMalformed, "encrypted"},
      {"an access token", Signed(Said(), R"("typ":"at+jwt")"), Reason::kType, "at+jwt"},
      {"a logout token", Signed(Said(), R"("typ":"logout+jwt")"), Reason::kType, "logout"},
  };
}

std::vector<Hostile> Parties() {
  const auto row = [](const char* name, const Claims& changed, Reason reason,
                      const char* detail) -> Hostile {
    return {name, Signed(Said(changed)), reason, detail};
  };
  return {
      row("no iss", {{"iss", ""}}, Reason::kIssuer, "iss is missing"),
      row("another issuer", {{"iss", R"("https://evil.example")"}}, Reason::kIssuer, "evil"),
      row("almost the issuer", {{"iss", R"("https://issuer.example/")"}}, Reason::kIssuer, "/"),
      row("no aud", {{"aud", ""}}, Reason::kAudience, "aud is missing"),
      row("for another client", {{"aud", R"("other")"}}, Reason::kAudience, "other"),
      row("for the gateway's endpoint", {{"aud", R"("https://gateway.example/mcp")"}},
          Reason::kAudience, "gateway"),
      row("for nobody", {{"aud", "[]"}}, Reason::kAudience, "others"),
      row("for several, and no azp", {{"aud", R"(["me","other"])"}}, Reason::kAudience, "several"),
      row("twice for the same, and no azp", {{"aud", R"(["me","me"])"}}, Reason::kAudience,
          "several"),
      row("asked for by another", {{"azp", R"("other")"}}, Reason::kAudience, "azp"),
      row("asked for by another of several", {{"aud", R"(["me","other"])"}, {"azp", R"("other")"}},
          Reason::kAudience, "azp"),
      row("azp of another type", {{"azp", R"(["me"])"}}, Reason::kAudience, "azp"),
      row("azp null", {{"azp", "null"}}, Reason::kAudience, "azp"),
  };
}

std::vector<Hostile> Attempts() {
  const auto row = [](const char* name, const Claims& changed, Reason reason,
                      const char* detail) -> Hostile {
    return {name, Signed(Said(changed)), reason, detail};
  };
  const std::string upper = "\"0123456789ABCDEF0123456789ABCDEF\"";
  return {
      row("no nonce", {{"nonce", ""}}, Reason::kClaims, "nonce"),
      row("an empty nonce", {{"nonce", R"("")"}}, Reason::kClaims, "nonce"),
      row("another nonce", {{"nonce", R"("fedcba9876543210fedcba9876543210")"}}, Reason::kClaims,
          "nonce"),
      row("a nonce in capitals", {{"nonce", upper}}, Reason::kClaims, "nonce"),
      row("a list of nonces", {{"nonce", "[\"" + std::string(kNonce) + "\"]"}}, Reason::kClaims,
          "nonce"),
      row("no exp", {{"exp", ""}}, Reason::kClaims, "exp is missing"),
      row("over", {{"exp", "1799999000"}}, Reason::kExpired, "exp is"),
      row("not yet", {{"nbf", "1800000500"}}, Reason::kNotYet, "nbf is"),
      row("no iat", {{"iat", ""}}, Reason::kClaims, "iat is missing"),
      row("iat null", {{"iat", "null"}}, Reason::kClaims, "iat"),
      row("made in the future", {{"iat", "1800000500"}}, Reason::kNotYet, "iat is"),
      row("no sub", {{"sub", ""}}, Reason::kClaims, "sub is missing"),
      row("an empty sub", {{"sub", R"("")"}}, Reason::kClaims, "sub"),
      row("several subs", {{"sub", R"(["alice","bob"])"}}, Reason::kClaims, "sub"),
      {"nonce twice", Signed(R"({"nonce":"x",)" + Said().substr(1)), Reason::kMalformed, "twice"},
      {"sub twice, once escaped", Signed(R"({"s\u0075b":"bob",)" + Said().substr(1)),
       Reason::kMalformed, "twice"},
  };
}

TEST(HostileIdTokens, ThatNobodyTrustedSignedAreRefused) {
  for (const Hostile& row : Signatures()) {
    ExpectRefused(Read(row.token), row.reason, row.detail, row.name);
  }
}

TEST(HostileIdTokens, OfOthersOrForOthersAreRefused) {
  for (const Hostile& row : Parties()) {
    ExpectRefused(Read(row.token), row.reason, row.detail, row.name);
  }
}

TEST(HostileIdTokens, OfAnotherAttemptOrTimeAreRefused) {
  for (const Hostile& row : Attempts()) {
    ExpectRefused(Read(row.token), row.reason, row.detail, row.name);
  }
  ExpectRefused(Read(Signed(Said({{"nonce", R"("")"}})), TheLogin(), ""), Reason::kClaims, "nonce",
                "an attempt without a nonce");
}

TEST(Logins, AreThoseOfAllEndpoints) {
  config::Config config = With({Configured("https://one.example"), {.issuer = "plain"}});
  config.endpoints["own"].auth = config::Auth();
  config.endpoints["own"].auth->issuers = {Configured("https://two.example")};
  const Logins logins = LoginsOf(config, Trusted).value();
  ASSERT_THAT(logins, SizeIs(2));
  const Login& two = logins.at("https://two.example");
  EXPECT_EQ(two.client.id, "me");
  EXPECT_EQ(two.client.secret, "the secret");
  EXPECT_THAT(two.scopes, ElementsAre("openid", "email"));
  EXPECT_THAT(two.rules.audiences, ElementsAre("me")) << "not those of its access tokens";
  EXPECT_THAT(LoginsOf(config::Config(), Trusted).value(), SizeIs(0));
}

TEST(Logins, HaveNoneWhereTheKeysCannotBeHad) {
  const auto logins = LoginsOf(With({Configured()}), [](const config::Issuer&) {
    return Result<std::shared_ptr<auth::KeyProvider>>(
        Failure(Code::kInvalid, Origin::kGateway, "no such file"));
  });
  ASSERT_FALSE(logins);
  EXPECT_THAT(logins.error().message, HasSubstr("auth.issuers https://issuer.example"));
}

TEST(Logins, EachIssuerHasAPageOfItsOwn) {
  EXPECT_EQ(LoginPathOf("https://id.example"), "/connect/login/id.example");
  EXPECT_EQ(LoginPathOf("https://id.example/"), "/connect/login/id.example");
  EXPECT_EQ(LoginPathOf("https://id.example:8443/realms/a"),
            "/connect/login/id.example:8443/realms/a");
  EXPECT_NE(LoginPathOf("https://id.example/a"), LoginPathOf("https://id.example/b"));
}

}  // namespace
}  // namespace switchyard::credentials
