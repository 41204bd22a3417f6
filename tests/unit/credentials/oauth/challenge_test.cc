#include "credentials/oauth/challenge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::credentials::oauth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Challenge, SaysWhereTheMetadataIsAndWhatIsNeeded) {
  const Challenge challenge = ReadChallenge(
      R"(Bearer realm="x", resource_metadata="https://s.example/.well-known/m", error="insufficient_scope", scope="a b")");
  EXPECT_TRUE(challenge.bearer);
  EXPECT_EQ(challenge.resource_metadata, "https://s.example/.well-known/m");
  EXPECT_EQ(challenge.error, "insufficient_scope");
  EXPECT_THAT(challenge.scopes, ElementsAre("a", "b"));
}

TEST(Challenge, TheParametersOfOtherSchemesAreTheirs) {
  const Challenge challenge = ReadChallenge(
      R"(DPoP scope="dpop", algs="ES256", bearer scope=mine , Basic realm="a, Bearer scope=\"no\"")");
  EXPECT_TRUE(challenge.bearer);
  EXPECT_THAT(challenge.scopes, ElementsAre("mine"));
}

TEST(Challenge, WhatIsBrokenReadsAsIfItWereNotThere) {
  for (const char* bad : {"", ",,,", "Bearer scope=\"open", "Bearer =", "\"\"", "Bearer scope=\"\\",
                          "Basic scope=a", "Bearer\x01scope=a"}) {
    EXPECT_THAT(ReadChallenge(bad).scopes, IsEmpty()) << bad;
  }
  EXPECT_THAT(ReadChallenge("Bearer scope=\"a \x7f b\"").scopes, ElementsAre("a"));
}

TEST(Challenge, TheFirstOfTwoCounts) {
  EXPECT_EQ(ReadChallenge("Bearer error=a, error=b").error, "a");
}

TEST(Scopes, AreJoinedEachOnce) {
  EXPECT_THAT(SplitScopes("a  b a"), ElementsAre("a", "b"));
  EXPECT_EQ(JoinScopes({"a", "b"}), "a b");
  EXPECT_THAT(UnionOf({"a"}, {"b", "a"}), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace switchyard::credentials::oauth
