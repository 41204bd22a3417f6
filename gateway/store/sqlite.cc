#include "store/sqlite.h"

#include <algorithm>
#include <sqlite3.h>
#include <utility>

#include "store/sqlite_gathering.h"

namespace switchyard::store::sqlite {
namespace {

// What to do about it; "" = nobody knows.
std::string_view FixFor(int code) {
  switch (code & 0xff) {  // the primary code
    case SQLITE_FULL: return "make room on its disk";
    case SQLITE_IOERR: return "look whether its disk is full or failing";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH: return "let this user write to it and to its directory";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "end the program that holds it";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "put a copy of it back, or move it away to begin without it";
    default: return "";
  }
}

}  // namespace

struct Database::Handle {
  std::string path;
  sqlite3* sqlite = nullptr;
  int pages_in_log = 0;
  std::uint64_t commits_in_log = 0;
  bool bounded = false;

  Error ErrorOf(int code) const {
    Error error{.code = Code::kUnavailable, .message = path + ": " + sqlite3_errstr(code)};
    if (const std::string_view fix = FixFor(code); !fix.empty()) {
      error.message.append("; ").append(fix);
    }
    error.detail = "sqlite " + std::to_string(code) + ": " + sqlite3_errmsg(sqlite);
    return error;
  }

  // The same of a statement. What changes something touches no disk before the commit, so where
  // there is no room for it that is for the bound. A COMMIT is told to be one that only reads.
  Error ErrorOf(int code, sqlite3_stmt* statement) const {
    Error error = ErrorOf(code);
    if (!bounded || (code & 0xff) != SQLITE_FULL || sqlite3_stmt_readonly(statement) != 0) {
      return error;
    }
    error.code = Code::kTooLarge;
    error.message = path + ": is as large as it may be";
    return error;
  }
};

void Database::Close::operator()(Handle* handle) const {
  sqlite3_close_v2(handle->sqlite);
  delete handle;
}
void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Database> Database::Open(const std::string& path, Options options) {
  // Its statistics of memory, which nobody reads, take a lock for each allocation. Refused once
  // SQLite is in use, and then it is no matter.
  static const int kWithoutStatistics = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(kWithoutStatistics);
  Database database;
  database.handle_.reset(new Handle{.path = path});
  Handle& handle = *database.handle_;
  // No mutexes: one thread at a time.
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(path.c_str(), &handle.sqlite, flags,
                                   options.gathers ? GatheringVfs() : nullptr);
  if (code != SQLITE_OK) return Failure(handle.ErrorOf(code));
  // What may only be read is opened all the same: better told now than at the first write.
  if (!options.read_only && sqlite3_db_readonly(handle.sqlite, "main") == 1) {
    return Failure(handle.ErrorOf(SQLITE_READONLY));
  }
  const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(options.patience);
  sqlite3_busy_timeout(handle.sqlite, static_cast<int>(patience.count()));
  return database;
}

bool Database::Moved() const {
  int moved = 0;
  const int code = sqlite3_file_control(handle_->sqlite, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

bool Database::InTransaction() const { return sqlite3_get_autocommit(handle_->sqlite) == 0; }

void Database::LeaveLog(bool leave) {
  sqlite3_db_config(handle_->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave ? 1 : 0, nullptr);
}

void Database::Interrupt() { sqlite3_interrupt(handle_->sqlite); }

void Database::KeepLog() {
  sqlite3_wal_hook(
      handle_->sqlite,
      [](void* of, sqlite3*, const char*, int pages) {
        auto* const handle = static_cast<Handle*>(of);
        handle->pages_in_log = pages;
        ++handle->commits_in_log;
        return SQLITE_OK;
      },
      handle_.get());
}

int Database::pages_in_log() const { return handle_->pages_in_log; }

std::uint64_t Database::commits_in_log() const { return handle_->commits_in_log; }

Result<void> Database::Checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(handle_->sqlite, "main", SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return {};
  return Failure(handle_->ErrorOf(code));
}

Result<void> Database::Sync() {
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(handle_->sqlite, "main", SQLITE_FCNTL_FILE_POINTER,
                                  static_cast<void*>(&file));
  if (code == SQLITE_OK) code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return Failure(handle_->ErrorOf(code));
  return {};
}

Result<void> Database::LimitPages(std::int64_t most) {
  constexpr std::int64_t kMostOfSqlite = 0xfffffffe;
  const std::int64_t pages = most == 0 ? kMostOfSqlite : std::min(most, kMostOfSqlite);
  handle_->bounded = true;
  return Execute("PRAGMA max_page_count = " + std::to_string(pages));
}

Error Database::Unusable(std::string_view why) const {
  return {.code = Code::kUnavailable,
          .message =
              handle_->path + ": " + std::string(why) + "; " + std::string(FixFor(SQLITE_NOTADB))};
}

Error Database::Gone() const {
  return {.code = Code::kUnavailable,
          .message = handle_->path +
                     ": was moved or removed; put it back, or start the gateway anew "
                     "to begin without it"};
}

Result<void> Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_->sqlite, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failure(handle_->ErrorOf(code));
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) {
  Statement statement(*handle_);
  sqlite3_stmt* handle = nullptr;
  // One that stays takes none of the connection's memory for what is short-lived.
  const int code = sqlite3_prepare_v3(handle_->sqlite, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return Failure(handle_->ErrorOf(code));
  statement.handle_.reset(handle);
  return statement;
}

Result<std::int64_t> Database::Number(std::string_view sql) {
  Result<Statement> statement = Prepare(sql);
  if (!statement) return Failure(std::move(statement.error()));
  const Result<bool> row = statement->Step();
  if (!row) return Failure(row.error());
  return *row ? statement->Integer(0) : 0;
}

Statement& Statement::Bind(int parameter, std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_.get(), parameter, value);
  if (bound_ == SQLITE_OK) bound_ = code;
  return *this;
}

Statement& Statement::Bind(int parameter, std::string_view bytes) {
  const int code =
      sqlite3_bind_blob64(handle_.get(), parameter, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  if (bound_ == SQLITE_OK) bound_ = code;
  return *this;
}

Statement& Statement::BindText(int parameter, std::string_view text) {
  const int code = sqlite3_bind_text64(handle_.get(), parameter, text.data(), text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (bound_ == SQLITE_OK) bound_ = code;
  return *this;
}

Statement& Statement::Lend(int parameter, std::string_view text) {
  const int code = sqlite3_bind_text64(handle_.get(), parameter, text.data(), text.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  if (bound_ == SQLITE_OK) bound_ = code;
  return *this;
}

Statement& Statement::BindNull(int parameter) {
  const int code = sqlite3_bind_null(handle_.get(), parameter);
  if (bound_ == SQLITE_OK) bound_ = code;
  return *this;
}

Result<bool> Statement::Step() {
  const int code = bound_ != SQLITE_OK ? bound_ : sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    Error error = database_->ErrorOf(code, handle_.get());
    Reset();
    return Failure(std::move(error));
  }
  Reset();
  return false;
}

Result<void> Statement::Run() {
  for (;;) {
    const Result<bool> row = Step();
    if (!row) return Failure(row.error());
    if (!*row) return {};
  }
}

void Statement::Reset() {
  sqlite3_reset(handle_.get());
  bound_ = SQLITE_OK;
}

std::string_view Statement::sql() const { return sqlite3_sql(handle_.get()); }

bool Statement::changes() const { return sqlite3_stmt_readonly(handle_.get()) == 0; }

int Statement::columns() const { return sqlite3_column_count(handle_.get()); }

Statement::Type Statement::TypeOf(int column) const {
  switch (sqlite3_column_type(handle_.get(), column)) {
    case SQLITE_NULL: return Type::kNull;
    case SQLITE_INTEGER: return Type::kInteger;
    default: return Type::kOther;
  }
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::Bytes(int column) const {
  // The pointer first: asking for it may change the length.
  const void* data = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Result<Transaction> Transaction::Begin(Database& database) {
  if (Result<void> begun = database.Execute("BEGIN IMMEDIATE"); !begun) {
    return Failure(std::move(begun.error()));
  }
  return Transaction(database);
}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself; then this fails, and nothing is open either way.
  if (database_ != nullptr) static_cast<void>(database_->Execute("ROLLBACK"));
}

Result<void> Transaction::Commit() {
  if (Result<void> committed = database_->Execute("COMMIT"); !committed) return committed;
  database_ = nullptr;
  return {};
}

}  // namespace switchyard::store::sqlite
