#include "auth/token_cache.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

std::shared_ptr<const Identity> Somebody(const std::string& name, int seconds = 600,
                                         std::size_t claims = 0) {
  return std::make_shared<const Identity>(Identity{.issuer = "i",
                                                   .subject = name,
                                                   .client = "",
                                                   .scopes = {},
                                                   .roles = {},
                                                   .groups = {},
                                                   .expires = kNow + std::chrono::seconds(seconds),
                                                   .claims = std::string(claims, 'c')});
}

Sha256Digest Token(int number) { return Sha256Bytes(std::to_string(number)); }

TEST(TokenCache, FindsAnIdentityUntilItExpires) {
  TokenCache cache({});
  cache.Put(Token(1), Somebody("alice", 10), 1, kNow);
  ASSERT_NE(cache.Find(Token(1), 1, kNow + std::chrono::seconds(9)), nullptr);
  EXPECT_EQ(cache.Find(Token(1), 1, kNow)->subject, "alice");
  EXPECT_EQ(cache.Find(Token(2), 1, kNow), nullptr);
  EXPECT_EQ(cache.Find(Token(1), 1, kNow + std::chrono::seconds(10)), nullptr);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(TokenCache, KeepsNothingThatIsOverAlready) {
  TokenCache cache({});
  cache.Put(Token(1), Somebody("alice", 0), 1, kNow);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(TokenCache, NewKeysDropEverything) {
  TokenCache cache({});
  cache.Put(Token(1), Somebody("alice"), 1, kNow);
  EXPECT_EQ(cache.Find(Token(1), 2, kNow), nullptr);
  EXPECT_EQ(cache.size(), 0U);
  // Verified while the keys changed: with the old ones.
  cache.Put(Token(1), Somebody("alice"), 1, kNow);
  EXPECT_EQ(cache.Find(Token(1), 1, kNow), nullptr);
  EXPECT_EQ(cache.Find(Token(1), 2, kNow), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(TokenCache, ForgetsWhatWasNotAskedForLongest) {
  TokenCache cache({.entries = 2, .bytes = 1 << 20});
  cache.Put(Token(1), Somebody("a"), 1, kNow);
  cache.Put(Token(2), Somebody("b"), 1, kNow);
  EXPECT_NE(cache.Find(Token(1), 1, kNow), nullptr);
  cache.Put(Token(3), Somebody("c"), 1, kNow);
  EXPECT_EQ(cache.Find(Token(2), 1, kNow), nullptr);
  EXPECT_NE(cache.Find(Token(1), 1, kNow), nullptr);
  EXPECT_NE(cache.Find(Token(3), 1, kNow), nullptr);
}

TEST(TokenCache, IsBoundedInBytes) {
  TokenCache cache({.entries = 1000, .bytes = 10'000});
  for (int i = 0; i < 100; ++i) {
    cache.Put(Token(i), Somebody("a", 600, 2000), 1, kNow);
    EXPECT_LE(cache.bytes(), 10'000U);
  }
  EXPECT_EQ(cache.size(), 3U);
  cache.Put(Token(1000), Somebody("a", 600, 20'000), 1, kNow);
  EXPECT_EQ(cache.Find(Token(1000), 1, kNow), nullptr);
  EXPECT_EQ(cache.size(), 3U);
}

TEST(TokenCache, DoesAsAListDoesThatIsSearched) {
  struct Kept {
    int token;
    std::shared_ptr<const Identity> identity;
  };
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    TokenCache cache({.entries = 8, .bytes = 1 << 20});
    std::deque<Kept> list;  // the last one used in front
    WallTime now = kNow;
    TokenCache::Generation generation = 1;
    for (int step = 0; step < 2000; ++step) {
      const int token = static_cast<int>(random() % 16);
      const auto at = std::find_if(list.begin(), list.end(),
                                   [token](const Kept& kept) { return kept.token == token; });
      if (random() % 100 == 0) {
        ++generation;
        list.clear();
        ASSERT_EQ(cache.Find(Token(99), generation, now), nullptr);
      } else if (random() % 2 == 0) {
        const auto identity = Somebody(
            std::to_string(step), static_cast<int>(random() % 200) +
                                      static_cast<int>((now - kNow) / std::chrono::seconds(1)));
        cache.Put(Token(token), identity, generation, now);
        if (identity->expires <= now) continue;
        if (at != list.end()) list.erase(at);
        if (list.size() == 8) list.pop_back();
        list.push_front({token, identity});
      } else {
        std::shared_ptr<const Identity> expected;
        if (at != list.end()) {
          if (at->identity->expires > now) expected = at->identity;
          list.erase(at);
          if (expected) list.push_front({token, expected});
        }
        ASSERT_EQ(cache.Find(Token(token), generation, now), expected) << seed << " " << step;
      }
      if (random() % 4 == 0) now += std::chrono::seconds(random() % 20);
    }
  }
}

}  // namespace
}  // namespace switchyard::auth
