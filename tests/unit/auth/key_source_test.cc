#include "auth/key_source.h"

#include <random>

#include <gtest/gtest.h>

namespace switchyard::auth {
namespace {

using namespace std::chrono_literals;
using Do = KeySource::Do;

class KeySourceTest : public ::testing::Test {
 protected:
  void Fetch(std::optional<std::chrono::seconds> max_age = std::nullopt) {
    source.Started(now);
    source.Fetched(now, max_age);
  }
  void Fail() {
    source.Started(now);
    source.Failed(now, 1);
  }

  TimePoint now{1h};
  KeySource source{KeySourceRules{}};
};

TEST_F(KeySourceTest, FetchesAtFirstUseAndOnlyOnce) {
  EXPECT_EQ(source.OnToken(now), Do::kFetch);
  source.Started(now);
  EXPECT_EQ(source.OnToken(now), Do::kWait);
  EXPECT_EQ(source.OnUnknownKey(now), Do::kWait);
  source.Fetched(now, 5min);
  EXPECT_EQ(source.OnToken(now), Do::kUse);
}

TEST_F(KeySourceTest, FetchesAgainWhenTheKeysAreOldWhileTheyServe) {
  Fetch(5min);
  now += 5min - 1ns;
  EXPECT_EQ(source.OnToken(now), Do::kUse);
  now += 1ns;
  EXPECT_EQ(source.OnToken(now), Do::kUseAndFetch);
  source.Started(now);
  EXPECT_EQ(source.OnToken(now), Do::kUse);
}

TEST_F(KeySourceTest, TheAgeThatAnAnswerSaysIsBounded) {
  Fetch(0s);
  EXPECT_EQ(source.OnToken(now + 1min - 1ns), Do::kUse);
  EXPECT_EQ(source.OnToken(now + 1min), Do::kUseAndFetch);
  Fetch(std::chrono::seconds(UINT32_MAX));
  EXPECT_EQ(source.OnToken(now + 24h - 1ns), Do::kUse);
  EXPECT_EQ(source.OnToken(now + 24h), Do::kUseAndFetch);
  Fetch(std::chrono::seconds::max());
  EXPECT_EQ(source.OnToken(now + 24h), Do::kUseAndFetch);
  Fetch();
  EXPECT_EQ(source.OnToken(now + 10min), Do::kUseAndFetch);
}

TEST_F(KeySourceTest, AnUnknownKeyIsLookedForAtMostOnceInThirtySeconds) {
  Fetch();
  EXPECT_EQ(source.OnUnknownKey(now), Do::kUse);  // the keys are as new as can be
  now += 30s;
  EXPECT_EQ(source.OnUnknownKey(now), Do::kFetch);
  Fetch();
  now += 30s - 1ns;
  EXPECT_EQ(source.OnUnknownKey(now), Do::kUse);
  now += 1ns;
  EXPECT_EQ(source.OnUnknownKey(now), Do::kFetch);
}

TEST_F(KeySourceTest, AFailureIsTriedAgainAfterGrowingPauses) {
  for (const Duration pause : {1s, 2s, 4s, 8s}) {
    EXPECT_EQ(source.OnToken(now), Do::kFetch);
    Fail();
    EXPECT_EQ(source.next_try(), now + pause);
    EXPECT_EQ(source.OnToken(now + pause - 1ns), Do::kRefuse);
    EXPECT_EQ(source.OnUnknownKey(now + pause - 1ns), Do::kRefuse);
    now += pause;
  }
  for (int i = 0; i < 10; ++i) Fail();
  EXPECT_EQ(source.next_try(), now + 5min);
  now += 5min;
  Fetch();
  Fail();
  EXPECT_EQ(source.next_try(), now + 1s);
}

TEST_F(KeySourceTest, OldKeysServeWhileTheIssuerIsDownButNotForEver) {
  Fetch(10min);
  now += 10min;
  Fail();
  EXPECT_EQ(source.OnToken(now), Do::kUse);
  EXPECT_EQ(source.OnToken(now + 1s), Do::kUseAndFetch);
  now += 12h - 1ns;
  Fail();
  EXPECT_EQ(source.OnToken(now), Do::kUse);
  now += 1ns;
  EXPECT_EQ(source.OnToken(now), Do::kRefuse);
  now = source.next_try();
  EXPECT_EQ(source.OnToken(now), Do::kFetch);
}

TEST_F(KeySourceTest, AnUnknownKeyDoesNotHurryAnIssuerThatIsDown) {
  Fetch(10min);
  now += 1min;
  Fail();
  EXPECT_EQ(source.OnUnknownKey(now), Do::kUse);
  now += 30s;
  EXPECT_EQ(source.OnUnknownKey(now), Do::kFetch);
}

TEST(KeySource, WhateverIsAskedItFetchesOneAtATimeAndRarely) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    KeySource source{KeySourceRules{}};
    TimePoint now{1h};
    bool fetching = false, had_keys = false;
    int fetches = 0;
    const TimePoint start = now;
    for (int step = 0; step < 20'000; ++step) {
      now += std::chrono::milliseconds(random() % 2000);
      const Do what = random() % 2 == 0 ? source.OnToken(now) : source.OnUnknownKey(now);
      if (what == Do::kFetch || what == Do::kUseAndFetch) {
        ASSERT_FALSE(fetching);
        source.Started(now);
        fetching = true;
        ++fetches;
      }
      if (what == Do::kUse || what == Do::kUseAndFetch) ASSERT_TRUE(had_keys);
      if (what == Do::kWait) ASSERT_TRUE(fetching);
      if (fetching && random() % 3 == 0) {
        fetching = false;
        if (random() % 4 == 0) {
          source.Fetched(now, std::chrono::seconds(random() % 10'000));
          had_keys = true;
        } else {
          source.Failed(now, 0.5);
        }
      }
    }
    // Hours of questions every second, of which half name keys that are not there.
    EXPECT_LE(fetches, (now - start) / 15s) << seed;
  }
}

TEST(MaxAge, IsReadFromCacheControl) {
  EXPECT_EQ(MaxAgeOf(""), std::nullopt);
  EXPECT_EQ(MaxAgeOf("public"), std::nullopt);
  EXPECT_EQ(MaxAgeOf("public, max-age=3600, must-revalidate"), 3600s);
  EXPECT_EQ(MaxAgeOf("Max-Age=\"60\""), 60s);
  EXPECT_EQ(MaxAgeOf("max-age=60, no-store"), 0s);
  EXPECT_EQ(MaxAgeOf(" NO-CACHE "), 0s);
  EXPECT_EQ(MaxAgeOf("s-maxage=5"), std::nullopt);
  EXPECT_EQ(MaxAgeOf("max-age=60,max-age=30"), 30s);
  EXPECT_EQ(MaxAgeOf("max-age=99999999999999999999"), std::chrono::seconds(UINT32_MAX));
  for (const char* text : {"max-age", "max-age=", "max-age=-1", "max-age=+1", "max-age=1.5",
                           "max-age= 60", "max-age=0x10", "max-age=60s", "max-age=\"", ",,,="}) {
    EXPECT_EQ(MaxAgeOf(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace switchyard::auth
