#include "store/sqlite_database.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <exception>
#include <iterator>
#include <pthread.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/together.h"
#include "store/sqlite_file.h"

namespace switchyard::store {
namespace {

using sqlite::Statement;

// How long a commit waits for a program that reads the file in the middle of a transaction.
constexpr Duration kPatience = std::chrono::milliseconds(500);

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

sqlite::FileKind KindOf(const DatabaseSchema& schema) {
  return {.application = schema.application, .newest = schema.version()};
}

Result<void> Migrate(sqlite::Database& database, const DatabaseSchema& schema,
                     std::int64_t version) {
  Result<sqlite::Transaction> transaction = sqlite::Transaction::Begin(database);
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
Result<void> TakeWal(sqlite::Database& database, bool in_memory) {
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

Result<void> SetUp(sqlite::Database& database, bool in_memory) {
  if (Result<void> wal = TakeWal(database, in_memory); !wal) return wal;
  for (const char* setting :
       {"PRAGMA synchronous = FULL", "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -65536",
        "PRAGMA journal_size_limit = 67108864"}) {
    if (Result<void> set = database.Execute(setting); !set) return set;
  }
  return {};
}

Error OutOf(Error why, std::string_view what) {
  Error error = std::move(why).In(what);
  error.retryable = false;  // whether it is on the disk nobody knows
  return error;
}

// What the engine refused is not there for sure: it can be tried again.
Error Undone(Error error) {
  if (error.code == Code::kUnavailable) error.retryable = true;
  return error;
}

}  // namespace

// What a work sees: statements over the one connection.
class SqliteDatabase::Running final : public Transaction {
 public:
  explicit Running(SqliteDatabase& owner) : owner_(owner) {}

  Result<Rows> Query(std::string_view sql, std::span<const Parameter> parameters) override {
    Result<Statement*> prepared = owner_.Prepared(sql);
    if (!prepared) return Failure(std::move(prepared.error()));
    Statement& statement = **prepared;
    changed_ = changed_ || statement.changes();
    Bind(statement, parameters);
    Rows rows;
    for (;;) {
      Result<bool> row = statement.Step();
      if (!row) return Failure(std::move(row.error()));
      if (!*row) return rows;
      rows.push_back(Read(statement));
    }
  }

  bool changed() const { return changed_; }

 private:
  static void Bind(Statement& statement, std::span<const Parameter> parameters) {
    int place = 0;
    for (const Parameter& parameter : parameters) {
      ++place;
      if (const auto* number = std::get_if<std::int64_t>(&parameter.value())) {
        statement.Bind(place, *number);
      } else if (const auto* text = std::get_if<std::string_view>(&parameter.value())) {
        statement.Lend(place, *text);
      } else {
        statement.BindNull(place);
      }
    }
  }

  static Row Read(const Statement& statement) {
    std::vector<Row::Value> values(static_cast<std::size_t>(statement.columns()));
    for (int column = 0; column < statement.columns(); ++column) {
      Row::Value& value = values[static_cast<std::size_t>(column)];
      switch (statement.TypeOf(column)) {
        case Statement::Type::kNull: break;
        case Statement::Type::kInteger: value = statement.Integer(column); break;
        case Statement::Type::kOther: value = std::string(statement.Bytes(column)); break;
      }
    }
    return Row(std::move(values));
  }

  SqliteDatabase& owner_;
  bool changed_ = false;
};

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(Options options,
                                                             const DatabaseSchema& schema) {
  const bool in_memory = options.path.empty();
  sqlite::FileKind kind = KindOf(schema);
  if (!in_memory) {
    kind.indexes = sqlite::WasCutOff(options.path);
    if (kind.indexes) {
      spdlog::info("{}: was not closed the last time; all of it is checked", options.path);
    }
    sqlite::MakeForThisUser(options.path);
  }
  Result<sqlite::Database> database = sqlite::Database::Open(
      in_memory ? ":memory:" : options.path, {.patience = kPatience, .gathers = !in_memory});
  if (!database) return Failure(std::move(database.error()));
  // Or whoever starts again after a refusal would find the file closed.
  if (kind.indexes) database->LeaveLog(true);
  const Result<std::int64_t> version = sqlite::Examine(*database, kind);
  if (!version) return Failure(version.error());
  database->LeaveLog(false);
  if (Result<void> set = SetUp(*database, in_memory); !set) return Failure(std::move(set.error()));
  if (*version < schema.version()) {
    Result<void> done = {};
    if (*version > 0 && !in_memory) done = sqlite::BackUp(*database, options.path, *version);
    if (done) done = Migrate(*database, schema, *version);
    if (!done) return Failure(std::move(done.error()));
  }
  // Nothing is in the log before its commit, so a statement that is undone leaves no hole in it,
  // and nothing of what was undone waits to be written where others may have written since.
  if (Result<void> set = database->Execute("PRAGMA cache_spill = OFF"); !set) {
    return Failure(std::move(set.error()));
  }
  std::unique_ptr<SqliteCheckpoints> checkpoints;
  if (!in_memory) {
    Result<std::unique_ptr<SqliteCheckpoints>> opened =
        SqliteCheckpoints::Open(options.path, options.most_in_log);
    if (!opened) return Failure(std::move(opened.error()));
    checkpoints = std::move(*opened);
    database->KeepLog();
  }
  return std::unique_ptr<SqliteDatabase>(
      new SqliteDatabase(std::move(*database), std::move(checkpoints), std::move(options)));
}

Result<void> SqliteDatabase::Inspect(const std::string& path, const DatabaseSchema& schema) {
  sqlite::FileKind kind = KindOf(schema);
  kind.indexes = sqlite::WasCutOff(path);
  Result<sqlite::Database> database =
      sqlite::Database::Open(path, {.read_only = true, .patience = kPatience});
  if (!database) return Failure(std::move(database.error()));
  const Result<std::int64_t> version = sqlite::Examine(*database, kind);
  if (!version) return Failure(version.error());
  return {};
}

SqliteDatabase::SqliteDatabase(sqlite::Database database,
                               std::unique_ptr<SqliteCheckpoints> checkpoints, Options options)
    : options_(std::move(options)),
      database_(std::move(database)),
      checkpoints_(std::move(checkpoints)) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "database");
    Run();
  });
}

