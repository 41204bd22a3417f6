// A file that is checked on the database's thread: what is told at once, and what waits for it.
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/store/sqlite_database_support.h"

namespace switchyard::store {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

Result<std::unique_ptr<SqliteDatabase>> OpenBeside(
    const std::string& path, std::span<const std::string_view> steps = kOne,
    std::function<void(bool failing)> on_failing = {}) {
  return SqliteDatabase::Open(
      {.path = path, .checks_beside = true, .on_failing = std::move(on_failing)}, Of(steps));
}

void Fill(const std::string& path, int rows) {
  const auto database = Open(path);
  for (int i = 0; i < rows; ++i) {
    ASSERT_TRUE(Put(*database, i, std::string(1000, 'x')).has_value());
  }
}

void Damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(std::streamoff{4096} * 3);
  file << std::string(8192, '\xff');
}

TEST(SqliteOpening, WhatIsSubmittedWaitsForTheCheck) {
  const Place place;
  Fill(place.file(), 100);
  auto database = OpenBeside(place.file());
  ASSERT_TRUE(database.has_value()) << database.error().message;
  EXPECT_EQ(Count(**database), 100);
  EXPECT_TRUE((*database)->ready());
  EXPECT_TRUE(Put(**database, 100).has_value());
}

TEST(SqliteOpening, WhatHasNothingToBeCheckedIsReadyAtOnce) {
  const Place place;
  for (const std::string& path : {std::string(), place.file()}) {
    auto database = OpenBeside(path);
    ASSERT_TRUE(database.has_value()) << database.error().message;
    EXPECT_TRUE((*database)->ready()) << path;
  }
}

TEST(SqliteOpening, AnOlderFileIsBroughtToTheSchemaAfterItsCheck) {
  constexpr std::array kTwo = {kFirst, std::string_view("ALTER TABLE t ADD COLUMN more BIGINT")};
  const Place place;
  Fill(place.file(), 3);
  auto database = OpenBeside(place.file(), kTwo);
  ASSERT_TRUE(database.has_value()) << database.error().message;
  EXPECT_TRUE(Do(**database, [](Transaction& sql) {
                return sql.Execute("UPDATE t SET more = 1");
              }).has_value());
  EXPECT_TRUE(std::filesystem::exists(place.file() + ".v1.bak"));
}

TEST(SqliteOpening, WhatIsDamagedIsRefusedToWhoeverSubmits) {
  const Place place;
  Fill(place.file(), 100);
  Damage(place.file());
  const std::string log = place.file() + "-wal";
  std::ofstream(log) << std::string(4096, '\0');  // of a process that was killed
  for (const char* time : {"the first time", "the second"}) {
    std::vector<bool> told;
    auto database = OpenBeside(place.file(), kOne, [&](bool failing) { told.push_back(failing); });
    ASSERT_TRUE(database.has_value()) << database.error().message;
    for (const char* when : {"while it is checked, or after it", "after it"}) {
      const Result<void> put = Put(**database, 1000);
      ASSERT_FALSE(put.has_value()) << when;
      EXPECT_EQ(put.error().code, Code::kUnavailable);
      EXPECT_TRUE(put.error().retryable) << "nothing is kept of it for sure";
      EXPECT_THAT(put.error().message, HasSubstr("put a copy of it back, or move it away"));
    }
    EXPECT_FALSE((*database)->ready());
    (*database)->TryAgain();
    (*database)->Close();
    EXPECT_EQ(told, std::vector<bool>{true}) << "it stays of no use";
    EXPECT_THAT(Put(**database, 1).error().message, HasSubstr("the gateway stops"));
    database->reset();
    EXPECT_TRUE(std::filesystem::exists(log)) << time << ": it is left as it was found";
  }
}

TEST(SqliteOpening, WhatTheFirstPageTellsIsRefusedBeforeItIsOpen) {
  const Place place;
  std::ofstream(place.path() + "/text") << std::string(5000, 'x');
  auto database = OpenBeside(place.path() + "/text");
  ASSERT_FALSE(database.has_value());
  EXPECT_THAT(database.error().message, HasSubstr("is not a database"));
  {
    constexpr std::array kTwo = {kFirst, std::string_view("CREATE TABLE u (id BIGINT)")};
    const auto newer = Open(place.file(), kTwo);
  }
  database = OpenBeside(place.file());
  ASSERT_FALSE(database.has_value());
  EXPECT_THAT(database.error().message, HasSubstr("was written by a newer switchyard"));
}

// Whenever that is: before the check, in it, or after it.
TEST(SqliteOpening, WhoClosesItDoesNotWaitForTheCheck) {
  const Place place;
  Fill(place.file(), 3000);
  const std::string log = place.file() + "-wal";
  for (int i = 0; i < 10; ++i) {
    std::ofstream(log) << std::string(4096, '\0');  // of a process that was killed
    auto database = OpenBeside(place.file(), kOne,
                               [](bool) { ADD_FAILURE() << "it is whole, as far as it is known"; });
    ASSERT_TRUE(database.has_value()) << database.error().message;
    std::promise<Result<void>> over;
    (*database)->Submit([](Transaction&) { return Result<void>(); },
                        [&](Result<void> kept) { over.set_value(std::move(kept)); });
    (*database)->Close();
    const Result<void> kept = over.get_future().get();
    EXPECT_THAT(kept ? "" : kept.error().message, AnyOf("", HasSubstr("the gateway stops")));
  }
  EXPECT_EQ(Count(*Open(place.file())), 3000);
}

}  // namespace
}  // namespace switchyard::store
