#include "store/memory.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "unit/store/support.h"

namespace switchyard::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Optional;

Store::Bucket Bucket(std::string_view key, std::int64_t burst = 1, Duration interval = seconds(1)) {
  return {.key = key, .interval = interval, .burst = burst};
}

Store::Charge Charge(std::string_view key, std::int64_t amount,
                     std::int64_t limit = Store::Charge::kNoLimit) {
  return {.key = key, .amount = amount, .limit = limit, .window = minutes(1)};
}

TEST(StoreBuckets, ARefusalTakesNothingFromTheOthers) {
  MemoryStore store;
  EXPECT_TRUE(Draw(store, {Bucket("narrow")}).taken);
  for (int i = 0; i < 5; ++i) {
    const Store::Drawn drawn = Draw(store, {Bucket("wide", 2), Bucket("narrow")});
    EXPECT_FALSE(drawn.taken);
    EXPECT_EQ(drawn.refused_by, 1U);
    EXPECT_EQ(drawn.retry_after, seconds(1));
  }
  EXPECT_TRUE(Draw(store, {Bucket("wide", 2)}).taken);
  EXPECT_TRUE(Draw(store, {Bucket("wide", 2)}).taken);
  EXPECT_FALSE(Draw(store, {Bucket("wide", 2)}).taken);
}

TEST(StoreBuckets, TheOneThatHasItLastIsNamed) {
  MemoryStore store;
  EXPECT_TRUE(Draw(store, {Bucket("a", 1, seconds(3)), Bucket("b", 1, seconds(5))}).taken);
  const Store::Drawn drawn =
      Draw(store, {Bucket("a", 1, seconds(3)), Bucket("b", 1, seconds(5)), Bucket("c")});
  EXPECT_EQ(drawn.refused_by, 1U);
  EXPECT_EQ(drawn.retry_after, seconds(5));
  EXPECT_TRUE(Draw(store, {Bucket("c")}).taken);
}

TEST(StoreBuckets, AMillionKeysTakeBoundedMemoryAndFullOnesGoFirst) {
  MemoryStore store({.keys = 1000});
  EXPECT_TRUE(Draw(store, {Bucket("mine", 5)}).taken);
  for (int i = 0; i < 4; ++i) Draw(store, {Bucket("mine", 5)});
  EXPECT_FALSE(Draw(store, {Bucket("mine", 5)}).taken);
  TimePoint now = kBegin;
  for (int i = 0; i < 1'000'000; ++i) {
    now += std::chrono::microseconds(1);  // all within the time that the bucket needs
    const std::string key = std::to_string(i);
    ASSERT_TRUE(Draw(store, {Bucket(key, 5, milliseconds(1))}, now).taken);
  }
  EXPECT_LE(store.stats().buckets, 1000U);
  EXPECT_GT(store.stats().dropped(), 0U) << "a thousand are in use at a time, not all of them here";
  EXPECT_FALSE(Draw(store, {Bucket("mine", 5)}).taken) << "who drew the most is forgotten last";
}

TEST(StoreBuckets, WhereOnlyFullOnesGoNothingIsDroppedEarly) {
  MemoryStore store({.keys = 6400});
  TimePoint now = kBegin;
  for (int i = 0; i < 100'000; ++i) {
    now += milliseconds(10);
    const std::string key = std::to_string(i);
    Draw(store, {Bucket(key)}, now);
  }
  EXPECT_LE(store.stats().buckets, 6400U);
  EXPECT_EQ(store.stats().dropped(), 0U);
}