SqliteDatabase::~SqliteDatabase() { Close(); }

Error SqliteDatabase::Closed() {
  return {.code = Code::kUnavailable,
          .retryable = true,
          .message = "the database is closed: the gateway stops"};
}

void SqliteDatabase::Submit(Work work, Done done, Company company) {
  std::unique_lock lock(mutex_);
  if (!stop_ && waiting_.size() < options_.most_waiting) {
    waiting_.push_back({.work = std::move(work), .done = std::move(done), .company = company});
    if (company == Company::kAlone) ++alone_;
    const bool first = waiting_.size() == 1;
    lock.unlock();  // or who is woken would wait for it
    if (first) wake_.notify_one();
    return;
  }
  Error refused = stop_ ? Closed()
                        : Error{.code = Code::kRateLimited,
                                .retryable = true,
                                .message = "the database has " + std::to_string(waiting_.size()) +
                                           " transactions waiting already; try again in a moment"};
  lock.unlock();
  done(Failure(std::move(refused)));
}

void SqliteDatabase::Close() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void SqliteDatabase::Run() {
  std::deque<Job> group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || !waiting_.empty() || !group.empty(); });
      if (group.empty()) Take(group, {});
      if (group.empty()) return;  // stopped, and nothing is left
    }
    group = RunGroup(std::move(group));
  }
}

// Those that wait and may be of the group that `ran`; of many, the next.
void SqliteDatabase::Take(std::deque<Job>& group, const std::deque<Job>& ran) {
  const std::size_t room = options_.most_in_group - std::min(ran.size(), options_.most_in_group);
  const auto mixes = [](const Job& job) { return job.company == Company::kAny; };
  if (waiting_.empty() || room == 0) return;
  if (!ran.empty() && !(mixes(ran.back()) && mixes(waiting_.front()))) return;
  if (alone_ == 0 && waiting_.size() <= room) {
    group.swap(waiting_);  // at once, for whoever submits waits for the lock
    return;
  }
  if (!mixes(waiting_.front())) --alone_;
  group.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
}

bool SqliteDatabase::OthersJoin(std::deque<Job>& group, const std::deque<Job>& ran) {
  const std::lock_guard lock(mutex_);
  Take(group, ran);
  return !group.empty();
}

