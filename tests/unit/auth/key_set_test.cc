#include "auth/key_set.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

const Issuer& TheIssuer() { return Issuer::Get(); }

KeySet Set(const std::string& jwks) {
  return KeySet(ReadJwks("{\"keys\":[" + jwks + "]}", {.secrets = true}).value().keys);
}

std::string Found(const KeySet& keys, Algorithm algorithm, std::string_view id) {
  const Verdict<const Key*> key = keys.Find(algorithm, id);
  return key ? "key " + (*key)->id() : std::string(ToString(key.error().reason));
}

TEST(KeySet, FindsAKeyByItsName) {
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kPs512, "rsa"), "key rsa");
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kEs384, "p384"), "key p384");
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kEs384, "p256"), "wrong_key");
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kEs384, "p385"), "unknown_key");
  EXPECT_EQ(Found(KeySet(), Algorithm::kEs384, "p384"), "unknown_key");
}

TEST(KeySet, WithoutANameExactlyOneKeyMustFit) {
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kEs384, ""), "key p384");
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kRs256, ""), "wrong_key");  // two are for it
  EXPECT_EQ(Found(TheIssuer().keys, Algorithm::kRs384, ""), "key rsa");
  EXPECT_EQ(Found(Set(TheIssuer().ed.Jwk(R"("kid":"a")")), Algorithm::kEs384, ""), "unknown_key");
}

TEST(KeySet, AKeyWithoutANameFitsANameThatNobodyHas) {
  const KeySet keys = Set(TheIssuer().ed.Jwk() + "," + TheIssuer().p256.Jwk(R"("kid":"a")"));
  EXPECT_EQ(Found(keys, Algorithm::kEdDsa, "b"), "key ");
  EXPECT_EQ(Found(keys, Algorithm::kEdDsa, ""), "key ");
  EXPECT_EQ(Found(keys, Algorithm::kEdDsa, "a"), "wrong_key");
  EXPECT_EQ(Found(keys, Algorithm::kEs256, "b"), "unknown_key");
}

TEST(KeySet, OfTwoKeysWithOneNameTheAlgorithmChooses) {
  const KeySet keys =
      Set(TheIssuer().ed.Jwk(R"("kid":"a")") + "," + TheIssuer().p256.Jwk(R"("kid":"a")") + "," +
          TheIssuer().other_ed.Jwk(R"("kid":"b")") + "," + TheIssuer().ed.Jwk(R"("kid":"b")"));
  EXPECT_EQ(Found(keys, Algorithm::kEdDsa, "a"), "key a");
  EXPECT_EQ(Found(keys, Algorithm::kEs256, "a"), "key a");
  EXPECT_EQ(Found(keys, Algorithm::kEdDsa, "b"), "wrong_key");
}

}  // namespace
}  // namespace switchyard::auth
