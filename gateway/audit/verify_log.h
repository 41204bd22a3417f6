// A log on disk under the Verifier: all of its files, in their order, also while a gateway writes
// it. Reads in bounded memory; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/files.h"
#include "audit/verify.h"
#include "base/fd.h"
#include "base/result.h"

namespace switchyard::audit {

struct Verified {
  struct Problem {
    std::string file;
    std::uint64_t line = 0;  // from 1; 0 = the whole log
    std::string reason = {};
  };
  std::optional<Problem> problem;  // the first one; nothing behind it was looked at
  std::size_t files = 0;
  bool torn = false;  // the last line is not finished: just being written, or cut by an end
  Verifier::Summary summary = {};
};

// `progress`: told from time to time how many bytes of how many are done; may be null.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

Verified VerifyLog(const LogFiles& log, Verifier::Options options, const Progress& progress);

// The files of a log, opened as they are at one moment: a rotation in between leaves out none.
struct OpenFile {
  std::string name;
  Fd fd;
  std::uint64_t size = 0;
};
// The error says which file cannot be read and why.
Result<std::vector<OpenFile>> OpenAll(const LogFiles& log);

}  // namespace switchyard::audit
