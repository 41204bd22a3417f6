#include "config/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/load.h"
#include "policies/registry.h"

namespace switchyard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kHash =
    "sha256:abcdefgh:dc1523a6e4e25218072ae3e767f671e3b440239a5381b00f44ed9b40def2658";

Config Of(const std::string& yaml) {
  const auto loaded = LoadText(yaml, "c.yaml", policies::PolicyKeys(), ProcessEnvironment());
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().front().ToString());
  return loaded ? loaded->config : Config();
}

std::string Base(const std::string& rule = "allow", const std::string& key = "1",
                 const std::string& header = "one") {
  return "servers: {a: {url: 'https://a.example/mcp', headers: {X-Key: '" + header +
         "'}}}\nauth: {api_keys: [{name: ada, hash: '" + kHash + key +
         "'}]}\npolicies: {authorize: {rules: [{name: r, effect: " + rule +
         ", what: {tool: '*'}}]}}\n";
}

TEST(ConfigDigest, IsThatOfWhatIsInEffect) {
  const std::string digest = DigestOf(Of(Base()));
  EXPECT_EQ(digest.size(), 64U);
  EXPECT_EQ(DigestOf(Of("# a comment\n" + Base())), digest);
  EXPECT_NE(DigestOf(Of(Base("deny"))), digest) << "a rule";
  EXPECT_EQ(DigestOf(Of(Base("allow", "1", "two"))), digest) << "guesses cannot be tried";
  EXPECT_NE(DigestOf(Of(Base() + "page_size: 5\n")), digest);
}

TEST(ConfigDigest, WhatChangedIsNamedAlsoWhereOnlyASecretDid) {
  const Config before = Of(Base());
  EXPECT_THAT(ChangedBetween(before, Of(Base())), IsEmpty());
  EXPECT_THAT(ChangedBetween(before, Of(Base("deny"))), ElementsAre("policies"));
  EXPECT_THAT(ChangedBetween(before, Of(Base("allow", "2"))), ElementsAre("auth"));
  EXPECT_THAT(ChangedBetween(before, Of(Base("allow", "1", "two"))), ElementsAre("servers"));
  EXPECT_THAT(ChangedBetween(before, Of(Base() + "admin: {token: '" + std::string(32, 'x') + "'}")),
              ElementsAre("admin"));
  const Config levels =
      Of(Base() + "endpoints: {e: {servers: [a], policies: {timeout: {total: 5s}}}}\n");
  EXPECT_THAT(ChangedBetween(before, levels), ElementsAre("endpoints"));
  const Config other =
      Of(Base() + "endpoints: {e: {servers: [a], policies: {timeout: {total: 6s}}}}\n");
  EXPECT_THAT(ChangedBetween(levels, other), ElementsAre("endpoints"));
}

}  // namespace
}  // namespace switchyard::config
