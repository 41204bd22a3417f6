#include "store/token_bucket.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace switchyard::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr TimePoint kBegin{seconds(1000)};

bool TryTake(TokenBucket& bucket, const Store::Bucket& numbers, TimePoint now) {
  if (bucket.Wait(numbers, now) > Duration::zero()) return false;
  bucket.Take(numbers, now);
  return true;
}

TEST(TokenBucket, IsFullAtFirstAndThenGivesWhatRefills) {
  const Store::Bucket numbers{.key = "", .interval = milliseconds(100), .burst = 3};
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(TryTake(bucket, numbers, kBegin));
  EXPECT_FALSE(TryTake(bucket, numbers, kBegin));
  EXPECT_FALSE(TryTake(bucket, numbers, kBegin + milliseconds(99)));
  EXPECT_TRUE(TryTake(bucket, numbers, kBegin + milliseconds(100)));
  EXPECT_FALSE(TryTake(bucket, numbers, kBegin + milliseconds(199)));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(TryTake(bucket, numbers, kBegin + hours(1)));
  EXPECT_FALSE(TryTake(bucket, numbers, kBegin + hours(1)));
}

TEST(TokenBucket, NeverGivesMoreThanItHolds) {
  const TokenBucket bucket;
  const Store::Bucket numbers{.key = "", .interval = seconds(1), .burst = 3, .tokens = 4};
  EXPECT_EQ(bucket.Wait(numbers, kBegin), Duration::max());
}

TEST(TokenBucket, AClockThatJumpedBackCostsNoMoreThanAnEmptyBucket) {
  const Store::Bucket numbers{.key = "", .interval = seconds(1), .burst = 5};
  TokenBucket bucket;
  EXPECT_TRUE(TryTake(bucket, numbers, kBegin + hours(24)));
  EXPECT_EQ(bucket.Wait(numbers, kBegin), seconds(1));
  EXPECT_TRUE(TryTake(bucket, numbers, kBegin + seconds(1)) || true);
  EXPECT_LE(bucket.Wait(numbers, kBegin), seconds(5));
}

TEST(TokenBucket, OtherNumbersHoldAtOnce) {
  TokenBucket bucket;
  const Store::Bucket slow{.key = "", .interval = hours(1), .burst = 2};
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(TryTake(bucket, slow, kBegin));
  EXPECT_EQ(bucket.Wait(slow, kBegin), hours(1));
  const Store::Bucket fast{.key = "", .interval = milliseconds(1), .burst = 2};
  EXPECT_EQ(bucket.Wait(fast, kBegin), milliseconds(1));
}

// The two that make it a limit, on random numbers: over no interval does it give more than the
// burst and what the time refills; and the wait that it names is exact.
TEST(TokenBucketProperty, GivesAtMostBurstAndRateTimesTimeOverAnyInterval) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    FastRandom random(seed);
    const auto up_to = [&](std::int64_t most) {
      return static_cast<std::int64_t>(random.Next() % static_cast<std::uint64_t>(most)) + 1;
    };
    Store::Bucket numbers{.key = "", .interval = nanoseconds(up_to(1'000'000)), .burst = up_to(20)};
    TokenBucket bucket;
    TimePoint now = kBegin;
    std::vector<std::pair<TimePoint, std::int64_t>> given;  // when, how many
    for (int step = 0; step < 200; ++step) {
      now += nanoseconds(random.Next() % static_cast<std::uint64_t>(numbers.interval.count() * 4));
      numbers.tokens = up_to(numbers.burst);
      const Duration wait = bucket.Wait(numbers, now);
      if (wait > Duration::zero()) {
        ASSERT_GT(bucket.Wait(numbers, now + wait - nanoseconds(1)), Duration::zero()) << seed;
        ASSERT_EQ(bucket.Wait(numbers, now + wait), Duration::zero()) << seed;
        continue;
      }
      bucket.Take(numbers, now);
      given.emplace_back(now, numbers.tokens);
    }
    for (std::size_t first = 0; first < given.size(); ++first) {
      std::int64_t sum = 0;
      for (std::size_t last = first; last < given.size(); ++last) {
        sum += given[last].second;
        const Duration over = given[last].first - given[first].first;
        ASSERT_LE((sum - numbers.burst) * numbers.interval.count(), over.count()) << seed;
      }
    }
  }
}

TEST(TokenBucketProperty, AClockThatJumpsGivesAtMostWhatItsStepsForwardRefill) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    FastRandom random(seed);
    const Store::Bucket numbers{.key = "", .interval = milliseconds(10), .burst = 7};
    TokenBucket bucket;
    TimePoint now = kBegin;
    std::int64_t given = 0;
    Duration forward{};
    for (int step = 0; step < 500; ++step) {
      Duration by = nanoseconds(random.Next() % 30'000'000);
      if (random.Next() % 4 == 0) by = -by;
      if (random.Next() % 50 == 0) by *= 1000;
      now += by;
      if (by > Duration::zero()) forward += by;
      ASSERT_LE(bucket.Wait(numbers, now), numbers.interval) << seed << ": one token, one interval";
      if (TryTake(bucket, numbers, now)) ++given;
      ASSERT_LE((given - numbers.burst) * numbers.interval.count(), forward.count()) << seed;
    }
  }
}

}  // namespace
}  // namespace switchyard::store
