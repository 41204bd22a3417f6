#include "auth/api_key.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

ApiKeys Set(std::vector<ApiKey> keys) { return ApiKeys::Make(std::move(keys)).value(); }

std::string Found(const ApiKeys& keys, std::string_view text, WallTime now = kNow) {
  const Verdict<const ApiKey*> key = keys.Find(text, now);
  return key ? (*key)->name : std::string(ToString(key.error().reason));
}

TEST(ApiKeys, HaveTheFormThatScannersLookFor) {
  std::set<std::string> texts, prefixes;
  for (int i = 0; i < 200; ++i) {
    const NewKey key = MakeApiKey();
    EXPECT_THAT(key.text, MatchesRegex("swy_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}"));
    EXPECT_TRUE(IsApiKey(key.text));
    EXPECT_EQ(key.kept.digest, Sha256Bytes(key.text));
    EXPECT_EQ(key.kept.prefix, key.text.substr(4, 8));
    texts.insert(key.text);
    prefixes.insert(key.kept.prefix);
  }
  EXPECT_EQ(texts.size(), 200U);
  EXPECT_EQ(prefixes.size(), 200U);
}

TEST(ApiKeys, TheChecksumIsCrc32InSixDigits) {
  // So that what was given out stays valid, and others can check it; by Python's zlib.crc32.
  EXPECT_TRUE(IsApiKey("swy_EXAMPLE1_0123456789abcdefghijABCDEFGHIJ0100cxei"));
}

TEST(ApiKeys, TheChecksumTellsEveryOtherText) {
  const std::string text = MakeApiKey().text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(IsApiKey(other)) << i;
    EXPECT_FALSE(IsApiKey(text.substr(0, i))) << i;
  }
  EXPECT_FALSE(IsApiKey(text + "x"));
  EXPECT_FALSE(IsApiKey(" " + text.substr(1)));
  EXPECT_TRUE(LooksLikeApiKey("swy_"));
  EXPECT_FALSE(LooksLikeApiKey("eyJhbGciOiJub25lIn0.e30."));
}

TEST(ApiKeys, AreFoundByWhatWasKeptOfThem) {
  const NewKey alice = MakeApiKey(), bob = MakeApiKey(), eve = MakeApiKey();
  const ApiKeys keys = Set({{"alice", alice.kept, {}}, {"bob", bob.kept, {}}});
  EXPECT_EQ(Found(keys, alice.text), "alice");
  EXPECT_EQ(Found(keys, bob.text), "bob");
  EXPECT_EQ(Found(keys, eve.text), "unknown_key");
  EXPECT_EQ(Found(keys, alice.text.substr(0, 50)), "malformed");
  EXPECT_EQ(Found(keys, ""), "malformed");
  EXPECT_EQ(Found(ApiKeys(), alice.text), "unknown_key");
}

TEST(ApiKeys, ThePrefixAloneOpensNothing) {
  const NewKey alice = MakeApiKey(), eve = MakeApiKey();
  KeyDigest kept = alice.kept;
  kept.prefix = eve.kept.prefix;  // as if eve had found a key with alice's prefix
  const ApiKeys keys = Set({{"alice", kept, {}}});
  EXPECT_EQ(Found(keys, eve.text), "signature");
}

TEST(ApiKeys, ExpireToTheSecond) {
  const NewKey key = MakeApiKey();
  const ApiKeys keys = Set({{"ci", key.kept, kNow}});
  EXPECT_EQ(Found(keys, key.text, kNow - std::chrono::nanoseconds(1)), "ci");
  EXPECT_EQ(Found(keys, key.text, kNow), "expired");
}

TEST(ApiKeys, ARefusalNeverHoldsTheSecret) {
  const NewKey key = MakeApiKey();
  const ApiKeys keys = Set({{"ci", key.kept, kNow}});
  for (const std::string& text : {key.text, key.text + "x", MakeApiKey().text}) {
    const Verdict<const ApiKey*> found = keys.Find(text, kNow);
    ASSERT_FALSE(found.has_value());
    EXPECT_THAT(found.error().detail, ::testing::Not(HasSubstr(text.substr(13))));
  }
}

TEST(ApiKeys, TwoOfOnePrefixAreAnErrorThatNamesBoth) {
  const NewKey key = MakeApiKey();
  const Result<ApiKeys> keys = ApiKeys::Make({{"a", key.kept, {}}, {"b", key.kept, {}}});
  ASSERT_FALSE(keys.has_value());
  EXPECT_THAT(keys.error().message, HasSubstr("api keys a and b have the same prefix"));
}

TEST(KeyDigests, ComeBackFromTheirText) {
  const NewKey key = MakeApiKey();
  const std::string text = ToText(key.kept);
  EXPECT_THAT(text, MatchesRegex("sha256:[0-9A-Za-z]{8}:[0-9a-f]{64}"));
  EXPECT_EQ(ParseKeyDigest(text).value(), key.kept);
}

TEST(KeyDigests, OtherTextsAreRefusedWithWhatToDo) {
  const NewKey key = MakeApiKey();
  const std::string text = ToText(key.kept);
  struct Row {
    std::string text, why;
  };
  for (const Row& row : std::vector<Row>{{key.text, "this is the key itself"},
                                         {"", "does not start with sha256:"},
                                         {"sha512:" + text.substr(7), "does not start with"},
                                         {"sha256:", "the prefix must have 8"},
                                         {"sha256:abc:" + text.substr(16), "the prefix must"},
                                         {"sha256:abc-efgh" + text.substr(15), "the prefix must"},
                                         {text.substr(0, 79), "the digest must have 64"},
                                         {text + "0", "the digest must have 64"},
                                         {text.substr(0, 79) + "G", "the digest must have 64"},
                                         {text.substr(0, 79) + "\n", "the digest must have 64"}}) {
    const Result<KeyDigest> parsed = ParseKeyDigest(row.text);
    ASSERT_FALSE(parsed.has_value()) << row.text;
    EXPECT_THAT(parsed.error().message, HasSubstr("switchyard key new"));
    EXPECT_THAT(parsed.error().message, HasSubstr(row.why)) << row.text;
    EXPECT_THAT(parsed.error().message, ::testing::Not(HasSubstr(key.text)));
  }
}

}  // namespace
}  // namespace switchyard::auth