std::deque<SqliteDatabase::Job> SqliteDatabase::RunGroup(std::deque<Job> group) {
  std::deque<Job> ran;
  // Left by a group whose end failed: its callers were told that nothing is kept.
  if (database_.InTransaction()) static_cast<void>(Control("ROLLBACK"));
  Result<void> whole = {};
  if (!options_.path.empty() && database_.Moved()) {
    whole = Failure(database_.Gone());
  } else {
    whole = Control("BEGIN IMMEDIATE");
  }
  const bool begun = whole.has_value();
  bool undone = false;  // something of it
  while (!group.empty() || (whole && OthersJoin(group, ran))) {
    Job& job = ran.emplace_back(std::move(group.front()));
    group.pop_front();
    if (!whole) continue;
    bool changed = false;
    job.kept = RunOne(job, changed);
    undone = undone || (!job.kept && changed);
    if (database_.InTransaction()) {
      if (!undone || savepoints_) continue;
      static_cast<void>(Control("ROLLBACK"));
      savepoints_ = true;
      std::ranges::move(group, std::back_inserter(ran));
      return ran;  // nobody had a turn
    }
    // Those before it are undone with it; those behind it begin anew.
    if (!job.kept) job.kept = Failure(Undone(std::move(job.kept.error())));
    whole = job.kept ? Failure(Code::kUnavailable, Origin::kGateway, "the transaction was given up")
                     : job.kept;
    break;
  }
  if (begun && database_.InTransaction()) {
    whole = Control("COMMIT");
    if (!whole) whole = Failure(OutOf(std::move(whole.error()), "commit"));
    if (database_.InTransaction()) static_cast<void>(Control("ROLLBACK"));
    if (whole && options_.on_commit) options_.on_commit(ran.size());
  } else if (!whole) {
    whole.error().retryable = true;
  }
  savepoints_ = savepoints_ && undone;  // where one fails others often do
  {
    const Together together;
    for (Job& job : ran) {
      job.work = nullptr;  // what it holds goes before its caller goes on
      if (job.kept && !whole) job.kept = whole;
      job.done(std::move(job.kept));
    }
  }
  if (begun) TendLog(whole.has_value());  // nobody waits for that
  return group;
}

void SqliteDatabase::TendLog(bool committed) {
  if (checkpoints_ == nullptr) return;
  failed_ = committed ? 0 : failed_ + 1;
  // A disk that is full may have room for what is in the log where it is to go, and then the log
  // begins anew in the room that it has. Ever more seldom, for where that fails, too, all that was
  // copied is copied again.
  const bool now =
      committed ? checkpoints_->Note(database_.pages_in_log()) : std::has_single_bit(failed_);
  if (!now) return;
  // What is not copied now is in the log, and the next pass tries again.
  if (Result<void> done = database_.Checkpoint(); !done) {
    spdlog::warn("{}: {}", done.error().message, done.error().detail);
  }
}

Result<void> SqliteDatabase::RunOne(Job& job, bool& changed) {
  if (savepoints_) {
    if (Result<void> begun = Control("SAVEPOINT work"); !begun) return begun;
  }
  Running running(*this);
  Result<void> done = {};
  try {
    done = job.work(running);
  } catch (const std::exception& bug) {
    done = Failure(Code::kInternal, Origin::kGateway, "a transaction failed", bug.what());
  }
  changed = running.changed();
  if (!database_.InTransaction()) return done;
  if (!done) done = Failure(Undone(std::move(done.error())));
  if (!savepoints_) return done;
  if (!done) {
    if (Result<void> undone = Control("ROLLBACK TO work"); !undone) return undone;
  }
  if (Result<void> released = Control("RELEASE work"); !released) return released;
  return done;
}

Result<void> SqliteDatabase::Control(std::string_view sql) {
  Result<Statement*> statement = Prepared(sql);
  if (!statement) return Failure(std::move(statement.error()));
  return (*statement)->Run();
}

Result<Statement*> SqliteDatabase::Prepared(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) {
    assert(known->second.sql() == sql);
    return &known->second;
  }
  Result<Statement> made = database_.Prepare(sql);
  if (!made) return Failure(std::move(made.error()));
  return &statements_.emplace(sql, std::move(*made)).first->second;
}

}  // namespace switchyard::store
