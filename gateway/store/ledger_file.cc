#include "store/ledger_file.h"

#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "store/sqlite_file.h"

namespace switchyard::store {
namespace {

using sqlite::Statement;

constexpr std::int64_t kApplication = 0x53776c67;  // "Swlg", PRAGMA application_id

// Fits what Window::State can hold; whatever else stands in a row makes it not one of ours.
constexpr std::int64_t kMostNanoseconds = std::int64_t{1} << 62;

const std::string kLedgerTables = R"(
  CREATE TABLE counter (
    key    BLOB PRIMARY KEY,   -- as in the store
    span   INTEGER NOT NULL,   -- 0 sliding, 1 fixed
    window INTEGER NOT NULL,   -- its length; this and all that follows in nanoseconds
    begin  INTEGER NOT NULL,   -- of the newest slice, or of the fixed window; since 1970
    until  INTEGER NOT NULL,   -- then it counts nothing any more
    slices TEXT    NOT NULL    -- amounts, the oldest slice first; leading zeros are left out
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counter_until ON counter (until);
  PRAGMA application_id = )" + std::to_string(kApplication) +
                                  "; PRAGMA user_version = " + std::to_string(LedgerFile::kVersion);

std::int64_t Count(TimePoint at) { return at.time_since_epoch().count(); }

std::string TextOf(const Window::State& state) {
  std::string out;
  for (const std::int64_t slice : state.slices) {
    if (out.empty() && slice == 0) continue;
    out.append(out.empty() ? "" : " ").append(std::to_string(slice));
  }
  return out;
}

bool ReadSlices(std::string_view text, Window::State& state) {
  std::vector<std::int64_t> amounts;
  while (!text.empty()) {
    if (!amounts.empty() && !std::exchange(text, text.substr(1)).starts_with(' ')) return false;
    std::int64_t amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc{} || amounts.size() == state.slices.size()) return false;
    amounts.push_back(amount);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  std::ranges::copy_backward(amounts, state.slices.end());
  return true;
}

// Of a row `key, span, window, begin, slices`.
std::optional<Window::State> StateOf(const Statement& row) {
  Window::State state;
  const std::int64_t span = row.Integer(1), window = row.Integer(2), begin = row.Integer(3);
  if (span != 0 && span != 1) return std::nullopt;
  if (window < Window::kSlices || window > Store::kLongest.count()) return std::nullopt;
  if (begin < 0 || begin > kMostNanoseconds) return std::nullopt;
  state.span = span == 1 ? Store::Span::kFixed : Store::Span::kSliding;
  state.window = Duration(window);
  state.begin = TimePoint(Duration(begin));
  if (!ReadSlices(row.Bytes(4), state)) return std::nullopt;
  return state;
}

}  // namespace

LedgerFile::LedgerFile(sqlite::Database database) : database_(std::move(database)) {}

Result<LedgerFile> LedgerFile::Open(const std::string& path) {
  sqlite::MakeForThisUser(path);
  Result<sqlite::Database> database =
      sqlite::Database::Open(path, {.patience = sqlite::kSmallFilePatience});
  if (!database) return Failure(std::move(database.error()));
  const Result<std::int64_t> version =
      sqlite::Examine(*database, {.application = kApplication, .newest = kVersion});
  if (!version) return Failure(version.error());
  // In WAL mode one write to the disk a transaction, and readers never hold it up. NORMAL: the
  // disk is waited for only when the log is copied into the file, never for a transaction.
  for (const char* setting : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
                              "PRAGMA journal_size_limit = 4194304"}) {
    if (Result<void> set = database->Execute(setting); !set) return Failure(std::move(set.error()));
  }
  if (*version == 0) {
    Result<sqlite::Transaction> transaction = sqlite::Transaction::Begin(*database);
    if (!transaction) return Failure(std::move(transaction.error()));
    if (Result<void> made = database->Execute(kLedgerTables); !made) {
      return Failure(std::move(made.error()));
    }
    if (Result<void> done = transaction->Commit(); !done) return Failure(std::move(done.error()));
  }
  LedgerFile file(std::move(*database));
  if (Result<void> prepared = file.Prepare(); !prepared) {
    return Failure(std::move(prepared.error()));
  }
  return file;
}

Result<void> LedgerFile::Inspect(const std::string& path) {
  Result<sqlite::Database> database =
      sqlite::Database::Open(path, {.read_only = true, .patience = sqlite::kSmallFilePatience});
  if (!database) return Failure(std::move(database.error()));
  const Result<std::int64_t> version =
      sqlite::Examine(*database, {.application = kApplication, .newest = kVersion});
  if (!version) return Failure(version.error());
  return {};
}

Result<void> LedgerFile::Prepare() {
  const std::pair<std::optional<Statement>*, std::string_view> statements[] = {
      {&put_,
       "REPLACE INTO counter (key, span, window, begin, until, slices)"
       " VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT))"},
      {&erase_, "DELETE FROM counter WHERE key = ?"},
      {&expired_, "SELECT key FROM counter WHERE until <= ? ORDER BY until LIMIT ?"},
  };
  for (const auto& [statement, sql] : statements) {
    Result<Statement> prepared = database_.Prepare(sql);
    if (!prepared) return Failure(std::move(prepared.error()));
    statement->emplace(std::move(*prepared));
  }
  return {};
}

Result<void> LedgerFile::Load(WallTime now, const std::function<void(Row)>& each) {
  Result<Statement> rows =
      database_.Prepare("SELECT key, span, window, begin, slices FROM counter WHERE until > ?");
  if (!rows) return Failure(std::move(rows.error()));
  rows->Bind(1, Count(now));
  for (;;) {
    const Result<bool> row = rows->Step();
    if (!row) return Failure(row.error());
    if (!*row) return {};
    Row read{.key = std::string(rows->Bytes(0)), .state = StateOf(*rows)};
    if (!read.state) return Failure(database_.Unusable("holds a row that makes no sense"));
    each(std::move(read));
  }
}

Result<std::vector<std::string>> LedgerFile::Expired(WallTime now, std::int64_t limit) {
  std::vector<std::string> keys;
  expired_->Bind(1, Count(now)).Bind(2, limit);
  for (;;) {
    const Result<bool> row = expired_->Step();
    if (!row) return Failure(row.error());
    if (!*row) return keys;
    keys.emplace_back(expired_->Bytes(0));
  }
}

Result<void> LedgerFile::Save(std::span<const Row> rows) {
  if (database_.Moved()) return Failure(database_.Gone());
  Result<sqlite::Transaction> transaction = sqlite::Transaction::Begin(database_);
  if (!transaction) return Failure(std::move(transaction.error()));
  for (const Row& row : rows) {
    if (row.state) {
      const Window::State& state = *row.state;
      put_->Bind(1, row.key)
          .Bind(2, state.span == Store::Span::kFixed ? 1 : 0)
          .Bind(3, state.window.count())
          .Bind(4, Count(state.begin))
          .Bind(5, Count(state.End()))
          .Bind(6, TextOf(state));
    } else {
      erase_->Bind(1, row.key);
    }
    if (Result<void> done = (row.state ? *put_ : *erase_).Run(); !done) return done;
  }
  return transaction->Commit();
}

}  // namespace switchyard::store
