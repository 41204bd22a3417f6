// The file of approvals (approvals/desk.h) in `state.dir`: a SQLite database, one row an approval,
// each change a transaction of its own. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "approvals/journal.h"
#include "store/sqlite.h"

namespace switchyard::store {

class ApprovalFile final : public approvals::Journal {
 public:
  static constexpr int kVersion = 1;  // of its tables

  // Makes it, for this user alone, if it is not there.
  static Result<std::unique_ptr<ApprovalFile>> Open(const std::string& path);
  // Whether it could be opened; changes nothing.
  static Result<void> Inspect(const std::string& path);

  Result<void> Load(const std::function<void(approvals::Approval)>& each) override;
  Result<void> Put(const approvals::Approval& approval) override;
  Result<void> Erase(std::string_view id) override;
  Result<void> Use(std::string_view id) override;

 private:
  explicit ApprovalFile(sqlite::Database database) : database_(std::move(database)) {}
  Result<void> Prepare();
  Result<void> Remove(std::string_view id);

  sqlite::Database database_;
  std::optional<sqlite::Statement> put_, erase_;  // end before the database
};

}  // namespace switchyard::store
