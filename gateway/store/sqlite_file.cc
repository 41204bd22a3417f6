#include "store/sqlite_file.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/fd.h"

namespace switchyard::store::sqlite {
namespace {

// What stands there by now is on the disk.
Result<void> Sync(const std::string& path, int flags) {
  const Fd file(open(path.c_str(), flags | O_CLOEXEC));
  if (file.valid() && fsync(file.get()) == 0) return {};
  return Failure(
      Code::kUnavailable, Origin::kGateway,
      path + ": cannot be brought to the disk: " + std::generic_category().message(errno));
}

}  // namespace

Result<std::int64_t> Identify(Database& database, FileKind kind) {
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
  return *version;
}

Result<void> CheckPages(Database& database, FileKind kind) {
  Result<Statement> check =
      database.Prepare(kind.indexes ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
  if (!check) return Failure(std::move(check.error()));
  const Result<bool> row = check->Step();
  if (!row) return Failure(row.error());
  if (*row && check->Bytes(0) != "ok") {
    return Failure(database.Unusable("is damaged (" + std::string(check->Bytes(0)) + ")"));
  }
  return {};
}

Result<std::int64_t> Examine(Database& database, FileKind kind) {
  Result<std::int64_t> version = Identify(database, kind);
  if (!version || *version == 0) return version;
  if (Result<void> whole = CheckPages(database, kind); !whole) {
    return Failure(std::move(whole.error()));
  }
  return version;
}

void MakeForThisUser(const std::string& path) {
  const Fd made(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
}

Result<void> BackUp(Database& database, const std::string& path, std::int64_t version) {
  const std::string copy = path + ".v" + std::to_string(version) + ".bak";
  const std::string half = copy + ".part";
  std::error_code error;
  std::filesystem::remove(half, error);
  MakeForThisUser(half);
  Result<Statement> vacuum = database.Prepare("VACUUM INTO ?");
  if (!vacuum) return Failure(std::move(vacuum.error()));
  vacuum->BindText(1, half);
  if (Result<void> made = vacuum->Run(); !made) {
    return Failure(std::move(made.error()).In("copy before it is changed"));
  }
  if (Result<void> kept = Sync(half, O_RDONLY); !kept) return kept;  // SQLite does not wait
  std::filesystem::rename(half, copy, error);
  if (error) {
    return Failure(Code::kUnavailable, Origin::kGateway,
                   copy + ": cannot be made: " + error.message());
  }
  const std::string directory = std::filesystem::path(copy).parent_path();
  if (Result<void> kept = Sync(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
      !kept) {
    return kept;
  }
  spdlog::warn("{}: is of version {} and is changed now; a copy of it is {}", path, version, copy);
  return {};
}

}  // namespace switchyard::store::sqlite