TEST(StoreBuckets, OverSeveralThreadsNoTokenIsGivenTwice) {
  MemoryStore store;
  std::atomic<int> taken{0}, both{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const Store::Bucket one_way[] = {Bucket("a", 1000), Bucket("b", 600)};
        const Store::Bucket other_way[] = {Bucket("b", 600), Bucket("a", 1000)};
        const Store::Bucket alone[] = {Bucket("a", 1000)};
        for (int i = 0; i < 1000; ++i) {
          both += (*store.Draw(t % 2 == 0 ? one_way : other_way, kBegin))->taken ? 1 : 0;
          taken += (*store.Draw(alone, kBegin))->taken ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(taken + both, 1000);
  EXPECT_LE(both, 600);
}

TEST(StoreCounters, SixtyFourReservationsAtTheEdgeNeverOvershoot) {
  MemoryStore store;
  std::atomic<int> reserved{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 64; ++t) {
      threads.emplace_back([&] {
        const Store::Charge charges[] = {Charge("caller", 10, 95), Charge("tool", 1)};
        reserved += (*store.Add(charges, kBegin))->taken ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(reserved, 9);
  const Store::Charged now = Add(store, {Charge("caller", 0), Charge("tool", 0)});
  EXPECT_EQ(now.totals[0], 90);
  EXPECT_EQ(now.totals[1], 9) << "a refusal adds to none";
}

TEST(StoreCounters, AReservationIsSettledByTheDifference) {
  MemoryStore store;
  const Store::Mark mark = Add(store, {Charge("c", 80, 100)}).marks[0];
  EXPECT_FALSE(Add(store, {Charge("c", 30, 100)}).taken);
  Store::Charge settle = Charge("c", 5 - 80);
  settle.mark = mark;
  EXPECT_EQ(Add(store, {settle}, kBegin + seconds(10)).totals[0], 5);
  EXPECT_TRUE(Add(store, {Charge("c", 95, 100)}, kBegin + seconds(10)).taken);
}

TEST(StoreCounters, ARefusalSaysWhichAndUntilWhen) {
  MemoryStore store;
  Store::Charge fixed = Charge("c", 100, 100);
  fixed.span = Store::Span::kFixed;
  EXPECT_TRUE(Add(store, {fixed}).taken);
  fixed.amount = 1;
  const Store::Charged refused = Add(store, {Charge("other", 1, 10), fixed}, kBegin + seconds(20));
  EXPECT_FALSE(refused.taken);
  EXPECT_EQ(refused.refused_by, 1U);
  EXPECT_EQ(refused.retry_after, seconds(40));
  EXPECT_EQ(refused.totals[1], 100);
}

TEST(StoreCounters, WhatCountsIsNeverDroppedForNewKeys) {
  MemoryStore store({.keys = 640});
  EXPECT_TRUE(Add(store, {Charge("mine", 7)}).taken);
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = std::to_string(i);
    const Store::Charge charge[] = {Charge(key, 1, 100)};
    Eventual<Store::Charged> answer = store.Add(charge, kBegin);
    if (!answer->has_value()) {
      ++refused;
      EXPECT_EQ(answer->error().code, Code::kUnavailable);
    }
  }
  EXPECT_GT(refused, 9'000);
  EXPECT_LE(store.stats().counters, 640U);
  EXPECT_EQ(Add(store, {Charge("mine", 0)}).totals[0], 7);
  // And there is room again when their time is over.
  EXPECT_TRUE(Add(store, {Charge("new", 1)}, kBegin + hours(1)).taken);
}

TEST(StoreSweep, ForgetsWhatChangesNoAnswerThoughNobodyAsksForIt) {
  MemoryStore store;
  const std::uint64_t gone = 7;  // the scope of a limit that is no longer set
  for (int i = 0; i < 500; ++i) {
    const std::string key = "k" + std::to_string(i);
    Draw(store, {{.key = Store::Key(key, gone), .interval = seconds(1), .burst = 5}});
    Add(store, {{.key = Store::Key(key, gone), .amount = 1, .window = minutes(1)}});
    EXPECT_TRUE(store.Put(Store::Key(key, gone), "x", minutes(1), kBegin).here());
  }
  Add(store, {{.key = "long", .amount = 1, .window = hours(24)}});
  const auto sweep = [&store](TimePoint now) {
    for (int i = 0; i < 64; ++i) store.Sweep(now);
    const MemoryStore::Stats stats = store.stats();
    return stats.buckets + stats.counters + stats.items;
  };
  EXPECT_EQ(sweep(kBegin), 1501U) << "all of it still counts";
  EXPECT_EQ(sweep(kBegin + hours(1)), 1U);
  EXPECT_EQ(store.stats().dropped(), 0U) << "nothing went before its time";
}

TEST(StoreItems, AreReadUntilTheyExpire) {
  MemoryStore store;
  EXPECT_TRUE((*store.Put("k", "v", seconds(10), kBegin)).has_value());
  EXPECT_EQ((*store.Get("k", kBegin + seconds(9)))->value().value, "v");
  EXPECT_FALSE((*store.Get("k", kBegin + seconds(10)))->has_value());
  EXPECT_FALSE(**store.Erase("k", kBegin + seconds(10)));
  EXPECT_FALSE((*store.Get("other", kBegin))->has_value());
}

TEST(StoreItems, ASwapSucceedsForWhoSawTheLastVersion) {
  MemoryStore store;
  const Store::Swapped first = **store.Swap("k", 0, "a", hours(1), kBegin);
  ASSERT_TRUE(first.done);
  const Store::Swapped late = **store.Swap("k", 0, "b", hours(1), kBegin);
  EXPECT_FALSE(late.done);
  EXPECT_EQ(late.item->value, "a");
  const Store::Swapped next = **store.Swap("k", late.item->version, "c", hours(1), kBegin);
  EXPECT_TRUE(next.done);
  EXPECT_NE(next.item->version, first.item->version);
  EXPECT_FALSE((**store.Swap("k", first.item->version, "d", hours(1), kBegin)).done);
  EXPECT_EQ((*store.Get("k", kBegin))->value().value, "c");
  EXPECT_TRUE(**store.Erase("k", kBegin));
  EXPECT_FALSE((**store.Swap("k", next.item->version, "e", hours(1), kBegin)).done);
}

TEST(StoreItems, AreCountedUpByAllThreadsWithoutLosingOne) {
  MemoryStore store;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200;) {
          const std::optional<Store::Item> item = **store.Get("k", kBegin);
          const int before = item ? std::stoi(item->value) : 0;
          i += (**store.Swap("k", item ? item->version : 0, std::to_string(before + 1), hours(1),
                             kBegin))
                       .done
                   ? 1
                   : 0;
        }
      });
    }
  }
  EXPECT_EQ((*store.Get("k", kBegin))->value().value, "800");
}

