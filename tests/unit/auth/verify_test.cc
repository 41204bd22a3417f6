#include "auth/verify.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

struct Signing {
  std::string algorithm, kid;
  const Signer& signer;
};

std::vector<Signing> Signings() {
  const Issuer& issuer = Issuer::Get();
  return {{"HS256", "hs", issuer.secret}, {"HS384", "hs", issuer.secret},
          {"HS512", "hs", issuer.secret}, {"RS256", "rsa", issuer.rsa},
          {"RS384", "rsa", issuer.rsa},   {"RS512", "rsa", issuer.rsa},
          {"PS256", "rsa", issuer.rsa},   {"PS384", "rsa", issuer.rsa},
          {"PS512", "rsa", issuer.rsa},   {"ES256", "p256", issuer.p256},
          {"ES384", "p384", issuer.p384}, {"ES512", "p521", issuer.p521},
          {"EdDSA", "ed", issuer.ed},     {"Ed25519", "ed", issuer.ed}};
}

TEST(VerifyToken, TakesEveryAlgorithm) {
  for (const Signing& way : Signings()) {
    const std::string token =
        way.signer.Token(way.algorithm, HeaderText(way.algorithm, way.kid), ClaimsText());
    const Verdict<Identity> identity = Issuer::Get().Verify(token);
    ASSERT_TRUE(identity.has_value()) << way.algorithm << ": " << identity.error().detail;
    EXPECT_EQ(identity->subject, "alice");
    EXPECT_EQ(identity->issuer, "https://issuer.example");
    EXPECT_EQ(identity->claims, ClaimsText());
    EXPECT_EQ(identity->expires, WallTime(std::chrono::seconds(1'800'000'600)));
  }
}

TEST(VerifyToken, NoAlgorithmPassesForAnother) {
  // Signed as one, said to be another, whatever key it names.
  for (const Signing& signed_as : Signings()) {
    for (const Signing& said : Signings()) {
      for (const Signing& named : Signings()) {
        const std::string token = signed_as.signer.Token(
            signed_as.algorithm, HeaderText(said.algorithm, named.kid), ClaimsText());
        const bool same =
            (signed_as.kid == "ed" && said.kid == "ed") || signed_as.algorithm == said.algorithm;
        EXPECT_EQ(Issuer::Get().Verify(token).has_value(), same && signed_as.kid == named.kid)
            << signed_as.algorithm << " as " << said.algorithm << " by " << named.kid;
      }
    }
  }
}

TEST(VerifyToken, TheSignatureIsCheckedBeforeTheClaims) {
  const Issuer& issuer = Issuer::Get();
  const Verdict<Identity> identity =
      issuer.Verify(issuer.other_rsa.Token("RS256", HeaderText("RS256", "rsa"), "no JSON"));
  ASSERT_FALSE(identity.has_value());
  EXPECT_EQ(identity.error().reason, Reason::kSignature);
}

TEST(VerifyToken, ThePublicKeyIsNotTheSecretOfAnHmac) {
  const Issuer& issuer = Issuer::Get();
  for (const std::string& known : {issuer.rsa.Pem(), issuer.rsa.Jwk(), issuer.p256.Pem(),
                                   issuer.rsa.CertificatePem(), std::string()}) {
    for (const char* kid : {"rsa", "rs256", "p256", "hs", "hs256", ""}) {
      const std::string token =
          Signer::Hmac(known).Token("HS256", HeaderText("HS256", kid), ClaimsText());
      EXPECT_FALSE(issuer.Verify(token).has_value()) << kid;
    }
  }
}

TEST(VerifyToken, AKeyTakesNothingButWhatItIsForHoweverWellSigned) {
  const Issuer& issuer = Issuer::Get();
  const Key& pinned = **issuer.keys.Find(Algorithm::kRs256, "rs256");
  const Key& weak = **issuer.keys.Find(Algorithm::kHs256, "hs256");
  EXPECT_TRUE(pinned.Verify(Algorithm::kRs256, "text", issuer.other_rsa.Sign("RS256", "text")));
  EXPECT_FALSE(pinned.Verify(Algorithm::kPs256, "text", issuer.other_rsa.Sign("PS256", "text")));
  EXPECT_FALSE(pinned.Verify(Algorithm::kRs512, "text", issuer.other_rsa.Sign("RS512", "text")));
  EXPECT_TRUE(weak.Verify(Algorithm::kHs256, "text", issuer.weak.Sign("HS256", "text")));
  EXPECT_FALSE(weak.Verify(Algorithm::kHs512, "text", issuer.weak.Sign("HS512", "text")));
}

TEST(VerifyToken, TheClientIsToldNothingAndTheLogEverything) {
  const Issuer& issuer = Issuer::Get();
  const Verdict<Identity> late = issuer.Verify(
      issuer.ed.Token("EdDSA", HeaderText("EdDSA", "ed"), ClaimsText({{"exp", "1"}})));
  const Verdict<Identity> forged = issuer.Verify("a.b.c");
  ASSERT_TRUE(!late.has_value() && !forged.has_value());
  const Error a = ErrorOf(late.error()), b = ErrorOf(forged.error());
  EXPECT_EQ(a.message, "invalid token");
  EXPECT_EQ(a.message, b.message);
  EXPECT_EQ(a.code, Code::kUnauthenticated);
  EXPECT_THAT(a.detail, ::testing::HasSubstr("expired: exp is 1E0, now 1.8E9"));
}

TEST(VerifyToken, AnIssuerThatIsOnlySaidChoosesKeysAndProvesNothing) {
  const Issuer& issuer = Issuer::Get();
  const std::string token = issuer.ed.Token("EdDSA", HeaderText("EdDSA", "ed"),
                                            ClaimsText({{"iss", R"("https://evil.example")"}}));
  Verdict<Jws> jws = ParseJws(token);
  ASSERT_TRUE(jws.has_value());
  EXPECT_EQ(UnverifiedIssuer(*jws), "https://evil.example");
  const Verdict<Identity> identity = VerifyJws(*jws, issuer.keys, issuer.rules, kNow);
  ASSERT_FALSE(identity.has_value());
  EXPECT_EQ(identity.error().reason, Reason::kIssuer);
}

}  // namespace
}  // namespace switchyard::auth
