// A Database in one SQLite file, or in memory: one thread that runs all transactions, many in one
// commit.
//
//   callers -> queue -> the thread takes what waits, up to a group; runs each, and what came
//   meanwhile, until nothing waits; commits once; answers each
//
// One that fails undoes itself alone. That takes savepoints, and each savepoint a copy of all pages
// that are changed in it, for what is seldom: so a group is run without, and where one that changed
// something fails, the group begins anew with them.
//
// While it waits for the disk the next group gathers, so that a busy database pays for the disk
// once a group and an idle one answers at once. The file is in WAL mode and the disk is waited for
// at each commit (synchronous = FULL): what was answered survives kill -9 and a power cut. The log
// is brought into the file beside that (sqlite_checkpoints.h).
//
// Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "core/database.h"
#include "store/sqlite.h"
#include "store/sqlite_bound.h"
#include "store/sqlite_checkpoints.h"
#include "store/sqlite_health.h"
#include "store/sqlite_opening.h"

namespace switchyard::store {

class SqliteDatabase final : public Database {
 public:
  struct Options {
    std::string path = {};              // "" = in memory, gone with this object
    std::size_t most_waiting = 10'000;  // transactions; more are refused
    std::size_t most_in_group = 256;
    int most_in_log = 16'000;     // pages of 4 KiB, about
    std::int64_t most_bytes = 0;  // see Bound()
    // What reads the whole of a file that is there is done on the thread, after Open(): what is
    // submitted waits for that, and where the file is damaged is refused with what to do.
    bool checks_beside = false;
    // Of each commit: how many transactions it had. On the thread; may be empty.
    std::function<void(std::size_t transactions)> on_commit = {};
    // See SqliteHealth: a commit failed, or the file was found to be of no use; or something was
    // written since. On the thread; may be empty.
    std::function<void(bool failing)> on_failing = {};
  };

  // Makes the file if there is none, and brings an older one to the schema's version, after a copy
  // of it as `<path>.v<version>.bak`. Refuses what is damaged, newer, or another program's: the
  // message says what to do. `schema` outlives it.
  static Result<std::unique_ptr<SqliteDatabase>> Open(Options options,
                                                      const DatabaseSchema& schema);
  // For `switchyard check`: the same verdict on a file that is there, without a change to it.
  static Result<void> Inspect(const std::string& path, const DatabaseSchema& schema);
  ~SqliteDatabase() override;  // Close()

  using Database::Submit;
  void Submit(Work work, Done done, Company company) override;
  // How many bytes it may take, without its log and from the next commit on; 0: as many as there
  // are. What is larger by then grows no more. Any thread.
  void Bound(std::int64_t bytes) { bound_.Set(bytes); }
  // Runs what was submitted and ends the thread. What comes later is refused, and so is what waits
  // for the file to be checked.
  void Close();
  // Whether the file is checked, and was found to be whole. Any thread.
  bool ready() const;
  // Where a commit failed: writes without a change, so that the end of it is noticed though nobody
  // has anything to write. About once a second, by any thread.
  void TryAgain();

 private:
  struct Job {
    Work work;
    Done done;
    Company company = Company::kAny;
    Result<void> kept = {};
  };
  class Running;

  SqliteDatabase(sqlite::Database database, Options options);
  void Begin();
  Result<void> Finish(const sqlite::Opening& opening);
  bool GetReady();
  bool Stopping() const;
  void Run();
  void Take(std::deque<Job>& group, const std::deque<Job>& ran);  // with mutex_ held
  bool OthersJoin(std::deque<Job>& group, const std::deque<Job>& ran);
  // Gives back those that did not get their turn.
  std::deque<Job> RunGroup(std::deque<Job> group);
  // `changed`: it may have changed something, and if it failed it did not undo it.
  Result<void> RunOne(Job& job, bool& changed);
  Result<void> Control(std::string_view sql);
  Result<sqlite::Statement*> Prepared(std::string_view sql);
  void TendLog(bool committed);  // after a commit, or one that failed
  static Error Closed();

  // By where a text is: it stays there, and is long.
  struct Place {
    std::size_t operator()(std::string_view text) const {
      return std::hash<const char*>()(text.data());
    }
    bool operator()(std::string_view one, std::string_view other) const {
      return one.data() == other.data() && one.size() == other.size();
    }
  };

  const Options options_;
  sqlite::Database database_;  // this and what follows are the thread's once it runs
  std::unordered_map<std::string_view, sqlite::Statement, Place, Place> statements_;  // by texts
  SqliteBound bound_;
  std::unique_ptr<SqliteCheckpoints> checkpoints_;  // null: in memory; ends first
  bool savepoints_ = false;                         // each of the group has one
  unsigned failed_ = 0;                             // commits, since the last one that did not

  SqliteHealth health_;
  std::atomic<bool> trying_ = false;  // of TryAgain(): one is under way

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::size_t alone_ = 0;  // of those that wait
  std::deque<Job> waiting_;
  bool stop_ = false;
  std::optional<sqlite::Opening> opening_;  // set: it is not over; changed by the thread alone
  std::optional<Error> unusable_;           // why nothing can be had of the file
  std::thread thread_;
};

}  // namespace switchyard::store