TEST(StoreItems, TakeBoundedMemory) {
  MemoryStore store({.keys = 100'000, .item_bytes = 64 * 1000});
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(
        (*store.Put(std::to_string(i), std::string(100, 'x'), hours(1), kBegin)).has_value());
  }
  EXPECT_LE(store.stats().items, 640U);
  Eventual<std::uint64_t> too_large = store.Put("large", std::string(1001, 'x'), hours(1), kBegin);
  EXPECT_EQ(too_large->error().code, Code::kTooLarge);
}

TEST(StoreItems, OneThatCanNeverFitDropsNothing) {
  MemoryStore store({.keys = 100'000, .item_bytes = 64 * 1000});
  std::uint64_t version = 0;
  for (int i = 0; i < 200; ++i) {
    version = **store.Put(std::to_string(i), "v", hours(1), kBegin);
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(
        (*store.Put(std::to_string(i), std::string(1001, 'x'), hours(1), kBegin)).has_value());
  }
  EXPECT_FALSE((*store.Swap("199", version, std::string(1001, 'x'), hours(1), kBegin)).has_value());
  EXPECT_EQ(store.stats().items, 200U);
  EXPECT_EQ(store.stats().dropped(), 0U);
  EXPECT_EQ((*store.Get("199", kBegin))->value().value, "v") << "what was there stays";
}

}  // namespace
}  // namespace switchyard::store
