#include "store/approval_file.h"

#include <utility>

#include "store/sqlite_file.h"

namespace switchyard::store {
namespace {

using sqlite::Statement;

constexpr sqlite::FileKind kKind{.application = 0x53776170,  // "Swap"
                                 .newest = ApprovalFile::kVersion};

const std::string kApprovalTables = R"(
  CREATE TABLE approval (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL      -- JSON, see approvals/approval.h
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = )" + std::to_string(kKind.application) +
                                    "; PRAGMA user_version = " +
                                    std::to_string(ApprovalFile::kVersion);

Result<void> MakeTables(sqlite::Database& database) {
  Result<sqlite::Transaction> transaction = sqlite::Transaction::Begin(database);
  if (!transaction) return Failure(std::move(transaction.error()));
  if (Result<void> made = database.Execute(kApprovalTables); !made) return made;
  return transaction->Commit();
}

}  // namespace

Result<std::unique_ptr<ApprovalFile>> ApprovalFile::Open(const std::string& path) {
  sqlite::MakeForThisUser(path);
  Result<sqlite::Database> database =
      sqlite::Database::Open(path, {.patience = sqlite::kSmallFilePatience});
  if (!database) return Failure(std::move(database.error()));
  const Result<std::int64_t> version = sqlite::Examine(*database, kKind);
  if (!version) return Failure(version.error());
  for (const char* setting : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
                              "PRAGMA journal_size_limit = 4194304"}) {
    if (Result<void> set = database->Execute(setting); !set) return Failure(std::move(set.error()));
  }
  if (*version == 0) {
    if (Result<void> made = MakeTables(*database); !made) return Failure(std::move(made.error()));
  }
  std::unique_ptr<ApprovalFile> file(new ApprovalFile(std::move(*database)));
  if (Result<void> prepared = file->Prepare(); !prepared) {
    return Failure(std::move(prepared.error()));
  }
  return file;
}

Result<void> ApprovalFile::Inspect(const std::string& path) {
  Result<sqlite::Database> database =
      sqlite::Database::Open(path, {.read_only = true, .patience = sqlite::kSmallFilePatience});
  if (!database) return Failure(std::move(database.error()));
  const Result<std::int64_t> version = sqlite::Examine(*database, kKind);
  if (!version) return Failure(version.error());
  return {};
}

Result<void> ApprovalFile::Prepare() {
  Result<Statement> put = database_.Prepare(
      "REPLACE INTO approval (id, body) VALUES (CAST(? AS TEXT), CAST(? AS TEXT))");
  if (!put) return Failure(std::move(put.error()));
  put_.emplace(std::move(*put));
  Result<Statement> erase = database_.Prepare("DELETE FROM approval WHERE id = CAST(? AS TEXT)");
  if (!erase) return Failure(std::move(erase.error()));
  erase_.emplace(std::move(*erase));
  return {};
}

Result<void> ApprovalFile::Load(const std::function<void(approvals::Approval)>& each) {
  Result<Statement> rows = database_.Prepare("SELECT id, body FROM approval");
  if (!rows) return Failure(std::move(rows.error()));
  for (;;) {
    const Result<bool> row = rows->Step();
    if (!row) return Failure(row.error());
    if (!*row) return {};
    Result<approvals::Approval> approval = approvals::FromText(rows->Bytes(1));
    if (!approval || approval->id != rows->Bytes(0)) {
      return Failure(database_.Unusable("holds a row that makes no sense"));
    }
    each(std::move(*approval));
  }
}

Result<void> ApprovalFile::Put(const approvals::Approval& approval) {
  if (database_.Moved()) return Failure(database_.Gone());
  return put_->Bind(1, approval.id).Bind(2, approvals::ToText(approval)).Run();
}

Result<void> ApprovalFile::Remove(std::string_view id) {
  if (database_.Moved()) return Failure(database_.Gone());
  return erase_->Bind(1, id).Run();
}

Result<void> ApprovalFile::Erase(std::string_view id) { return Remove(id); }

// The others may be lost with the power: who was waited for is asked again. This one must not.
Result<void> ApprovalFile::Use(std::string_view id) {
  if (Result<void> set = database_.Execute("PRAGMA synchronous = FULL"); !set) return set;
  Result<void> removed = Remove(id);
  if (Result<void> set = database_.Execute("PRAGMA synchronous = NORMAL"); !set) return set;
  return removed;
}

}  // namespace switchyard::store
