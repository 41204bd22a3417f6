#include "store/sqlite_opening.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

namespace switchyard::store::sqlite {
namespace {

// A check of less is over before anybody asks.
constexpr std::uintmax_t kSaid = std::uintmax_t{32} << 20;

// SQLite keeps integers of 64 bits under one name only, and a key of that type is the row's own.
std::string InWordsOfSqlite(std::string_view sql) {
  constexpr std::string_view kTheirs = "BIGINT";
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    const std::size_t next = std::min(sql.find(kTheirs, at), sql.size());
    out.append(sql.substr(at, next - at));
    if (next == sql.size()) break;
    out.append("INTEGER");
    at = next + kTheirs.size();
  }
  return out;
}

Result<void> Migrate(Database& database, const DatabaseSchema& schema, std::int64_t version) {
  Result<Transaction> transaction = Transaction::Begin(database);
  if (!transaction) return Failure(std::move(transaction.error()));
  for (std::size_t i = static_cast<std::size_t>(version); i < schema.steps.size(); ++i) {
    if (Result<void> made = database.Execute(InWordsOfSqlite(schema.steps[i])); !made) {
      return Failure(std::move(made.error()).In("step to version " + std::to_string(i + 1)));
    }
  }
  Result<void> marked =
      database.Execute("PRAGMA application_id = " + std::to_string(schema.application) +
                       "; PRAGMA user_version = " + std::to_string(schema.version()));
  if (!marked) return marked;
  return transaction->Commit();
}

// SQLite says which mode it took, and nothing where it could not.
Result<void> TakeWal(Database& database, bool in_memory) {
  Result<Statement> set = database.Prepare("PRAGMA journal_mode = WAL");
  if (!set) return Failure(std::move(set.error()));
  const Result<bool> row = set->Step();
  if (!row) return Failure(row.error());
  const std::string mode = *row ? std::string(set->Bytes(0)) : "none";
  if (in_memory || mode == "wal") return {};
  return Failure(
      database.Unusable("is on a file system that cannot have a write-ahead log (SQLite "
                        "took journal mode " +
                        mode + ")"));
}

Result<void> SetUp(Database& database, bool in_memory) {
  if (Result<void> wal = TakeWal(database, in_memory); !wal) return wal;
  for (const char* setting :
       {"PRAGMA synchronous = FULL", "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -65536",
        "PRAGMA journal_size_limit = 67108864"}) {
    if (Result<void> set = database.Execute(setting); !set) return set;
  }
  return {};
}

// Whoever waits for it sees that it goes on, and what it waits for.
Result<void> CheckAloud(Database& database, const Opening& opening) {
  std::error_code ignored;
  const std::uintmax_t bytes = std::filesystem::file_size(opening.path, ignored);
  const bool said = bytes >= kSaid;
  if (said) spdlog::info("{}: {} MiB are checked", opening.path, bytes >> 20U);
  const auto begun = std::chrono::steady_clock::now();
  if (Result<void> whole = CheckPages(database, opening.kind); !whole) return whole;
  if (said) {
    const auto took = std::chrono::steady_clock::now() - begun;
    spdlog::info("{}: was checked in {} ms, and is whole", opening.path,
                 std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  }
  return {};
}

}  // namespace

FileKind KindOf(const DatabaseSchema& schema) {
  // Who looks a record up goes by an index alone: an entry that is lost hides it for ever.
  return {.application = schema.application, .newest = schema.version(), .indexes = true};
}

Result<Opened> OpenFile(const std::string& path, const DatabaseSchema& schema) {
  Opening opening{.path = path, .schema = schema, .kind = KindOf(schema)};
  if (!path.empty()) MakeForThisUser(path);
  Result<Database> database = Database::Open(path.empty() ? ":memory:" : path,
                                             {.patience = kPatience, .gathers = !path.empty()});
  if (!database) return Failure(std::move(database.error()));
  database->LeaveLog(true);  // what is refused is left as it was found
  const Result<std::int64_t> version = Identify(*database, opening.kind);
  if (!version) return Failure(version.error());
  opening.version = *version;
  return Opened{.database = std::move(*database), .opening = std::move(opening)};
}

Result<void> FinishOpening(Database& database, const Opening& opening) {
  const bool in_memory = opening.path.empty();
  Result<void> done = {};
  if (opening.version > 0) done = CheckAloud(database, opening);
  if (!done) return done;
  database.LeaveLog(false);
  done = SetUp(database, in_memory);
  if (done && opening.version < opening.schema.version()) {
    if (opening.version > 0 && !in_memory) done = BackUp(database, opening.path, opening.version);
    if (done) done = Migrate(database, opening.schema, opening.version);
  }
  if (!done) return done;
  // Nothing is in the log before its commit, so a statement that is undone leaves no hole in it,
  // and nothing of what was undone waits to be written where others may have written since.
  return database.Execute("PRAGMA cache_spill = OFF");
}

}  // namespace switchyard::store::sqlite
