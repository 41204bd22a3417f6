#include "store/ledger.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "unit/store/death.h"
#include "unit/store/ledger_support.h"

namespace switchyard::store {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using Span = Store::Span;

Store::Charge ChargeOf(std::string_view key, std::int64_t amount, Span span = Span::kSliding,
                       Duration window = hours(16)) {
  return {.key = key, .amount = amount, .window = window, .span = span};
}

TEST(Ledger, WhatWasChargedIsThereInTheNextProcess) {
  const Place place;
  {
    Process first(place.file());
    first.Charge(ChargeOf("sliding", 5));
    first.Charge(ChargeOf("fixed", 7, Span::kFixed));
    EXPECT_TRUE(first.ledger.Flush());
    first.Charge(ChargeOf("sliding", 1));
  }
  Process next(place.file(), seconds(3));  // the machine started anew
  EXPECT_EQ(next.Total(ChargeOf("sliding", 0)), 6);
  EXPECT_EQ(next.Total(ChargeOf("fixed", 0, Span::kFixed)), 7);
}

TEST(Ledger, WhatIsNotDurableEndsWithTheProcess) {
  const Place place;
  {
    Process first(place.file());
    const Store::Charge charge = ChargeOf("a", 5);
    ASSERT_TRUE((*first.ledger.Add({&charge, 1}, first.clock.Now()))->taken);
    EXPECT_TRUE(first.ledger.Flush());
  }
  EXPECT_EQ(Process(place.file()).Total(ChargeOf("a", 0)), 0);
  EXPECT_EQ(RowsIn(place.file()), 0);
}

TEST(Ledger, AChargeThatWasRefusedIsNotSaved) {
  const Place place;
  {
    Process first(place.file());
    Store::Charge charge = ChargeOf("a", 5);
    charge.limit = 4;
    EXPECT_FALSE(first.Charge(charge).taken);
  }
  EXPECT_EQ(RowsIn(place.file()), 0);
}

TEST(Ledger, WindowsGoOnAgeingWhileNoProcessRuns) {
  const Place place;
  {
    Process first(place.file());
    first.Charge(ChargeOf("sliding", 5));
    first.Charge(ChargeOf("fixed", 7, Span::kFixed));
    first.clock.Advance(hours(8));
    first.Charge(ChargeOf("sliding", 30));
  }
  Process next(place.file(), hours(1), kWall + hours(15));
  EXPECT_EQ(next.Total(ChargeOf("sliding", 0)), 35);
  Store::Charge over = ChargeOf("fixed", 4, Span::kFixed);
  over.limit = 10;
  EXPECT_EQ(next.Charge(over).retry_after, hours(1)) << "when it was first charged still counts";
  next.clock.Advance(hours(2));
  EXPECT_EQ(next.Total(ChargeOf("sliding", 0)), 30);
  EXPECT_EQ(next.Total(ChargeOf("fixed", 0, Span::kFixed)), 0);
  next.clock.Advance(hours(8));
  EXPECT_EQ(next.Total(ChargeOf("sliding", 0)), 0);
}

TEST(Ledger, ManyRestartsDoNotPutOffTheEndOfAWindow) {
  const Place place;
  Duration wall = kWall;
  {
    Process(place.file(), hours(1), wall).Charge(ChargeOf("a", 5));
  }
  FastRandom random(7);
  for (int i = 0; i < 16; ++i) {
    wall += hours(1);
    Process one(place.file(), Duration(1 + random.Next() % 30'000'000'000'000), wall);
    EXPECT_EQ(one.Total(ChargeOf("a", 0)), 5) << i;
    one.Charge(ChargeOf("a", 1));
    one.Charge(ChargeOf("a", -1));  // so that the row is written anew
  }
  EXPECT_EQ(Process(place.file(), hours(2), wall + hours(1)).Total(ChargeOf("a", 0)), 0);
}

TEST(Ledger, AWallClockThatIsSetWhileItRunsChangesNothing) {
  const Place place;
  Process only(place.file());
  only.Charge(ChargeOf("a", 5, Span::kFixed));
  EXPECT_TRUE(only.ledger.Flush());
  only.clock.SetWall(hours(1000));
  only.Charge(ChargeOf("b", 1));
  EXPECT_TRUE(only.ledger.Flush());
  EXPECT_EQ(RowsIn(place.file()), 2) << "over by its row, and yet it counts";
  only.clock.SetWall(-hours(2000));
  only.clock.Advance(hours(15));
  EXPECT_EQ(only.Total(ChargeOf("a", 0, Span::kFixed)), 5);
  only.Charge(ChargeOf("a", 1, Span::kFixed));
  EXPECT_TRUE(only.ledger.Flush());
  EXPECT_EQ(RowsIn(place.file()), 2) << "nothing that counts is removed";
}

TEST(Ledger, AWallClockThatWasSetBackBetweenTwoProcessesMakesAllCountAsNew) {
  const Place place;
  {
    Process first(place.file());
    first.Charge(ChargeOf("sliding", 5));
    first.Charge(ChargeOf("fixed", 7, Span::kFixed));
  }
  Process next(place.file(), hours(1), kWall - hours(24 * 365 * 50));
  EXPECT_EQ(next.Total(ChargeOf("sliding", 0)), 5);
  next.clock.Advance(hours(15));
  EXPECT_EQ(next.Total(ChargeOf("fixed", 0, Span::kFixed)), 7);
  next.clock.Advance(hours(2));
  EXPECT_EQ(next.Total(ChargeOf("sliding", 0)), 0) << "one window at most";
  EXPECT_EQ(next.Total(ChargeOf("fixed", 0, Span::kFixed)), 0);
}

TEST(Ledger, AWallClockThatWasSetForwardEndsWindowsEarlier) {
  const Place place;
  {
    Process(place.file()).Charge(ChargeOf("a", 5));
  }
  EXPECT_EQ(Process(place.file(), hours(1), kWall + hours(17)).Total(ChargeOf("a", 0)), 0);
}

TEST(Ledger, ACounterThatChangedItsWindowIsSavedAsWhatItIsNow) {
  const Place place;
  {
    Process first(place.file());
    first.Charge(ChargeOf("a", 5));
    first.Charge(ChargeOf("a", 2, Span::kFixed, hours(1)));
  }
  EXPECT_EQ(RowsIn(place.file()), 1);
  EXPECT_EQ(Process(place.file()).Total(ChargeOf("a", 0, Span::kFixed, hours(1))), 2);
}

TEST(Ledger, WhatIsOverLeavesTheFileInPortions) {
  const Place place;
  constexpr int kMany = 5000;
  Process only(place.file(), hours(1), kWall, {.keys = 1'000'000});
  for (int i = 0; i < kMany; ++i) {
    only.Charge(ChargeOf("short " + std::to_string(i), 1, Span::kFixed, minutes(1)));
  }
  EXPECT_TRUE(only.ledger.Flush());
  EXPECT_EQ(RowsIn(place.file()), kMany);
  only.clock.Advance(minutes(2));
  EXPECT_TRUE(only.ledger.Flush());
  EXPECT_EQ(RowsIn(place.file()), kMany - 2000);
  for (int i = 0; i < 2; ++i) {
    only.Charge(ChargeOf("a", 1));
    EXPECT_TRUE(only.ledger.Flush());
  }
  EXPECT_EQ(RowsIn(place.file()), 1);
}

TEST(Ledger, ManyThreadsChargeAndNothingIsLost) {
  const Place place;
  {
    Process first(place.file());
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&first, t] {
        for (int i = 0; i < 2000; ++i) {
          first.Charge(ChargeOf("all", 1));
          first.Charge(ChargeOf("of " + std::to_string(t * 10 + i % 10), 1, Span::kFixed));
        }
      });
    }
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(first.ledger.Flush());
  }
  Process next(place.file());
  EXPECT_EQ(next.Total(ChargeOf("all", 0)), 8000);
  for (int t = 0; t < 4; ++t) {
    EXPECT_EQ(next.Total(ChargeOf("of " + std::to_string(t * 10 + 3), 0, Span::kFixed)), 200);
  }
}

