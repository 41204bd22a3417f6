// A transaction that remembers what it is asked, for tests of the plans of all statements.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/database.h"

namespace switchyard::orchestration {

class Recorder final : public Database::Transaction {
 public:
  using Transaction::Query;
  Recorder(Database::Transaction& inner, std::set<std::string>& seen)
      : inner_(inner), seen_(seen) {}
  Result<Database::Rows> Query(std::string_view sql,
                               std::span<const Database::Parameter> parameters) override {
    seen_.emplace(sql);
    ++asked_;
    return inner_.Query(sql, parameters);
  }
  Result<std::int64_t> UsedBytes() override { return inner_.UsedBytes(); }
  Result<void> PassBound() override { return inner_.PassBound(); }
  int asked() const { return asked_; }  // how many times

 private:
  Database::Transaction& inner_;
  std::set<std::string>& seen_;
  int asked_ = 0;
};

}  // namespace switchyard::orchestration
