// Whose keys take whose room in the memory store, and what becomes of corrections of what is gone.
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "store/memory.h"
#include "store/window.h"
#include "unit/store/support.h"

namespace switchyard::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// ---- Scopes: what one limit counts takes no room of another's.

constexpr std::uint64_t kPrincipals = 1, kSessions = 2;

Store::Charge ChargeOf(std::string_view key, std::uint64_t scope, std::int64_t amount,
                       std::int64_t limit = 100) {
  return {.key = {key, scope}, .amount = amount, .limit = limit, .window = minutes(1)};
}

// So many new ones; gives how many found no room.
int Flood(MemoryStore& store, std::uint64_t scope, int keys, std::int64_t amount = 1,
          bool spare = false) {
  int refused = 0;
  for (int i = 0; i < keys; ++i) {
    const std::string key = std::to_string(scope) + "/" + std::to_string(i);
    Store::Charge charge = ChargeOf(key, scope, amount);
    charge.spare = spare;
    Eventual<Store::Charged> added = store.Add({&charge, 1}, kBegin);
    refused += added->has_value() && (*added)->taken ? 0 : 1;
  }
  return refused;
}

TEST(StoreScopes, AFloodOfOneLeavesTheOthersTheirRoom) {
  MemoryStore store({.keys = 640});
  for (const bool spare : {false, true}) {
    const std::uint64_t flooded = spare ? 11 : 10, other = spare ? 21 : 20;
    Flood(store, other, 300, 7);
    Flood(store, flooded, 20'000, 1, spare);
    EXPECT_EQ(Flood(store, other, 300), 0) << "they are there";
    EXPECT_EQ(Add(store, {ChargeOf(std::to_string(other) + "/5", other, 0)}).totals[0], 8);
    EXPECT_TRUE((*store.Add(std::array{ChargeOf("a new one", other, 1)}, kBegin)).has_value());
  }
  EXPECT_LE(store.stats().counters, 4 * 640U);
}

TEST(StoreScopes, BucketsAndItemsHaveTheirOwnRoom) {
  MemoryStore store({.keys = 640, .item_bytes = 64 << 20});
  const auto bucket = [](std::string_view key, std::uint64_t scope, Duration interval) {
    return Store::Bucket{.key = {key, scope}, .interval = interval, .burst = 5};
  };
  EXPECT_TRUE(Draw(store, {bucket("mine", kPrincipals, milliseconds(1))}).taken);
  ASSERT_TRUE((*store.Put({"item", kPrincipals}, "v", seconds(1), kBegin)).has_value());
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(i);
    ASSERT_TRUE(Draw(store, {bucket(key, kSessions, hours(1))}).taken);
    ASSERT_TRUE((*store.Put({key, kSessions}, "v", hours(1), kBegin)).has_value());
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(Draw(store, {bucket("mine", kPrincipals, milliseconds(1))}).taken);
  }
  EXPECT_FALSE(Draw(store, {bucket("mine", kPrincipals, milliseconds(1))}).taken)
      << "nearer to full than any other, and yet there";
  EXPECT_TRUE((*store.Get({"item", kPrincipals}, kBegin))->has_value());
  EXPECT_LE(store.stats().buckets, 700U);
  EXPECT_LE(store.stats().items, 700U);
  EXPECT_GT(store.stats().dropped_buckets, 0U);
  EXPECT_GT(store.stats().dropped_items, 0U);
}