// ---- Faults. What happens to the process happens to a child of the test.

using LedgerDeathTest = DeathTest;

struct Shared : SharedPlace {
  Shared() : SharedPlace("SWITCHYARD_LEDGER_TEST") {}
  const std::string file = path + "/ledger.db";
};

[[noreturn]] void ChargeUntilKilled(const std::string& path) {
  Process killed(path + "/ledger.db");
  std::vector<std::jthread> threads;
  std::atomic<std::int64_t> charged{0};
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (;;) {
        killed.Charge(ChargeOf("a", 1));
        ++charged;
      }
    });
  }
  std::int64_t saved = 0;
  while (saved < 500) {
    const std::int64_t before = charged;
    if (killed.ledger.Flush()) saved = before;
  }
  std::ofstream(path + "/saved") << saved << std::flush;
  raise(SIGKILL);
  std::abort();
}

TEST_F(LedgerDeathTest, WhatWasSavedSurvivesKillMinusNine) {
  const Shared shared;
  EXPECT_EXIT(ChargeUntilKilled(shared.path), testing::KilledBySignal(SIGKILL), "");
  std::int64_t saved = 0;
  std::ifstream(shared.path + "/saved") >> saved;
  EXPECT_GE(saved, 500);
  Process next(shared.file);
  ASSERT_TRUE(next.opened.has_value()) << next.opened.error().message;
  EXPECT_GE(next.Total(ChargeOf("a", 0)), saved);
}

