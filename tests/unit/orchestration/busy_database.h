// A database that has too much to do when a test says so.
#pragma once

#include <limits>
#include <utility>

#include "core/database.h"

namespace switchyard::orchestration {

class BusyDatabase final : public Database {
 public:
  // `inner` outlives it.
  explicit BusyDatabase(Database& inner) : inner_(inner) {}
  // Takes so many, then refuses so many.
  void Refuse(int after, int times = std::numeric_limits<int>::max()) {
    after_ = after;
    times_ = times;
  }
  using Database::Submit;
  void Submit(Work work, Done done, Company company) override {
    if (after_-- > 0 || times_ == 0) {
      return inner_.Submit(std::move(work), std::move(done), company);
    }
    ++after_;
    --times_;
    done(Failure(Error{.code = Code::kRateLimited, .retryable = true, .message = "too many wait"}));
  }

 private:
  Database& inner_;
  int after_ = 0, times_ = 0;
};

}  // namespace switchyard::orchestration
