#include "store/ledger_file.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/store/ledger_support.h"

namespace switchyard::store {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using Row = LedgerFile::Row;

constexpr TimePoint kNow{kWall};

Row Sliding(std::string key, std::int64_t newest, TimePoint begin = kNow) {
  Row row{.key = std::move(key), .state = Window::State{.window = hours(16), .begin = begin}};
  row.state->slices.back() = newest;
  return row;
}

std::map<std::string, Window::State> Loaded(LedgerFile& file, TimePoint now = kNow) {
  std::map<std::string, Window::State> rows;
  const Result<void> loaded = file.Load(now, [&](Row row) { rows[row.key] = *row.state; });
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return rows;
}

// Why it is refused, by serve and by check alike.
std::string Refusal(const std::string& path) {
  const Result<LedgerFile> opened = LedgerFile::Open(path);
  const Result<void> inspected = LedgerFile::Inspect(path);
  if (opened || inspected) return "";
  EXPECT_EQ(opened.error().message, inspected.error().message);
  return opened.error().message;
}

void Execute(const std::string& path, const std::string& sql) {
  Result<sqlite::Database> database = sqlite::Database::Open(path, {});
  const Result<void> done = database->Execute(sql);
  ASSERT_TRUE(done.has_value()) << done.error().message;
}

TEST(LedgerFile, GivesBackWhatItWasGiven) {
  const Place place;
  Row sliding = Sliding("a", 5);
  for (std::size_t i = 0; i < sliding.state->slices.size(); ++i) {
    sliding.state->slices[i] = static_cast<std::int64_t>(i) * (i % 2 == 0 ? -1 : 1'000'000'007);
  }
  const Row fixed{
      .key = std::string("\0\xff b", 4),
      .state = Window::State{
          .span = Store::Span::kFixed, .window = Store::kLongest, .begin = kNow - hours(5)}};
  {
    LedgerFile file = *LedgerFile::Open(place.file());
    ASSERT_TRUE(file.Save(std::vector<Row>{sliding, fixed}).has_value());
  }
  LedgerFile file = *LedgerFile::Open(place.file());
  const auto rows = Loaded(file);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at("a").slices, sliding.state->slices);
  EXPECT_EQ(rows.at("a").begin, kNow);
  EXPECT_EQ(rows.at("a").window, hours(16));
  EXPECT_EQ(rows.at(fixed.key).span, Store::Span::kFixed);
  EXPECT_EQ(rows.at(fixed.key).begin, kNow - hours(5));
  EXPECT_EQ(rows.at(fixed.key).window, Store::kLongest);
}

TEST(LedgerFile, WritesEachRowAnewOrRemovesIt) {
  const Place place;
  LedgerFile file = *LedgerFile::Open(place.file());
  ASSERT_TRUE(file.Save(std::vector<Row>{Sliding("a", 1), Sliding("b", 2)}).has_value());
  ASSERT_TRUE(file.Save(std::vector<Row>{Sliding("a", 3), {.key = "b", .state = {}}}).has_value());
  const auto rows = Loaded(file);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.at("a").slices.back(), 3);
}

TEST(LedgerFile, NamesWhatIsOverThatWhichEndedFirstFirst) {
  const Place place;
  LedgerFile file = *LedgerFile::Open(place.file());
  ASSERT_TRUE(file.Save(std::vector<Row>{Sliding("young", 1), Sliding("old", 2, kNow - hours(20)),
                                         Sliding("older", 2, kNow - hours(21)),
                                         Sliding("last slice", 2, kNow - hours(16))})
                  .has_value());
  EXPECT_THAT(*file.Expired(kNow, 9), testing::ElementsAre("older", "old"));
  EXPECT_THAT(*file.Expired(kNow, 1), testing::ElementsAre("older"));
  EXPECT_EQ(Loaded(file).size(), 2U);
}

