// The file of the ledger: one row a counter, its times by the wall clock, so that they mean the
// same to the next process. SQLite in WAL mode: whole transactions survive kill -9; a power cut
// costs those that the kernel had not written yet. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"
#include "store/window.h"

namespace switchyard::store {

class LedgerFile {
 public:
  static constexpr std::int64_t kVersion = 1;  // of its tables, PRAGMA user_version

  // A counter with `begin` by the wall clock: nanoseconds since 1970 as its time since epoch.
  struct Row {
    std::string key;
    std::optional<Window::State> state;  // absent: the row goes
  };

  // Makes the file if there is none. Refuses what is damaged, newer, or another program's.
  static Result<LedgerFile> Open(const std::string& path);
  // For `switchyard check`: the same verdict on a file that is there, without a change to it.
  static Result<void> Inspect(const std::string& path);

  using WallTime = TimePoint;  // nanoseconds since 1970
  // Every row that may still count at this time.
  Result<void> Load(WallTime now, const std::function<void(Row)>& each);
  // Rows that are over by their times, at most so many.
  Result<std::vector<std::string>> Expired(WallTime now, std::int64_t limit);
  // All of them or none.
  Result<void> Save(std::span<const Row> rows);

 private:
  explicit LedgerFile(sqlite::Database database);
  Result<void> Prepare();

  sqlite::Database database_;
  std::optional<sqlite::Statement> put_, erase_, expired_;
};

}  // namespace switchyard::store
