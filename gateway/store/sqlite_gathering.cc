#include "store/sqlite_gathering.h"

#include <cstddef>
#include <memory>
#include <new>
#include <sqlite3.h>
#include <string>

namespace switchyard::store::sqlite {
namespace {

// Bytes of a log that wait; the usual VFS writes no more of them at once.
constexpr std::size_t kMost = (std::size_t{128} << 10) - 1;

sqlite3_vfs& Usual() {
  static sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
  return *usual;
}

// In memory that SQLite gives, with the usual file right behind it.
struct Log : sqlite3_file {
  std::string waits = {};  // what follows from `at` on, and is not written
  sqlite3_int64 at = 0;

  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(this + 1); }  // NOLINT
  const sqlite3_io_methods& methods() { return *file()->pMethods; }

  bool Follows(int size, sqlite3_int64 offset) const {
    return offset == at + static_cast<sqlite3_int64>(waits.size()) &&
           waits.size() + static_cast<std::size_t>(size) <= kMost;
  }
  int Flush() {
    if (waits.empty()) return SQLITE_OK;
    const int code = methods().xWrite(file(), waits.data(), static_cast<int>(waits.size()), at);
    waits.clear();
    return code;
  }
};

Log& LogOf(sqlite3_file* file) { return *static_cast<Log*>(file); }

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  Log& log = LogOf(file);
  if (!log.Follows(size, offset)) {
    if (const int code = log.Flush(); code != SQLITE_OK) return code;
    log.at = offset;
  }
  log.waits.append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int Close(sqlite3_file* file) {
  Log& log = LogOf(file);
  const int written = log.Flush();
  const int closed = log.methods().xClose(log.file());
  std::destroy_at(&log);
  return written == SQLITE_OK ? closed : written;
}

// What the usual file does, by one of its methods.
template <auto kMethod, class... Given>
int Pass(sqlite3_file* file, Given... given) {
  Log& log = LogOf(file);
  return (log.methods().*kMethod)(log.file(), given...);
}

// The same, where it matters what was written.
template <auto kMethod, class... Given>
int FlushAndPass(sqlite3_file* file, Given... given) {
  const int code = LogOf(file).Flush();
  return code == SQLITE_OK ? Pass<kMethod>(file, given...) : code;
}

using Methods = sqlite3_io_methods;
constexpr Methods kMethods{.iVersion = 1,
                           .xClose = &Close,
                           .xRead = &FlushAndPass<&Methods::xRead>,
                           .xWrite = &Write,
                           .xTruncate = &FlushAndPass<&Methods::xTruncate>,
                           .xSync = &FlushAndPass<&Methods::xSync>,
                           .xFileSize = &FlushAndPass<&Methods::xFileSize>,
                           .xLock = &Pass<&Methods::xLock>,
                           .xUnlock = &Pass<&Methods::xUnlock>,
                           .xCheckReservedLock = &Pass<&Methods::xCheckReservedLock>,
                           .xFileControl = &Pass<&Methods::xFileControl>,
                           .xSectorSize = &Pass<&Methods::xSectorSize>,
                           .xDeviceCharacteristics = &Pass<&Methods::xDeviceCharacteristics>,
                           // Not of this version, and asked of the database's file alone.
                           .xShmMap = nullptr,
                           .xShmLock = nullptr,
                           .xShmBarrier = nullptr,
                           .xShmUnmap = nullptr,
                           .xFetch = nullptr,
                           .xUnfetch = nullptr};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* opened) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return Usual().xOpen(&Usual(), name, file, flags, opened);
  Log* const log = new (static_cast<void*>(file)) Log;
  log->pMethods = nullptr;
  log->file()->pMethods = nullptr;
  int code = SQLITE_NOMEM;
  try {
    log->waits.reserve(kMost);  // nothing is allocated later
    code = Usual().xOpen(&Usual(), name, log->file(), flags, opened);
  } catch (const std::bad_alloc&) {
  }
  if (code == SQLITE_OK) {
    log->pMethods = &kMethods;
  } else {
    std::destroy_at(log);
  }
  return code;
}

}  // namespace

const char* GatheringVfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs made = Usual();
    made.zName = "gathering";
    made.szOsFile += static_cast<int>(sizeof(Log));
    made.xOpen = &Open;
    return made;
  }();
  static const int kRegistered = sqlite3_vfs_register(&vfs, 0);
  return kRegistered == SQLITE_OK ? vfs.zName : nullptr;  // null: the usual one
}

}  // namespace switchyard::store::sqlite
