// Whether a SQLite database can be written, as its commits tell. On the thread that has it, but for
// failing(), which is for any.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "base/result.h"

namespace switchyard::store {

class SqliteHealth {
 public:
  // Told of each change; may be empty.
  explicit SqliteHealth(std::function<void(bool failing)> told) : told_(std::move(told)) {}

  // After a commit, or what was to be one. One that only read tells nothing of the disk, and
  // neither does an Error that is not kUnavailable. Says in the log what is the matter, and when
  // it is over.
  void Note(const std::string& path, const Result<void>& commit, bool wrote);
  // It is of no use at all.
  void Fail() { Set(true); }

  bool failing() const { return failing_; }

 private:
  void Set(bool failing);

  const std::function<void(bool failing)> told_;
  std::atomic<bool> failing_ = false;
};

}  // namespace switchyard::store
