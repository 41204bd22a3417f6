// What the tests of the ledger share: a directory, a clock whose two hands are set apart, and the
// store as it is in one process after another.
#pragma once

#include <filesystem>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "store/ledger.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "telemetry/metrics.h"

namespace switchyard::store {

// A directory of its own, gone afterwards.
class Place {
 public:
  Place() {
    std::string name = std::filesystem::temp_directory_path() / "switchyard-store-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  // One that somebody else made and removes.
  explicit Place(std::string path) : path_(std::move(path)), own_(false) {}
  Place(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    if (own_) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string file() const { return path_ + "/ledger.db"; }

 private:
  std::string path_;
  bool own_ = true;
};

// Of one process. A reboot begins a steady clock anew; the wall clock goes on, or is set.
class SetClock final : public Clock {
 public:
  SetClock(Duration steady, Duration wall) : steady_(steady.count()), wall_(wall.count()) {}
  TimePoint Now() const override { return TimePoint(Duration(steady_.load())); }
  std::chrono::system_clock::time_point WallNow() const override {
    return std::chrono::system_clock::time_point(Duration(wall_.load()));
  }
  void Advance(Duration by) {
    steady_ += by.count();
    SetWall(by);
  }
  void SetWall(Duration by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> steady_, wall_;
};

inline constexpr Duration kWall = std::chrono::hours(24 * 365 * 56);  // some day in 2025

// A gateway's store from its start to its end.
struct Process {
  explicit Process(const std::string& file, Duration steady = std::chrono::hours(1),
                   Duration wall = kWall, MemoryStore::Limits limits = {},
                   Ledger::Pace pace = Ledger::Pace{})
      : clock(steady, wall), memory(limits), ledger(memory, clock, pace) {
    opened = ledger.Open(file, metrics);
  }

  Store::Charged Charge(Store::Charge charge) {
    charge.durable = true;
    Eventual<Store::Charged> answer = ledger.Add({&charge, 1}, clock.Now());
    EXPECT_TRUE(answer.here() && answer->has_value());
    return answer->has_value() ? **answer : Store::Charged{};
  }
  std::int64_t Total(Store::Charge charge) {
    charge.amount = 0;
    return Charge(charge).totals[0];
  }

  SetClock clock;
  telemetry::Metrics metrics;
  MemoryStore memory;
  Ledger ledger;
  Result<void> opened;
};

inline std::int64_t RowsIn(const std::string& file) {
  Result<sqlite::Database> database = sqlite::Database::Open(file, {});
  EXPECT_TRUE(database.has_value());
  return database->Number("SELECT count(*) FROM counter").value_or(-1);
}

}  // namespace switchyard::store
