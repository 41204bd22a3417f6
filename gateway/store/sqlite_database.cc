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
#include "store/sqlite_opening.h"

namespace switchyard::store {
namespace {

using sqlite::Statement;

// A check that is to end and does not.
constexpr Duration kInterruptsAgain = std::chrono::milliseconds(10);

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

  Result<std::int64_t> UsedBytes() override {
    if (used_) return *used_;
    Result<std::int64_t> used = owner_.bound_.UsedBytes();
    if (used) used_ = *used;
    return used;
  }

  Result<void> PassBound() override { return owner_.bound_.Lift(); }

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
  std::optional<std::int64_t> used_ = {};  // when it was first asked
};

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(Options options,
                                                             const DatabaseSchema& schema) {
  Result<sqlite::Opened> opened = sqlite::OpenFile(options.path, schema);
  if (!opened) return Failure(std::move(opened.error()));
  std::unique_ptr<SqliteDatabase> database(
      new SqliteDatabase(std::move(opened->database), std::move(options)));
  if (database->options_.checks_beside && opened->opening.version > 0) {
    database->opening_ = opened->opening;
  } else if (Result<void> ready = database->Finish(opened->opening); !ready) {
    return Failure(std::move(ready.error()));
  }
  database->Begin();
  return database;
}

Result<void> SqliteDatabase::Inspect(const std::string& path, const DatabaseSchema& schema) {
  Result<sqlite::Database> database =
      sqlite::Database::Open(path, {.read_only = true, .patience = sqlite::kPatience});
  if (!database) return Failure(std::move(database.error()));
  const Result<std::int64_t> version = sqlite::Examine(*database, sqlite::KindOf(schema));
  if (!version) return Failure(version.error());
  return {};
}

SqliteDatabase::SqliteDatabase(sqlite::Database database, Options options)
    : options_(std::move(options)),
      database_(std::move(database)),
      bound_(database_, options_.most_bytes),
      health_(options_.on_failing) {}

void SqliteDatabase::Begin() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "database");
    if (GetReady()) Run();
  });
}

Result<void> SqliteDatabase::Finish(const sqlite::Opening& opening) {
  if (Result<void> ready = sqlite::FinishOpening(database_, opening); !ready) return ready;
  if (opening.path.empty()) return {};
  Result<std::unique_ptr<SqliteCheckpoints>> opened =
      SqliteCheckpoints::Open(opening.path, options_.most_in_log);
  if (!opened) return Failure(std::move(opened.error()));
  checkpoints_ = std::move(*opened);
  database_.KeepLog();
  return {};
}

// False: it is not to be used, and whatever was submitted, or is, is refused.
bool SqliteDatabase::GetReady() {
  Result<void> ready = {};
  if (opening_) ready = Finish(*opening_);
  std::deque<Job> refused;
  Error why;
  if (!ready && !Stopping()) {
    spdlog::error("{}: {}: {}", opening_->schema.name, ready.error().message, ready.error().detail);
    health_.Fail();
  }
  {
    const std::lock_guard lock(mutex_);
    opening_.reset();
    wake_.notify_one();  // who closes it
    if (ready) return true;
    why = stop_ ? Closed() : Undone(std::move(ready.error()));
    unusable_ = why;
    refused.swap(waiting_);
  }
  for (Job& job : refused) {
    job.work = nullptr;
    job.done(Failure(why));
  }
  return false;
}

bool SqliteDatabase::Stopping() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool SqliteDatabase::ready() const {
  const std::lock_guard lock(mutex_);
  return !opening_ && !unusable_;
}

SqliteDatabase::~SqliteDatabase() { Close(); }

Error SqliteDatabase::Closed() {
  return {.code = Code::kUnavailable,
          .retryable = true,
          .message = "the database is closed: the gateway stops"};
}

void SqliteDatabase::Submit(Work work, Done done, Company company) {
  std::unique_lock lock(mutex_);
  if (!stop_ && !unusable_ && waiting_.size() < options_.most_waiting) {
    waiting_.push_back({.work = std::move(work), .done = std::move(done), .company = company});
    if (company == Company::kAlone) ++alone_;
    const bool first = waiting_.size() == 1;
    lock.unlock();  // or who is woken would wait for it
    if (first) wake_.notify_one();
    return;
  }
  Error refused = stop_ ? Closed()
                  : unusable_
                      ? *unusable_
                      : Error{.code = Code::kRateLimited,
                              .retryable = true,
                              .message = "the database has " + std::to_string(waiting_.size()) +
                                         " transactions waiting already; try again in a moment"};
  lock.unlock();
  done(Failure(std::move(refused)));
}

void SqliteDatabase::Close() {
  {
    std::unique_lock lock(mutex_);
    stop_ = true;
    // Nobody waits for a check any more; what begins after this one would not hear of it.
    while (opening_) {
      database_.Interrupt();
      wake_.wait_for(lock, kInterruptsAgain);
    }
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
    whole = bound_.Hold();
    if (whole) whole = Control("BEGIN IMMEDIATE");
  }
  const bool begun = whole.has_value();
  const std::uint64_t before = database_.commits_in_log();
  bool undone = false;     // something of it
  bool too_large = false;  // it has no room within the bound, which tells nothing of the disk
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
    too_large = !job.kept && job.kept.error().code == Code::kTooLarge;
    whole = job.kept || too_large
                ? Failure(Code::kUnavailable, Origin::kGateway, "the transaction was given up")
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
  const bool wrote = options_.path.empty() || database_.commits_in_log() != before;
  if (!too_large) health_.Note(options_.path, whole, wrote);
  savepoints_ = savepoints_ && undone;  // where one fails others often do
  {
    const Together together;
    for (Job& job : ran) {
      job.work = nullptr;  // what it holds goes before its caller goes on
      if (job.kept && !whole) job.kept = whole;
      job.done(std::move(job.kept));
    }
  }
  if (begun && !too_large) TendLog(whole.has_value());  // nobody waits for that
  return group;
}

// Alone, for it must not take others with it where it fails.
void SqliteDatabase::TryAgain() {
  if (!health_.failing() || trying_.exchange(true)) return;
  Submit(
      [this](Transaction&) -> Result<void> {
        const Result<std::int64_t> version = database_.Number("PRAGMA user_version");
        if (!version) return Failure(version.error());
        return database_.Execute("PRAGMA user_version = " + std::to_string(*version));
      },
      [this](const Result<void>&) { trying_ = false; }, Company::kAlone);
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
  if (Result<void> held = bound_.Hold(); done && !held) done = std::move(held);
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
