// How the file of a SqliteDatabase is opened, in two parts: what can be told at once, and what
// reads the whole of it and may take seconds a gigabyte.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "core/database.h"
#include "store/sqlite.h"
#include "store/sqlite_file.h"

namespace switchyard::store::sqlite {

// How long a commit waits for a program that reads the file in the middle of a transaction.
inline constexpr Duration kPatience = std::chrono::milliseconds(500);

FileKind KindOf(const DatabaseSchema& schema);

// What is known of a file that is open and not looked through yet.
struct Opening {
  std::string path = {};  // "" = in memory
  DatabaseSchema schema = {};
  FileKind kind = {};
  std::int64_t version = 0;  // 0 = it is empty
};
struct Opened {
  Database database;
  Opening opening = {};
};

// Makes the file if there is none. Refuses at once what is no database, another program's, newer
// than the schema, or may not be written.
Result<Opened> OpenFile(const std::string& path, const DatabaseSchema& schema);
// Refuses what is damaged; then it is set up, and brought to the schema's version. Says in the log
// what takes long, and how long it took.
Result<void> FinishOpening(Database& database, const Opening& opening);

}  // namespace switchyard::store::sqlite