[[noreturn]] void FillTheDisk(const std::string& file) {
  std::signal(SIGXFSZ, SIG_IGN);
  Process full(file, hours(1), kWall, {}, {.after_failure = std::chrono::hours(1)});
  full.Charge(ChargeOf("a", 1));
  MUST(full.ledger.Flush());
  LimitFiles(1);
  for (int i = 0; i < 100; ++i) {
    full.Charge(ChargeOf("a", 1));
    full.Charge(ChargeOf("b", 1));
  }
  MUST(!full.ledger.Flush());
  MUST(full.Total(ChargeOf("a", 0)) == 101);
  MUST(full.ledger.unsaved() == 2);
  MUST(full.metrics.Serialize().contains("switchyard_ledger_behind 2\n"));
  MUST(full.metrics.Serialize().contains("switchyard_ledger_errors_total "));
  MUST(!full.metrics.Serialize().contains("switchyard_ledger_errors_total 0\n"));
  LimitFiles(0);
  MUST(full.ledger.Flush());
  MUST(full.metrics.Serialize().contains("switchyard_ledger_behind 0\n"));
  std::_Exit(0);  // without a goodbye
}

TEST_F(LedgerDeathTest, OnAFullDiskItCountsOnAndCatchesUpLater) {
  const Shared shared;
  EXPECT_EXIT(FillTheDisk(shared.file), testing::ExitedWithCode(0), "");
  Process next(shared.file);
  EXPECT_EQ(next.Total(ChargeOf("a", 0)), 101);
  EXPECT_EQ(next.Total(ChargeOf("b", 0)), 100);
}

TEST_F(LedgerDeathTest, OnAFullDiskItDoesNotStart) {
  const Shared shared;
  const auto start = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    LimitFiles(1);
    const Process never(shared.file);
    MUST(!never.opened);
    LimitFiles(0);  // stderr may be a file
    std::fprintf(stderr, "%s\n", never.opened.error().message.c_str());
    std::_Exit(0);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(0), "ledger.db: .*; .*disk");
}

