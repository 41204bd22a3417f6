#include "store/sqlite_checkpoints.h"

#include <pthread.h>
#include <utility>

#include <spdlog/spdlog.h>

namespace switchyard::store {

Result<std::unique_ptr<SqliteCheckpoints>> SqliteCheckpoints::Open(const std::string& path,
                                                                   int most) {
  Result<sqlite::Database> database = sqlite::Database::Open(path, {});
  if (!database) return Failure(std::move(database.error()));
  // Has it find the log, which it looks for when it first reads.
  if (Result<std::int64_t> read = database->Number("PRAGMA schema_version"); !read) {
    return Failure(std::move(read.error()));
  }
  return std::unique_ptr<SqliteCheckpoints>(new SqliteCheckpoints(std::move(*database), most));
}

SqliteCheckpoints::SqliteCheckpoints(sqlite::Database database, int most)
    : most_(most), database_(std::move(database)) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "checkpoints");
    Run();
  });
}

SqliteCheckpoints::~SqliteCheckpoints() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

bool SqliteCheckpoints::Note(int pages) {
  if (pages < noted_) noted_ = 0;  // the log began anew
  if (passing_) return false;
  if (std::exchange(last_, false)) return pages >= most_;
  if (pages - noted_ < most_ / 4) return false;
  noted_ = pages;
  last_ = pages >= most_;
  const std::lock_guard lock(mutex_);
  passing_ = true;
  wake_.notify_one();
  return false;
}

void SqliteCheckpoints::Run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || passing_; });
      if (stop_) return;
    }
    Result<void> passed = database_.Checkpoint();
    // SQLite does so only when it is through, and then all that was copied before costs at once.
    if (passed) passed = database_.Sync();
    if (!passed) {
      spdlog::warn("{}; its log grows until that is mended: {}", passed.error().message,
                   passed.error().detail);
    }
    passing_ = false;
  }
}

}  // namespace switchyard::store
