// What the tests of the SQLite database share: a schema of one table, and what is done with it.
#pragma once

#include <array>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "store/sqlite_database.h"
#include "unit/store/ledger_support.h"

namespace switchyard::store {

using Transaction = Database::Transaction;

inline constexpr std::string_view kFirst = "CREATE TABLE t (id BIGINT PRIMARY KEY, word TEXT)";
inline constexpr std::array kOne = {kFirst};
inline constexpr std::int64_t kApplication = 77;

inline DatabaseSchema Of(std::span<const std::string_view> steps) {
  return {.name = "test", .application = kApplication, .steps = steps};
}

inline std::unique_ptr<SqliteDatabase> Open(const std::string& path,
                                            std::span<const std::string_view> steps = kOne,
                                            SqliteDatabase::Options options = {}) {
  options.path = path;
  auto opened = SqliteDatabase::Open(std::move(options), Of(steps));
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}

inline Result<void> Do(SqliteDatabase& database, Database::Work work) {
  std::promise<Result<void>> over;
  database.Submit(std::move(work), [&](Result<void> kept) { over.set_value(std::move(kept)); });
  return over.get_future().get();
}

inline Result<void> Put(SqliteDatabase& database, std::int64_t id, std::string word = "w") {
  return Do(database, [=](Transaction& sql) {
    return sql.Execute("INSERT INTO t (id, word) VALUES ($1, $2)", {id, word});
  });
}

inline std::int64_t Count(SqliteDatabase& database) {
  std::int64_t count = -1;
  EXPECT_TRUE(Do(database, [&](Transaction& sql) -> Result<void> {
                auto rows = sql.Query("SELECT count(*) FROM t");
                if (!rows) return Failure(rows.error());
                count = rows->front().Number(0);
                return {};
              }).has_value());
  return count;
}

}  // namespace switchyard::store
