#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "unit/auth/issuer.h"
#include "unit/auth/rfc_examples.h"

namespace switchyard::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

KeySet KeysOf(std::string_view text) {
  return KeySet(ReadKeys(text, {.secrets = true}).value().keys);
}

bool Verifies(const RfcExample& example, std::string_view token) {
  const KeySet keys = KeysOf(example.key);
  const Verdict<Jws> jws = ParseJws(token);
  if (!jws) return false;
  const Verdict<const Key*> key = keys.Find(jws->algorithm, jws->key_id);
  return key && (*key)->Verify(jws->algorithm, jws->signed_text, jws->signature);
}

TEST(Rfc, EveryExampleVerifies) {
  for (const RfcExample& example : kRfcExamples) {
    EXPECT_TRUE(Verifies(example, example.token)) << example.name;
  }
}

TEST(Rfc, NoExampleVerifiesWithACharacterChanged) {
  for (const RfcExample& example : kRfcExamples) {
    for (std::size_t i = 0; i < example.token.size(); i += 11) {  // all of them take long
      std::string token(example.token);
      token[i] = token[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(Verifies(example, token)) << example.name << " at " << i;
    }
  }
}

TEST(Rfc, PayloadsAreBytesOfAnyKind) {
  const Verdict<Jws> jws = ParseJws(kRfcExamples[4].token);  // of RFC 7520
  ASSERT_TRUE(jws.has_value()) << jws.error().detail;
  EXPECT_EQ(jws->payload, kRfc7520Payload);
  EXPECT_EQ(jws->key_id, "bilbo.baggins@hobbiton.example");
}

TEST(Rfc, TheTokenOf7519IsGoodUntilItExpires) {
  // Its issuer is joe; it names neither audience nor subject.
  const KeySet keys = KeysOf(kRfcExamples[0].key);
  const ClaimRules rules{.issuer = "joe", .any_audience = true, .subject = "iss"};
  const auto at = [](int seconds) { return WallTime(std::chrono::seconds(seconds)); };
  const Verdict<Identity> good = VerifyToken(kRfcExamples[0].token, keys, rules, at(1'300'819'379));
  ASSERT_TRUE(good.has_value()) << good.error().detail;
  EXPECT_EQ(good->issuer, "joe");
  EXPECT_EQ(good->expires, at(1'300'819'380));
  EXPECT_THAT(good->claims, HasSubstr(R"("http://example.com/is_root":true)"));
  const Verdict<Identity> late =
      VerifyToken(kRfcExamples[0].token, keys, rules, at(1'300'819'380 + 30));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().reason, Reason::kExpired);
}

TEST(Rfc, AnUnsecuredTokenIsRefused) {
  const Verdict<Jws> jws = ParseJws(kRfc7515Unsecured);
  ASSERT_FALSE(jws.has_value());
  EXPECT_EQ(jws.error().reason, Reason::kAlgorithm);
}

TEST(Rfc, OfTheKeysOf7517OnlyThoseForSignaturesAreTaken) {
  const KeysRead read = ReadJwks(kRfc7517PublicKeys, {}).value();
  ASSERT_EQ(read.keys.size(), 1U);
  EXPECT_EQ(read.keys[0].id(), "2011-04-29");
  EXPECT_EQ(read.keys[0].algorithms(), AlgorithmSet{Algorithm::kRs256});
  EXPECT_THAT(read.skipped, ElementsAre(R"(key 1 ("1"): use is not sig)"));
}

TEST(Rfc, ThePrivateKeysOf7517AreRefused) {
  const Result<KeysRead> read = ReadJwks(kRfc7517PrivateKeys, {});
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr("no usable key"));
}

TEST(Rfc, OfTheSecretsOf7517TheOneToWrapKeysWithIsSkipped) {
  const KeysRead read = ReadJwks(kRfc7517Secrets, {.secrets = true}).value();
  ASSERT_EQ(read.keys.size(), 1U);
  EXPECT_EQ(read.keys[0].id(), "HMAC key used in JWS A.1 example");
  EXPECT_THAT(read.skipped, ElementsAre(R"(key 1: alg "A128KW" is not known here)"));
}

}  // namespace
}  // namespace switchyard::auth
