// The directory of what outlives the process (`state.dir`), held by one gateway at a time: a lock
// on the file `lock` in it, which ends with the process however that ends. Thread-safe: const.
#pragma once

#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace switchyard::store {

class StateDirectory {
 public:
  static constexpr const char* kLedger = "ledger.db";        // see ledger.h
  static constexpr const char* kApprovals = "approvals.db";  // see approval_file.h

  // Makes it, for this user alone, if it is not there.
  static Result<StateDirectory> Take(const std::string& given);

  // Without a change to anything: whether it could be taken if nobody held it.
  static Result<void> Inspect(const std::string& path);

  // Where `name` in it is.
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }

 private:
  StateDirectory(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Fd lock_;
};

}  // namespace switchyard::store
