#include "store/sqlite_bound.h"

#include <algorithm>
#include <utility>

namespace switchyard::store {

Result<void> SqliteBound::Hold() {
  const std::int64_t bytes = set_;
  if (bytes == held_) return {};
  Result<std::int64_t> page = PageBytes();
  if (!page) return Failure(std::move(page.error()));
  Result<void> limited =
      database_.LimitPages(bytes == 0 ? 0 : std::max<std::int64_t>(bytes / *page, 1));
  if (limited) held_ = bytes;
  return limited;
}

Result<void> SqliteBound::Lift() {
  if (held_ == 0) return {};
  Result<void> lifted = database_.LimitPages(0);
  if (lifted) held_ = 0;
  return lifted;
}

Result<std::int64_t> SqliteBound::UsedBytes() {
  Result<std::int64_t> page = PageBytes();
  if (!page) return page;
  const Result<std::int64_t> pages = Ask(pages_, "PRAGMA page_count");
  if (!pages) return pages;
  const Result<std::int64_t> free = Ask(free_, "PRAGMA freelist_count");
  if (!free) return free;
  return (*pages - *free) * *page;
}

Result<std::int64_t> SqliteBound::PageBytes() {
  if (page_bytes_ != 0) return page_bytes_;
  Result<std::int64_t> bytes = database_.Number("PRAGMA page_size");
  if (bytes) page_bytes_ = *bytes;
  return bytes;
}

Result<std::int64_t> SqliteBound::Ask(std::optional<sqlite::Statement>& statement,
                                      const char* sql) {
  if (!statement) {
    Result<sqlite::Statement> made = database_.Prepare(sql);
    if (!made) return Failure(std::move(made.error()));
    statement.emplace(std::move(*made));
  }
  const Result<bool> row = statement->Step();
  if (!row) return Failure(row.error());
  const std::int64_t number = *row ? statement->Integer(0) : 0;
  statement->Reset();
  return number;
}

}  // namespace switchyard::store
