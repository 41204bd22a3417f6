// How large a database is, and how large it may become.
#include "store/sqlite_bound.h"

#include <csignal>
#include <cstdlib>
#include <future>
#include <latch>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/store/death.h"
#include "unit/store/sqlite_database_support.h"

namespace switchyard::store {
namespace {

using ::testing::EndsWith;
using ::testing::Not;
using SqliteBoundDeathTest = DeathTest;

constexpr std::int64_t kMost = std::int64_t{1} << 20;
constexpr const char* kBoundVariable = "SWITCHYARD_BOUND_TEST";

std::string Large() { return std::string(20'000, 'x'); }

std::int64_t Used(SqliteDatabase& database) {
  std::int64_t used = -1;
  EXPECT_TRUE(Do(database, [&](Transaction& sql) -> Result<void> {
                const Result<std::int64_t> bytes = sql.UsedBytes();
                if (!bytes) return Failure(bytes.error());
                used = *bytes;
                return {};
              }).has_value());
  return used;
}

// Puts rows from this id on until one is refused; gives its id, with why in `refusal`.
std::int64_t Fill(SqliteDatabase& database, std::int64_t id, Error& refusal) {
  for (;; ++id) {
    Result<void> put = Put(database, id, Large());
    if (put) continue;
    refusal = put.error();
    return id;
  }
}

Result<void> Clear(SqliteDatabase& database) {
  return Do(database, [](Transaction& sql) { return sql.Execute("DELETE FROM t"); });
}

class SqliteBounds : public testing::TestWithParam<bool> {
 protected:
  std::string File() const { return GetParam() ? place_.file() : ""; }

 private:
  const Place place_;
};
INSTANTIATE_TEST_SUITE_P(File, SqliteBounds, testing::Bool(),
                         [](const auto& info) { return info.param ? "InAFile" : "InMemory"; });

TEST_P(SqliteBounds, WhatIsInUseIsToldWithoutWhatIsFree) {
  const auto database = Open(File());
  const std::int64_t empty = Used(*database);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Put(*database, i, Large()).has_value());
  EXPECT_GE(Used(*database), empty + 50 * 20'000);
  EXPECT_LE(Used(*database), empty + 50 * 25'000);
  EXPECT_TRUE(Clear(*database).has_value());
  EXPECT_LE(Used(*database), empty + 10'000);
}

TEST_P(SqliteBounds, ATransactionKnowsWhatItFound) {
  const auto database = Open(File());
  const std::int64_t before = Used(*database);
  EXPECT_TRUE(Do(*database, [&](Transaction& sql) -> Result<void> {
                EXPECT_EQ(sql.UsedBytes().value_or(-1), before);
                Result<void> put =
                    sql.Execute("INSERT INTO t (id, word) VALUES (1, $1)", {Large()});
                EXPECT_EQ(sql.UsedBytes().value_or(-1), before) << "all or none of it";
                return put;
              }).has_value());
  EXPECT_GT(Used(*database), before);
}

TEST_P(SqliteBounds, NothingGrowsBeyondItAndThatIsNoFullDisk) {
  bool failing = false;  // of the disk, on the database's thread
  const auto database = Open(
      File(), kOne, {.most_bytes = kMost, .on_failing = [&failing](bool now) { failing = now; }});
  Error refusal;
  const std::int64_t kept = Fill(*database, 0, refusal);
  EXPECT_EQ(refusal.code, Code::kTooLarge);
  EXPECT_FALSE(refusal.retryable) << "it would be refused again";
  EXPECT_THAT(refusal.message, EndsWith(": is as large as it may be"));
  EXPECT_LE(Used(*database), kMost);
  EXPECT_EQ(Count(*database), kept);
  EXPECT_FALSE(failing);
  EXPECT_TRUE(Clear(*database).has_value());
  EXPECT_TRUE(Put(*database, kept, Large()).has_value()) << "in the room of what is gone";
}

TEST_P(SqliteBounds, AnotherOneHoldsFromTheNextCommitOn) {
  const auto database = Open(File());
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Put(*database, i, Large()).has_value());
  database->Bound(4096);
  EXPECT_FALSE(Put(*database, 20, Large()).has_value())
      << "it is larger already, and grows no more";
  EXPECT_EQ(Count(*database), 20);
  database->Bound(kMost);
  EXPECT_TRUE(Put(*database, 20, Large()).has_value());
  database->Bound(0);
  for (int i = 100; i < 200; ++i) EXPECT_TRUE(Put(*database, i, Large()).has_value());
}

// What makes room takes some before; whoever comes after it may not.
TEST_P(SqliteBounds, WhatMayPassItDoesAndNobodyElse) {
  const auto database = Open(File(), kOne, {.most_bytes = kMost});
  Error refusal;
  const std::int64_t kept = Fill(*database, 0, refusal);
  EXPECT_TRUE(Do(*database, [&](Transaction& sql) -> Result<void> {
                Result<void> done = sql.PassBound();
                if (done) {
                  done = sql.Execute("INSERT INTO t (id, word) VALUES ($1, $2)", {kept, Large()});
                }
                return done ? sql.Execute("DELETE FROM t WHERE id < 2") : done;
              }).has_value());
  Fill(*database, kept + 1, refusal);
  EXPECT_EQ(refusal.code, Code::kTooLarge);
  EXPECT_LE(Used(*database), kMost + 30'000);
}

// SQLite gives up all that is to be committed together: those that are not at fault may try again.
TEST_P(SqliteBounds, WhoSharedACommitWithWhatHadNoRoomMayTryAgain) {
  const auto database = Open(File(), kOne, {.most_bytes = kMost});
  Error refusal;
  const std::int64_t kept = Fill(*database, 0, refusal);
  std::latch entered(1), go(1);
  database->Submit(
      [&](Transaction&) -> Result<void> {
        entered.count_down();
        go.wait();
        return {};
      },
      [](const Result<void>&) {});
  entered.wait();
  std::vector<std::promise<Result<void>>> over(2);
  const auto submit = [&](std::size_t which, Database::Work work) {
    database->Submit(std::move(work),
                     [&over, which](Result<void> done) { over[which].set_value(std::move(done)); });
  };
  submit(0, [](Transaction& sql) { return sql.Execute("UPDATE t SET word = 'w' WHERE id = -1"); });
  submit(1, [&](Transaction& sql) {
    return sql.Execute("INSERT INTO t (id, word) VALUES ($1, $2)",
                       {kept, std::string(1'000'000, 'x')});
  });
  go.count_down();
  const Result<void> innocent = over[0].get_future().get();
  const Result<void> large = over[1].get_future().get();
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, Code::kTooLarge);
  if (!innocent) {
    EXPECT_EQ(innocent.error().code, Code::kUnavailable);
    EXPECT_TRUE(innocent.error().retryable);
  }
  EXPECT_EQ(Count(*database), kept);
}

[[noreturn]] void FillTheBoundDisk(const std::string& file) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto database = Open(file, kOne, {.most_bytes = kMost});
  MUST(Put(*database, 1).has_value());
  LimitFiles(1);
  const Result<void> full = Put(*database, 2);
  MUST(!full.has_value());
  MUST(full.error().code == Code::kUnavailable);
  MUST(full.error().message.contains("disk"));
  std::_Exit(0);
}

TEST_F(SqliteBoundDeathTest, AFullDiskIsToldAsOneAlsoWhereThereIsABound) {
  const SharedPlace shared(kBoundVariable);
  EXPECT_EXIT(FillTheBoundDisk(shared.path + "/t.db"), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace switchyard::store
