// How large a SQLite database is, and how large it may become. Set() is for any thread, all else
// for the one that has the database.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "store/sqlite.h"

namespace switchyard::store {

class SqliteBound {
 public:
  // `database` outlives it. `bytes`: see Set().
  SqliteBound(sqlite::Database& database, std::int64_t bytes) : database_(database), set_(bytes) {}

  // How many bytes the pages of the database may take, from the next Hold() on; 0: as many as there
  // are. One that is larger already grows no more.
  void Set(std::int64_t bytes) { set_ = bytes; }
  Result<void> Hold();
  Result<void> Lift();  // until Hold()

  // Pages that are in use, in bytes. Of a file: without its log, and without pages that are free.
  Result<std::int64_t> UsedBytes();

 private:
  Result<std::int64_t> PageBytes();
  Result<std::int64_t> Ask(std::optional<sqlite::Statement>& statement, const char* sql);

  sqlite::Database& database_;
  std::atomic<std::int64_t> set_;
  std::int64_t held_ = 0;        // 0: nothing is bounded
  std::int64_t page_bytes_ = 0;  // 0: not asked yet
  std::optional<sqlite::Statement> pages_, free_;
};

}  // namespace switchyard::store
