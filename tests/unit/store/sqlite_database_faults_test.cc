// Faults of the disk and of the process. What happens to the process happens to a child of the
// test.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "unit/store/death.h"
#include "unit/store/sqlite_database_support.h"

namespace switchyard::store {
namespace {

using SqliteDatabaseDeathTest = DeathTest;
constexpr const char* kVariable = "SWITCHYARD_DATABASE_TEST";

// Each thread writes down what it was answered, in a file of its own.
[[noreturn]] void PutUntilKilled(const std::string& path) {
  const auto database = Open(path + "/t.db", kOne, {.most_in_log = 40});
  std::atomic<int> answered = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::ofstream log(path + "/answered" + std::to_string(t));
      for (int i = 0;; ++i) {
        if (!Put(*database, t * 1'000'000 + i).has_value()) std::_Exit(1);
        log << t * 1'000'000 + i << "\n" << std::flush;
        if (++answered == 400) raise(SIGKILL);
      }
    });
  }
  threads.clear();
  std::abort();
}

TEST_F(SqliteDatabaseDeathTest, WhatWasAnsweredSurvivesKillMinusNine) {
  const SharedPlace shared(kVariable);
  EXPECT_EXIT(PutUntilKilled(shared.path), testing::KilledBySignal(SIGKILL), "");
  const auto database = Open(shared.path + "/t.db");
  int answered = 0;
  EXPECT_TRUE(Do(*database, [&](Transaction& sql) -> Result<void> {
                for (int t = 0; t < 4; ++t) {
                  std::ifstream log(shared.path + "/answered" + std::to_string(t));
                  for (std::int64_t id = 0; log >> id; ++answered) {
                    auto rows = sql.Query("SELECT 1 FROM t WHERE id = $1", {id});
                    EXPECT_EQ(rows->size(), 1U) << id << " was answered and is not there";
                  }
                }
                return {};
              }).has_value());
  EXPECT_GE(answered, 396);
}

[[noreturn]] void FillTheDatabasesDisk(const std::string& file) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto database = Open(file);
  MUST(Put(*database, 1).has_value());
  LimitFiles(1);
  const Result<void> full = Put(*database, 2);
  MUST(!full.has_value());
  MUST(full.error().code == Code::kUnavailable);
  MUST(full.error().message.contains("disk"));
  LimitFiles(0);
  MUST(Put(*database, 3).has_value());
  std::_Exit(0);  // without a goodbye
}

TEST_F(SqliteDatabaseDeathTest, AFullDiskRefusesAndLosesNothing) {
  const SharedPlace shared(kVariable);
  EXPECT_EXIT(FillTheDatabasesDisk(shared.path + "/t.db"), testing::ExitedWithCode(0), "");
  const auto database = Open(shared.path + "/t.db");
  EXPECT_EQ(Count(*database), 2);
}

[[noreturn]] void FillTheDiskAndHear(const std::string& file) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::vector<bool> told;
  const auto database =
      Open(file, kOne, {.on_failing = [&told](bool failing) { told.push_back(failing); }});
  MUST(Put(*database, 1).has_value());
  database->TryAgain();
  MUST(Count(*database) == 1 && told.empty());
  LimitFiles(1);
  MUST(!Put(*database, 2).has_value() && !Put(*database, 2).has_value());
  MUST(told == std::vector<bool>{true});
  database->TryAgain();
  MUST(Count(*database) == 1 && told.size() == 1);  // who only reads is served, and proves nothing
  LimitFiles(0);
  MUST(Count(*database) == 1 && told.size() == 1);
  database->TryAgain();
  MUST(Count(*database) == 1);
  MUST(told == (std::vector<bool>{true, false}));
  std::_Exit(0);
}

TEST_F(SqliteDatabaseDeathTest, AFullDiskIsToldOfOnceAndItsEndThoughNobodyWrites) {
  const SharedPlace shared(kVariable);
  EXPECT_EXIT(FillTheDiskAndHear(shared.path + "/t.db"), testing::ExitedWithCode(0), "");
  const auto database = Open(shared.path + "/t.db");
  EXPECT_EQ(Count(*database), 1);
}

// What is written again and again needs no room but in the log.
[[noreturn]] void FillTheLog(const std::string& file) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto database = Open(file);
  MUST(Put(*database, 1).has_value());
  auto again = [&, word = 0]() mutable {
    ++word;
    return Do(*database, [word](Transaction& sql) {
      return sql.Execute("UPDATE t SET word = $1", {std::to_string(word)});
    });
  };
  for (int i = 0; i < 50; ++i) MUST(again().has_value());
  LimitFiles(std::filesystem::file_size(file + "-wal"));
  MUST(!again().has_value());
  for (int i = 0; i < 20; ++i) MUST(again().has_value());
  std::_Exit(0);
}

TEST_F(SqliteDatabaseDeathTest, OnAFullDiskTheLogBeginsAnewInTheRoomThatItHas) {
  const SharedPlace shared(kVariable);
  EXPECT_EXIT(FillTheLog(shared.path + "/t.db"), testing::ExitedWithCode(0), "");
  const auto database = Open(shared.path + "/t.db");
  EXPECT_EQ(Count(*database), 1);
}

}  // namespace
}  // namespace switchyard::store
