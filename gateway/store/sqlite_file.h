// What every SQLite file of ours is asked before it is used, and how it is made.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/sqlite.h"

namespace switchyard::store::sqlite {

// How long a write of the small files waits for a program that reads them in the middle of a
// transaction.
inline constexpr Duration kSmallFilePatience = std::chrono::milliseconds(250);

struct FileKind {
  std::int64_t application = 0;  // PRAGMA application_id
  std::int64_t newest = 0;       // version that this program reads, PRAGMA user_version
  bool indexes = false;          // compare them with their rows, too: that takes twice the time
};

// Whether it is ours, or empty: told at once. Gives its version; 0 = empty.
Result<std::int64_t> Identify(Database& database, FileKind kind);
// Whether it is whole: reads all of it, which takes as long as it is large.
Result<void> CheckPages(Database& database, FileKind kind);
// Both.
Result<std::int64_t> Examine(Database& database, FileKind kind);

// As are then the files that SQLite makes beside it, whatever the umask is. A file that is there
// keeps its mode, and is not opened: to close it again would take away the locks that this process
// has on it. What fails is told when the database is opened.
void MakeForThisUser(const std::string& path);

// A copy of the file before it is changed, as `<path>.v<version>.bak`: a whole one, or none, for
// under its name stands nothing that was cut off, not even by a power cut.
Result<void> BackUp(Database& database, const std::string& path, std::int64_t version);

}  // namespace switchyard::store::sqlite