TEST(StoreScopes, SpareCountersGoWhoUsedTheLeastFirstAndNoneThatUsedHalf) {
  MemoryStore store({.keys = 640});
  for (int i = 0; i < 200; ++i) {
    const std::string key = "half " + std::to_string(i);
    Store::Charge half = ChargeOf(key, kSessions, 50);
    half.spare = true;
    ASSERT_TRUE((*store.Add({&half, 1}, kBegin)).has_value());
  }
  EXPECT_EQ(Flood(store, kSessions, 20'000, 1, true), 0) << "who is new finds room";
  EXPECT_LE(store.stats().counters, 640U);
  EXPECT_GT(store.stats().dropped_counters, 10'000U);
  EXPECT_EQ(store.stats().full, 0U);
  for (int i = 0; i < 200; ++i) {
    const std::string key = "half " + std::to_string(i);
    EXPECT_EQ(Add(store, {ChargeOf(key, kSessions, 0)}).totals[0], 50) << i;
  }
  EXPECT_GT(Flood(store, 3, 2'000, 50, true), 1'000) << "where all have used half none goes";
  EXPECT_GT(store.stats().full, 1'000U);
}

TEST(StoreScopes, WhatAFileBroughtBackFindsItsScopeWithTheFirstCharge) {
  MemoryStore store({.keys = 64});  // one a shard
  Window window(Store::Span::kSliding, minutes(1));
  window.Advance(kBegin);
  window.Add(9);
  for (int i = 0; i < 1000; ++i) store.Restore("r" + std::to_string(i), window.state());
  EXPECT_EQ(store.stats().counters, 1000U);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "r" + std::to_string(i);
    EXPECT_EQ(Add(store, {ChargeOf(key, kPrincipals, 1)}).totals[0], 10);
  }
  const Store::Charge another[] = {ChargeOf("another", kPrincipals, 1)};
  EXPECT_FALSE((*store.Add(another, kBegin)).has_value()) << "they have its room";
}

// ---- Corrections.

TEST(StoreCounters, OneThatIsGoneDoesNotKeepTheOthersFromBeingSettled) {
  MemoryStore store({.keys = 64});
  Store::Charge brief = ChargeOf("brief", kSessions, 80),
                lasting = ChargeOf("lasting", kPrincipals, 80);
  brief.window = seconds(16);
  const Store::Charged reserved = Add(store, {brief, lasting});
  ASSERT_TRUE(reserved.taken);
  // Its time is over, it is forgotten, and others have all of its room.
  const TimePoint later = kBegin + seconds(20);
  for (int i = 0; i < 2000; ++i) {
    const std::string key = std::to_string(i);
    const Store::Charge other[] = {ChargeOf(key, kSessions, 100)};
    [[maybe_unused]] const auto answer = store.Add(other, later);
  }
  Store::Charge settle[] = {ChargeOf("brief", kSessions, 90 - 80, Store::Charge::kNoLimit),
                            ChargeOf("lasting", kPrincipals, 5 - 80, Store::Charge::kNoLimit)};
  settle[0].window = seconds(16);
  for (std::size_t i = 0; i < 2; ++i) settle[i].mark = reserved.marks[i];
  Eventual<Store::Charged> settled = store.Add(settle, later);
  ASSERT_TRUE(settled->has_value());
  EXPECT_TRUE((*settled)->taken);
  EXPECT_EQ((*settled)->totals[0], 0);
  EXPECT_EQ((*settled)->totals[1], 5);
  EXPECT_EQ((*settled)->left_out, 0U) << "there was nothing to correct any more";
}

TEST(StoreCounters, WhatWasNotReservedAndFindsNoRoomIsSaidAndTheOthersAreSettled) {
  MemoryStore store({.keys = 64});
  const Store::Charged reserved = Add(store, {ChargeOf("lasting", kPrincipals, 80)});
  Flood(store, kSessions, 2000, 100);
  Store::Charge settle[] = {ChargeOf("late", kSessions, 7, Store::Charge::kNoLimit),
                            ChargeOf("lasting", kPrincipals, 5 - 80, Store::Charge::kNoLimit)};
  settle[1].mark = reserved.marks[0];
  Eventual<Store::Charged> settled = store.Add(settle, kBegin);
  ASSERT_TRUE(settled->has_value());
  EXPECT_EQ((*settled)->left_out, 1U);
  EXPECT_EQ((*settled)->totals[1], 5);
}

TEST(StoreCounters, ACorrectionOfOneThatWasDroppedTakesNothingFromItsSuccessor) {
  MemoryStore store({.keys = 64});
  Store::Charge mine = ChargeOf("mine", kSessions, 40);
  mine.spare = true;
  const Store::Mark mark = Add(store, {mine}).marks[0];
  Flood(store, kSessions, 2000, 45, true);
  EXPECT_EQ(Add(store, {ChargeOf("mine", kSessions, 0)}).totals[0], 0) << "it had used the least";
  mine.amount = 30;
  mine.spare = false;
  ASSERT_TRUE(Add(store, {mine}, kBegin + milliseconds(1)).taken);
  Store::Charge settle = ChargeOf("mine", kSessions, -35, Store::Charge::kNoLimit);
  settle.mark = mark;
  EXPECT_EQ(Add(store, {settle}, kBegin + milliseconds(1)).totals[0], 30);
}

TEST(StoreCounters, LookingAtManyTakesNoRoom) {
  MemoryStore store({.keys = 64});
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    Add(store, {ChargeOf(key, kSessions, 0)});
  }
  EXPECT_EQ(store.stats().counters, 0U);
}

}  // namespace
}  // namespace switchyard::store
