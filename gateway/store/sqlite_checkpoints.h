// Brings the write-ahead log of a SQLite file into the file, beside the commits: on a thread and a
// connection of its own, so that they do not wait for the pages that are copied and for the disk.
//
//   commits -> the log grows by a quarter of `most` -> a pass: all that is in the log by now is
//   copied, and brought to the disk -> ... -> at `most` pages: a pass, and what came meanwhile,
//   which is little, is copied by who commits: the log begins anew only where all is in the file
//
// A log that nobody adds to during a pass begins anew by itself.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "store/sqlite.h"

namespace switchyard::store {

class SqliteCheckpoints {
 public:
  // The file is there and in WAL mode. `most`: pages that the log is to have, about.
  static Result<std::unique_ptr<SqliteCheckpoints>> Open(const std::string& path, int most);
  ~SqliteCheckpoints();

  // After a commit, on the thread of who commits: so many pages are in the log now. True: the rest
  // is the caller's, by Database::Checkpoint().
  bool Note(int pages);

 private:
  SqliteCheckpoints(sqlite::Database database, int most);
  void Run();

  const int most_;

  // Of who commits.
  int noted_ = 0;  // pages at the last pass
  bool last_ = false;

  sqlite::Database database_;  // the thread's
  std::atomic<bool> passing_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace switchyard::store