TEST(Ledger, WhileAnotherProgramHoldsTheFileItCountsOnAndCatchesUpLater) {
  const Place place;
  {
    Process only(place.file(), hours(1), kWall, {}, {.after_failure = std::chrono::hours(1)});
    only.Charge(ChargeOf("a", 1));
    EXPECT_TRUE(only.ledger.Flush());
    Result<sqlite::Database> other = sqlite::Database::Open(place.file(), {});
    Result<sqlite::Transaction> hold = sqlite::Transaction::Begin(*other);
    ASSERT_TRUE(hold.has_value());
    only.Charge(ChargeOf("a", 1));
    EXPECT_FALSE(only.ledger.Flush());
    EXPECT_EQ(only.Charge(ChargeOf("a", 1)).totals[0], 3);
    EXPECT_EQ(only.ledger.unsaved(), 1U);
    ASSERT_TRUE(hold->Commit().has_value());
    EXPECT_TRUE(only.ledger.Flush());
  }
  EXPECT_EQ(Process(place.file()).Total(ChargeOf("a", 0)), 3);
}

TEST(Ledger, AFileThatIsTakenAwayIsNoticedAndTakenUpAgainWhenItIsBack) {
  const Place place;
  {
    Process only(place.file(), hours(1), kWall, {}, {.after_failure = std::chrono::hours(1)});
    std::filesystem::rename(place.file(), place.path() + "/elsewhere");
    only.Charge(ChargeOf("a", 1));
    EXPECT_FALSE(only.ledger.Flush());
    EXPECT_EQ(only.Charge(ChargeOf("a", 1)).totals[0], 2);
    std::filesystem::rename(place.path() + "/elsewhere", place.file());
    EXPECT_TRUE(only.ledger.Flush());
  }
  EXPECT_EQ(Process(place.file()).Total(ChargeOf("a", 0)), 2);
}

TEST(Ledger, WithoutAFileIsTheMemoryStore) {
  MemoryStore memory;
  const ManualClock clock;
  Ledger ledger(memory, clock);
  const Store::Bucket bucket{.key = "a", .interval = seconds(1), .burst = 1};
  EXPECT_TRUE((*ledger.Draw({&bucket, 1}, clock.Now()))->taken);
  EXPECT_FALSE((*ledger.Draw({&bucket, 1}, clock.Now()))->taken);
  const std::uint64_t version = **ledger.Put("a", "x", hours(1), clock.Now());
  EXPECT_TRUE((*ledger.Swap("a", version, "y", hours(1), clock.Now()))->done);
  EXPECT_EQ((*ledger.Get("a", clock.Now()))->value().value, "y");
  EXPECT_TRUE(**ledger.Erase("a", clock.Now()));
  Store::Charge charge = ChargeOf("a", 5);
  charge.durable = true;
  EXPECT_EQ((*ledger.Add({&charge, 1}, clock.Now()))->totals[0], 5);
}

TEST(Ledger, WhileItCannotSaveAnyNumberOfKeysTakesBoundedMemory) {
  const Place place;
  constexpr int kMany = 200'000;
  Process only(place.file(), hours(1), kWall, {.keys = 6400},
               {.after_failure = std::chrono::hours(1)});
  Result<sqlite::Database> other = sqlite::Database::Open(place.file(), {});
  const Result<sqlite::Transaction> hold = sqlite::Transaction::Begin(*other);
  only.Charge(ChargeOf("lasting", 1));
  EXPECT_FALSE(only.ledger.Flush());
  for (int i = 0; i < kMany; ++i) {
    const std::string key = std::to_string(i);
    only.clock.Advance(std::chrono::milliseconds(10));
    only.Charge(ChargeOf(key, 1, Span::kFixed, seconds(1)));
  }
  EXPECT_LE(only.ledger.unsaved(), 16U * 4096);
  EXPECT_EQ(only.Total(ChargeOf("lasting", 0)), 1);
}

}  // namespace
}  // namespace switchyard::store
