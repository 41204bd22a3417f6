#include "store/sqlite_gathering.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "store/sqlite.h"
#include "unit/store/ledger_support.h"

namespace switchyard::store::sqlite {
namespace {

// Write calls of this thread so far; -1 = the system does not tell.
long Writes() {
  std::ifstream counts("/proc/thread-self/io");
  std::string name;
  for (long count = 0; counts >> name >> count;) {
    if (name == "syscw:") return count;
  }
  return -1;
}

Database Open(const std::string& path, bool gathers) {
  Result<Database> opened = Database::Open(path, {.gathers = gathers});
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  return std::move(*opened);
}

void Do(Database& database, const std::string& sql) {
  const Result<void> done = database.Execute(sql);
  EXPECT_TRUE(done.has_value()) << sql << ": " << done.error().detail;
}

// A few hundred pages.
constexpr const char* kFill =
    "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1000) "
    "INSERT INTO t SELECT id, hex(zeroblob(500)) FROM n";

class SqliteGathering : public ::testing::Test {
 protected:
  SqliteGathering() : place_(), file_(Open(place_.file(), true)) {
    Do(file_,
       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
       "CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT)");
  }
  std::int64_t Count(Database& database) {
    const Result<std::int64_t> count = database.Number("SELECT count(*) FROM t");
    EXPECT_TRUE(count.has_value()) << count.error().detail;
    return count.value_or(-1);
  }

  const Place place_;
  Database file_;
};

TEST_F(SqliteGathering, ACommitIsFewWritesHoweverManyPagesItChanges) {
  Do(file_, kFill);
  const long before = Writes();
  if (before < 0) GTEST_SKIP() << "the system counts no writes";
  Do(file_, "UPDATE t SET word = 'w' || word WHERE id % 50 = 0");  // twenty pages
  EXPECT_LE(Writes() - before, 2);
}

TEST_F(SqliteGathering, OthersReadACommitAtOnce) {
  Database other = Open(place_.file(), false);
  EXPECT_EQ(Count(other), 0);
  Do(file_, kFill);
  EXPECT_EQ(Count(other), 1000);
  Do(file_, "PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE id > 1");
  EXPECT_EQ(Count(other), 1);
}

// Pages that find no room in the cache are in the log before the commit, and read from there.
TEST_F(SqliteGathering, WhatIsInTheLogBeforeItsCommitIsReadAndUndone) {
  Do(file_, "PRAGMA cache_size = 5; BEGIN");
  Do(file_, kFill);
  EXPECT_EQ(Count(file_), 1000);
  Do(file_, "UPDATE t SET word = 'w' || word; UPDATE t SET word = 'v' || word WHERE id < 100");
  const Result<std::int64_t> wrong = file_.Number(
      "SELECT count(*) FROM t WHERE (id < 100 AND word NOT LIKE 'vw0%') OR "
      "(id >= 100 AND word NOT LIKE 'w0%')");
  EXPECT_EQ(wrong.value_or(-1), 0);
  Do(file_, "ROLLBACK");
  EXPECT_EQ(Count(file_), 0);
  Do(file_, kFill);
  EXPECT_EQ(Count(file_), 1000);
  const Result<std::int64_t> whole =
      file_.Number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'");
  EXPECT_EQ(whole.value_or(-1), 1);
}

}  // namespace
}  // namespace switchyard::store::sqlite
