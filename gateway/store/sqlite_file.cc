#include "store/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"

namespace switchyard::store::sqlite {

Result<std::int64_t> Examine(Database& database, FileKind kind) {
  const Result<std::int64_t> application = database.Number("PRAGMA application_id");
  if (!application) return Failure(application.error());
  const Result<std::int64_t> version = database.Number("PRAGMA user_version");
  if (!version) return Failure(version.error());
  const Result<std::int64_t> tables = database.Number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return Failure(tables.error());
  if (*application == 0 && *tables == 0) return 0;
  if (*application != kind.application) {
    return Failure(database.Unusable("is the database of another program"));
  }
  if (*version > kind.newest) {
    return Failure(database.Unusable("was written by a newer switchyard (its version is " +
                                     std::to_string(*version) + ", this one reads " +
                                     std::to_string(kind.newest) + "); start that one"));
  }
  Result<Statement> check = database.Prepare("PRAGMA quick_check(1)");
  if (!check) return Failure(std::move(check.error()));
  const Result<bool> row = check->Step();
  if (!row) return Failure(row.error());
  if (*row && check->Bytes(0) != "ok") {
    return Failure(database.Unusable("is damaged (" + std::string(check->Bytes(0)) + ")"));
  }
  return *version;
}

void MakeForThisUser(const std::string& path) {
  const Fd made(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
}

}  // namespace switchyard::store::sqlite