TEST(LedgerFile, IsRefusedWhenItIsNoDatabase) {
  const Place place;
  std::ofstream(place.file()) << std::string(10'000, 'x');
  const std::string why = Refusal(place.file());
  EXPECT_THAT(why, HasSubstr(place.file() + ": file is not a database; put a copy of it back, or "
                                            "move it away to begin without it"));
}

TEST(LedgerFile, IsRefusedWhenAPageOfItIsDamaged) {
  const Place place;
  {
    LedgerFile file = *LedgerFile::Open(place.file());
    std::vector<Row> rows;
    for (int i = 0; i < 2000; ++i) rows.push_back(Sliding("key " + std::to_string(i), i));
    ASSERT_TRUE(file.Save(rows).has_value());
  }
  std::fstream damage(place.file(), std::ios::in | std::ios::out | std::ios::binary);
  damage.seekp(5 * 4096);
  damage << std::string(4096, '\x55') << std::flush;
  EXPECT_THAT(Refusal(place.file()), HasSubstr("move it away to begin without it"));
}

TEST(LedgerFile, IsRefusedWhenItIsTruncated) {
  const Place place;
  {
    LedgerFile file = *LedgerFile::Open(place.file());
    ASSERT_TRUE(file.Save(std::vector<Row>{Sliding("a", 1)}).has_value());
  }
  std::filesystem::resize_file(place.file(), 4096);
  EXPECT_THAT(Refusal(place.file()), HasSubstr("move it away to begin without it"));
}

TEST(LedgerFile, IsRefusedWhenANewerProgramWroteIt) {
  const Place place;
  ASSERT_TRUE(LedgerFile::Open(place.file()).has_value());
  Execute(place.file(), "PRAGMA user_version = 7");
  EXPECT_THAT(Refusal(place.file()),
              HasSubstr("was written by a newer switchyard (its version is 7, this one reads 1)"));
}

TEST(LedgerFile, IsRefusedWhenItIsAnotherPrograms) {
  const Place place;
  Execute(place.file(), "CREATE TABLE counter (key TEXT)");
  EXPECT_THAT(Refusal(place.file()), HasSubstr("is the database of another program"));
}

TEST(LedgerFile, IsRefusedWhenARowMakesNoSense) {
  for (const char* change :
       {"span = 2", "window = 3", "window = 9223372036854775807", "begin = -1",
        "begin = 9223372036854775807", "slices = '1 x'", "slices = '1  2'", "slices = '1;2'",
        "slices = '99999999999999999999'", "slices = '1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1'"}) {
    const Place place;
    ASSERT_TRUE(LedgerFile::Open(place.file())->Save(std::vector<Row>{Sliding("a", 1)}));
    Execute(place.file(), std::string("UPDATE counter SET ") + change);
    LedgerFile file = *LedgerFile::Open(place.file());
    const Result<void> loaded = file.Load(kNow, [](const Row&) {});
    ASSERT_FALSE(loaded.has_value()) << change;
    EXPECT_THAT(loaded.error().message, HasSubstr("holds a row that makes no sense"));
  }
}

TEST(LedgerFile, OfADirectoryThatIsNotThereSaysSo) {
  EXPECT_THAT(Refusal("/nowhere/ledger.db"),
              HasSubstr("unable to open database file; let this user write to it"));
}

TEST(LedgerFile, InspectingItChangesNothing) {
  const Place place;
  {
    ASSERT_TRUE(LedgerFile::Open(place.file()).has_value());
  }
  const auto written = std::filesystem::last_write_time(place.file());
  EXPECT_TRUE(LedgerFile::Inspect(place.file()).has_value());
  EXPECT_EQ(std::filesystem::last_write_time(place.file()), written);
  const LedgerFile open = *LedgerFile::Open(place.file());
  EXPECT_TRUE(LedgerFile::Inspect(place.file()).has_value()) << "also while it is in use";
}

TEST(Sqlite, AFullDatabaseSaysWhatToDoAndTheTransactionIsGoneAsAWhole) {
  const Place place;
  sqlite::Database database = *sqlite::Database::Open(place.file(), {});
  ASSERT_TRUE(database.Execute("CREATE TABLE t (x TEXT); PRAGMA max_page_count = 10").has_value());
  {
    sqlite::Transaction transaction = *sqlite::Transaction::Begin(database);
    Result<void> inserted;
    for (int i = 0; i < 100 && inserted; ++i) {
      inserted = database.Execute("INSERT INTO t VALUES (hex(randomblob(1000)))");
    }
    ASSERT_FALSE(inserted.has_value());
    EXPECT_EQ(inserted.error().message,
              place.file() + ": database or disk is full; make room on its disk");
  }
  EXPECT_EQ(database.Number("SELECT count(*) FROM t").value_or(-1), 0);
  ASSERT_TRUE(database.Execute("PRAGMA max_page_count = 1000").has_value());
  EXPECT_TRUE(database.Execute("INSERT INTO t VALUES ('x')").has_value());
}

TEST(Sqlite, AStatementCanBeRunAgainAfterAFailure) {
  const Place place;
  sqlite::Database database = *sqlite::Database::Open(place.file(), {});
  ASSERT_TRUE(database.Execute("CREATE TABLE t (x INTEGER UNIQUE)").has_value());
  sqlite::Statement put = *database.Prepare("INSERT INTO t VALUES (?)");
  EXPECT_TRUE(put.Bind(1, 1).Run().has_value());
  EXPECT_FALSE(put.Bind(1, 1).Run().has_value());
  EXPECT_TRUE(put.Bind(1, 2).Run().has_value());
  EXPECT_FALSE(put.Bind(9, 2).Run().has_value()) << "there is no ninth parameter";
  EXPECT_TRUE(put.Bind(1, 3).Run().has_value());
  EXPECT_EQ(database.Number("SELECT count(*) FROM t").value_or(-1), 3);
}

}  // namespace
}  // namespace switchyard::store
