#include "config/digest.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kHash =
    "sha256:abcdefgh:dc1523a6e4e25218072ae3e767f671e3b440239a5381b00f44ed9b40def2658";

Config Of(const std::string& yaml) {
  const std::string servers = yaml.contains("servers: {a") ? "" : "servers: {}\n";
  const auto loaded =
      LoadText(servers + yaml, "c.yaml", policies::PolicyKeys(), ProcessEnvironment());
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

TEST(ConfigDigest, HasWhoIsLetInWithWhichRights) {
  const auto key = [](const std::string& more) {
    return DigestOf(Of("auth: {api_keys: [{name: ada, hash: '" + kHash + "1'" + more + "}]}\n"));
  };
  const auto issuer = [](const std::string& more) {
    return DigestOf(
        Of("auth: {issuers: [{issuer: 'https://i.example', discovery: true" + more + "}]}\n"));
  };
  const auto certificate = [](const std::string& more) {
    return DigestOf(
        Of("listen: {tls: {certificate: c.pem, key: k.pem, client_ca: ca.pem}}\n"
           "auth: {certificates: [{cn: 'a*'" +
           more + "}]}\n"));
  };
  const auto endpoint = [](const std::string& role) {
    return DigestOf(Of("endpoints: {e: {auth: {api_keys: [{name: ada, hash: '" + kHash +
                       "1', roles: [" + role + "]}]}}}\n"));
  };
  std::vector<std::string> digests{key(""),
                                   key(", roles: [reader]"),
                                   key(", roles: [admin]"),
                                   key(", scopes: [admin]"),
                                   key(", expires: '2031-01-01T00:00:00Z'"),
                                   issuer(""),
                                   issuer(", audience: [a]"),
                                   issuer(", audience: [a, b]"),
                                   issuer(", required_claims: {org: a}"),
                                   issuer(", required_claims: {org: b}"),
                                   issuer(", claims: {roles: [r]}"),
                                   issuer(", claims: {groups: [r]}"),
                                   certificate(""),
                                   certificate(", subject: b"),
                                   certificate(", roles: [admin]"),
                                   endpoint("reader"),
                                   endpoint("admin")};
  std::ranges::sort(digests);
  EXPECT_EQ(std::ranges::adjacent_find(digests), digests.end());
  EXPECT_EQ(DigestOf(Of(Base())), DigestOf(Of(Base("allow", "2")))) << "not by which keys";
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

TEST(ConfigDigest, WhatAPolicyReadsFromAFileOrShowsToOthersIsNotInItAndChangesAreSeen) {
  const auto with = [](const std::string& url, const std::string& header,
                       const std::string& content) {
    FakeEnvironment files;
    files.files["dir/key"] = content;
    const auto loaded = LoadText(
        "servers: {}\npolicies: {opa: {url: '" + url + "', headers: {X-Key: '" + header + "'}}}",
        "dir/c.yaml", policies::PolicyKeys(), files);
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().front().ToString());
    return loaded ? loaded->config : Config();
  };
  const std::string url = "https://o.example/v1/data/a", file = "${file:key}";
  const Config base = with(url, file, "one");
  EXPECT_THAT(ChangedBetween(base, with(url, file, "one")), IsEmpty());
  EXPECT_THAT(ChangedBetween(base, with(url, file, "two")), ElementsAre("policies"));
  EXPECT_THAT(ChangedBetween(base, with(url, "one", "one")), IsEmpty()) << "the same header";
  EXPECT_THAT(ChangedBetween(with(url + "?k=1", file, ""), with(url + "?k=2", file, "")),
              ElementsAre("policies"));
  const std::string digest = DigestOf(base);
  EXPECT_EQ(DigestOf(with(url, file, "two")), digest);
  EXPECT_EQ(DigestOf(with(url, "written", "one")), digest) << "guesses cannot be tried";
  EXPECT_EQ(DigestOf(with(url + "?k=1", file, "")), DigestOf(with(url + "?k=2", file, "")));
  EXPECT_NE(DigestOf(with(url + "/b", file, "one")), digest);
}

}  // namespace
}  // namespace switchyard::config
