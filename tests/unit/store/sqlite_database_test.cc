#include "store/sqlite_database.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <latch>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/store/sqlite_database_support.h"

namespace switchyard::store {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::string_view kSecond = "ALTER TABLE t ADD COLUMN more TEXT; UPDATE t SET more = 'm'";
constexpr std::string_view kBroken = "CREATE TABLE u (id BIGINT); CREATE TABLE t (id BIGINT)";
constexpr std::array kTwo = {kFirst, kSecond};
constexpr std::array kBad = {kFirst, kBroken};

std::string RefusalOf(const std::string& path, std::span<const std::string_view> steps = kOne) {
  const auto opened = SqliteDatabase::Open({.path = path}, Of(steps));
  return opened ? "" : opened.error().message;
}

TEST(SqliteDatabase, GivesBackWhatItWasGiven) {
  const auto database = Open("");
  const std::string word = "a 'quoted' \xC3\xA9";
  EXPECT_TRUE(Do(*database, [&](Transaction& sql) -> Result<void> {
                Result<void> done = sql.Execute("INSERT INTO t (id, word) VALUES ($1, $2)",
                                                {std::int64_t{1} << 60, word});
                if (done)
                  done = sql.Execute("INSERT INTO t (id, word) VALUES ($1, $2)", {2, nullptr});
                if (!done) return done;
                auto rows =
                    sql.Query("SELECT id, word FROM t WHERE word = $1 OR id = $2 ORDER BY id DESC",
                              {word, 2});
                if (!rows) return Failure(rows.error());
                EXPECT_EQ(rows->size(), 2U);
                EXPECT_EQ(rows->at(0).Number(0), std::int64_t{1} << 60);
                EXPECT_EQ(rows->at(0).Text(1), word);
                EXPECT_TRUE(rows->at(1).IsNull(1));
                EXPECT_EQ(rows->at(1).Text(1), "");
                return {};
              }).has_value());
}

TEST(SqliteDatabase, AWorkThatFailsUndoesItselfAlone) {
  const auto database =
      Open("", kOne, {.on_failing = [](bool) { ADD_FAILURE() << "the disk is fine"; }});
  EXPECT_TRUE(Put(*database, 1).has_value());
  const Result<void> failed = Do(*database, [](Transaction& sql) -> Result<void> {
    EXPECT_TRUE(sql.Execute("INSERT INTO t (id) VALUES (2)").has_value());
    return Failure(Code::kInvalid, Origin::kClient, "no");
  });
  EXPECT_EQ(failed.error().message, "no");
  const Result<void> twice = Put(*database, 1);
  ASSERT_FALSE(twice.has_value()) << "a key that is there";
  EXPECT_TRUE(twice.error().retryable) << "it is undone, so nothing is kept for sure";
  const Result<void> bug =
      Do(*database, [](Transaction&) -> Result<void> { throw std::runtime_error("bug"); });
  EXPECT_EQ(bug.error().code, Code::kInternal);
  EXPECT_EQ(bug.error().message.find("bug"), std::string::npos);
  EXPECT_EQ(Count(*database), 1);
}

// More of it than the cache is said to hold: pages that were written before would have to be undone
// in the log, too.
TEST(SqliteDatabase, NothingIsInTheLogBeforeItsCommit) {
  const Place place;
  const auto database = Open(place.file());
  const auto in_log = [&] { return std::filesystem::file_size(place.file() + "-wal"); };
  EXPECT_TRUE(Put(*database, 1).has_value());
  const auto before = in_log();
  EXPECT_TRUE(Do(*database, [&](Transaction& sql) -> Result<void> {
                for (std::int64_t id = 2; id < 82; ++id) {
                  Result<void> done = sql.Execute("INSERT INTO t (id, word) VALUES ($1, $2)",
                                                  {id, std::string(1 << 20, 'w')});
                  if (!done) return done;
                }
                EXPECT_EQ(in_log(), before);
                return {};
              }).has_value());
  EXPECT_GT(in_log(), std::uintmax_t{80} << 20);
  EXPECT_EQ(Count(*database), 81);
}

// The first holds the thread until all others wait, and these join it.
TEST(SqliteDatabase, WhatWaitsSharesACommitAndEachIsAnsweredAfterIt) {
  const Place place;
  std::vector<std::size_t> groups;
  const auto database =
      Open(place.file(), kOne,
           {.on_commit = [&](std::size_t transactions) { groups.push_back(transactions); }});
  std::latch entered(1), go(1);
  std::atomic<int> kept = 0, refused = 0;
  database->Submit(
      [&](Transaction&) -> Result<void> {
        entered.count_down();
        go.wait();
        return {};
      },
      [](Result<void>) {});
  entered.wait();
  for (int i = 0; i < 100; ++i) {
    database->Submit(
        [i](Transaction& sql) { return sql.Execute("INSERT INTO t (id) VALUES ($1)", {i / 2}); },
        [&](Result<void> done) { ++(done ? kept : refused); });
  }
  go.count_down();
  database->Close();
  EXPECT_EQ(kept, 50);
  EXPECT_EQ(refused, 50) << "each pair wants one key";
  EXPECT_EQ(groups, (std::vector<std::size_t>{101}));
  EXPECT_EQ(Count(*Open(place.file())), 50);
}

// Each has the next one come while it runs.
TEST(SqliteDatabase, WhatComesWhileAGroupRunsJoinsItUntilItIsFull) {
  std::vector<std::size_t> groups;
  const auto database =
      Open("", kOne, {.most_in_group = 3, .on_commit = [&](std::size_t transactions) {
                        groups.push_back(transactions);
                      }});
  std::latch answered(8);
  std::function<Result<void>(int)> run = [&](int left) -> Result<void> {
    if (left == 0) return {};
    database->Submit([&run, left](Transaction&) { return run(left - 1); },
                     [&](const Result<void>&) { answered.count_down(); });
    return {};
  };
  EXPECT_TRUE(run(8).has_value());
  answered.wait();
  database->Close();
  EXPECT_EQ(groups, (std::vector<std::size_t>{3, 3, 2}));
}

// What is before it is through: nothing has it begin anew.
TEST(SqliteDatabase, OneThatIsAloneSharesNoCommit) {
  std::vector<std::size_t> groups;
  const auto database = Open(
      "", kOne, {.on_commit = [&](std::size_t transactions) { groups.push_back(transactions); }});
  std::latch entered(1), go(1);
  database->Submit(
      [&](Transaction&) -> Result<void> {
        entered.count_down();
        go.wait();
        return {};
      },
      [](Result<void>) {});
  entered.wait();
  int before = 0, alone = 0;
  const auto count = [](int& runs) {
    return [&runs](Transaction&) -> Result<void> {
      ++runs;
      return {};
    };
  };
  for (int i = 0; i < 2; ++i) database->Submit(count(before), [](Result<void>) {});
  database->Submit(count(alone), [](Result<void>) {}, Database::Company::kAlone);
  database->Submit(
      [](Transaction& sql) -> Result<void> {
        static_cast<void>(sql.Execute("INSERT INTO t (id) VALUES (1)"));
        return Failure(Code::kInvalid, Origin::kClient, "no");
      },
      [](Result<void>) {});
  database->Submit(count(before), [](Result<void>) {});
  go.count_down();
  database->Close();
  EXPECT_EQ(groups, (std::vector<std::size_t>{3, 1, 2}));
  EXPECT_EQ(std::pair(alone, before), std::pair(1, 3));
}

// All wait before the first begins.
TEST(SqliteDatabase, OneThatFailsAfterAChangeHasTheOthersRunAgainAndKeepsNothing) {
  const auto database = Open("");
  std::latch entered(1), go(1);
  database->Submit(
      [&](Transaction&) -> Result<void> {
        entered.count_down();
        go.wait();
        return {};
      },
      [](Result<void>) {});
  entered.wait();
  constexpr int kWorks = 9, kFails = 4;
  std::array<int, kWorks> runs{}, answers{}, kept{};
  for (int i = 0; i < kWorks; ++i) {
    const auto at = static_cast<std::size_t>(i);
    database->Submit(
        [&runs, i, at](Transaction& sql) -> Result<void> {
          ++runs[at];
          Result<void> done = sql.Execute("INSERT INTO t (id) VALUES ($1)", {i});
          if (done && i == kFails) return Failure(Code::kInvalid, Origin::kClient, "no");
          return done;
        },
        [&answers, &kept, at](const Result<void>& done) {
          ++answers[at];
          kept[at] = done ? 1 : 0;
        });
  }
  go.count_down();
  EXPECT_EQ(Count(*database), kWorks - 1);
  database->Close();
  for (int i = 0; i < kWorks; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(runs[at], i <= kFails ? 2 : 1) << i;
    EXPECT_EQ(answers[at], 1) << i;
    EXPECT_EQ(kept[at], i == kFails ? 0 : 1) << i;
  }
}

// Where the log stands in its file is counted by SQLite in the header: how often it began anew.
std::uint32_t TimesBegun(const std::string& file) {
  std::ifstream log(file + "-wal", std::ios::binary);
  std::array<char, 16> header{};
  log.read(header.data(), header.size());
  std::uint32_t times = 0;
  for (std::size_t i = 12; i < 16; ++i) times = times << 8U | static_cast<unsigned char>(header[i]);
  return times;
}

// While it is written to: each pass is behind the commits that come meanwhile.
TEST(SqliteDatabase, TheLogBeginsAnewUnderLoad) {
  const Place place;
  const auto database = Open(place.file(), kOne, {.most_in_log = 40});
  std::int64_t id = 0;
  EXPECT_TRUE(Put(*database, id++).has_value());
  const std::uint32_t first = TimesBegun(place.file());
  while (TimesBegun(place.file()) < first + 3) {
    ASSERT_TRUE(Put(*database, id++, std::string(1000, 'x')).has_value());
    ASSERT_LT(id, 1'000'000) << "it only grows";
  }
  EXPECT_EQ(Count(*database), id);
  EXPECT_GT(std::filesystem::file_size(place.file()), 10 * 4096U) << "it is in the file";
}

TEST(SqliteDatabase, MoreThanMayWaitAreRefusedAtOnce) {
  const auto database = Open("", kOne, {.most_waiting = 2});
  std::latch entered(1), go(1);
  database->Submit(
      [&](Transaction&) -> Result<void> {
        entered.count_down();
        go.wait();
        return {};
      },
      [](Result<void>) {});
  entered.wait();
  int refused = 0;
  for (int i = 0; i < 5; ++i) {
    database->Submit([](Transaction&) -> Result<void> { return {}; },
                     [&](const Result<void>& done) {
                       if (done) return;
                       ++refused;
                       EXPECT_EQ(done.error().code, Code::kRateLimited);
                       EXPECT_TRUE(done.error().retryable);
                     });
  }
  EXPECT_EQ(refused, 3);
  go.count_down();
  database->Close();
  EXPECT_FALSE(Put(*database, 1).has_value()) << "closed";
}

TEST(SqliteDatabase, AnOlderFileIsBroughtForwardAfterACopyOfIt) {
  const Place place;
  EXPECT_TRUE(Put(*Open(place.file()), 1).has_value());
  {
    const auto database = Open(place.file(), kTwo);
    EXPECT_TRUE(Do(*database, [](Transaction& sql) -> Result<void> {
                  auto rows = sql.Query("SELECT more FROM t");
                  EXPECT_EQ(rows->front().Text(0), "m");
                  return {};
                }).has_value());
  }
  const std::string copy = place.file() + ".v1.bak";
  EXPECT_EQ(Count(*Open(copy)), 1) << "of the version before";
  struct stat about{};
  ASSERT_EQ(stat(copy.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 077U, 0U) << "for this user alone";
  EXPECT_THAT(RefusalOf(place.file(), kOne),
              HasSubstr("was written by a newer switchyard (its version is 2, this one reads 1)"));
}

TEST(SqliteDatabase, AStepThatFailsLeavesTheFileAsItWas) {
  const Place place;
  EXPECT_TRUE(Put(*Open(place.file()), 1).has_value());
  EXPECT_THAT(RefusalOf(place.file(), kBad), HasSubstr("step to version 2"));
  EXPECT_EQ(Count(*Open(place.file())), 1);
}

TEST(SqliteDatabase, WhatIsDamagedOrForeignIsRefusedWithWhatToDo) {
  const Place place;
  {
    const auto database = Open(place.file());
    for (int i = 0; i < 2000; ++i)
      EXPECT_TRUE(Put(*database, i, std::string(100, 'x')).has_value());
  }
  {
    std::fstream file(place.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(8192, '\xff');
  }
  EXPECT_THAT(RefusalOf(place.file()), HasSubstr("put a copy of it back, or move it away"));
  EXPECT_FALSE(SqliteDatabase::Inspect(place.file(), Of(kOne)).has_value());
  std::ofstream(place.path() + "/text") << std::string(5000, 'x');
  EXPECT_THAT(RefusalOf(place.path() + "/text"), HasSubstr("is not a database"));
  const DatabaseSchema other{.name = "other", .application = 5, .steps = kOne};
  {
    const auto theirs = SqliteDatabase::Open({.path = place.path() + "/other"}, other);
  }
  EXPECT_THAT(RefusalOf(place.path() + "/other"), HasSubstr("is the database of another program"));
}

// quick_check does not see it, and whoever looks by the index never finds the row.
TEST(SqliteDatabase, AnIndexThatLostAnEntryIsFound) {
  constexpr std::array kIndexed = {kFirst, std::string_view("CREATE INDEX by_word ON t (word)")};
  const Place place;
  {
    const auto database = Open(place.file(), kIndexed);
    EXPECT_TRUE(Put(*database, 1).has_value());
  }
  // By an index that is another one while the row comes.
  for (const char* step :
       {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX by_word ON t "
        "(word) WHERE id < 0' WHERE name = 'by_word'",
        "INSERT INTO t (id, word) VALUES (2, 'lost')",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX by_word ON t "
        "(word)' WHERE name = 'by_word'"}) {
    auto file = sqlite::Database::Open(place.file(), {});
    ASSERT_TRUE(file.has_value());
    const Result<void> done = file->Execute(step);
    ASSERT_TRUE(done.has_value()) << done.error().detail;
  }
  const auto refused = SqliteDatabase::Open({.path = place.file()}, Of(kIndexed));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("missing from index by_word"));
  EXPECT_THAT(refused.error().message, HasSubstr("put a copy of it back"));
  EXPECT_FALSE(SqliteDatabase::Inspect(place.file(), Of(kIndexed)).has_value());
  EXPECT_FALSE(SqliteDatabase::Open({.path = place.file()}, Of(kIndexed)).has_value())
      << "nor does it start the second time";
  {
    auto file = sqlite::Database::Open(place.file(), {});
    ASSERT_TRUE(file->Execute("REINDEX").has_value());
  }
  EXPECT_EQ(Count(*Open(place.file(), kIndexed)), 2) << "the way back that the docs name";
}

TEST(SqliteDatabase, AFileThatWasMovedAwayIsWrittenNoMore) {
  const Place place;
  std::vector<bool> told;
  const auto database =
      Open(place.file(), kOne, {.on_failing = [&](bool failing) { told.push_back(failing); }});
  std::filesystem::rename(place.file(), place.file() + ".gone");
  const Result<void> put = Put(*database, 1);
  ASSERT_FALSE(put.has_value());
  EXPECT_THAT(put.error().message, HasSubstr("was moved or removed"));
  EXPECT_EQ(told, std::vector<bool>{true});
  std::filesystem::rename(place.file() + ".gone", place.file());
  EXPECT_TRUE(Put(*database, 1).has_value());
  EXPECT_EQ(told, (std::vector<bool>{true, false}));
}

}  // namespace
}  // namespace switchyard::store
