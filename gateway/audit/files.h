// Which files a log is made of: the one that is written, at the configured path, and those before
// it, each named by the number of its first record:
//
//   audit.jsonl.0000000000000001  audit.jsonl.0000000000040213  audit.jsonl
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace switchyard::audit {

std::string RotatedName(const std::string& path, std::uint64_t first_seq);
// 0: it is not named like that.
std::uint64_t FirstSeqOf(const std::string& path, const std::string& name);

// The files before the one that is written, oldest first.
std::vector<std::string> RotatedFilesOf(const std::string& path);

struct LogFiles {
  std::string path;
  std::vector<std::string> files;  // oldest first; the one that is written, if it is there, last
  bool whole = true;               // false: one file, for which others may stand before it
};

// Of a file as somebody names it: a log with all of its files, or one file of those before.
// Of a directory: all logs in it, by name.
Result<std::vector<LogFiles>> FindLogs(const std::string& file_or_directory);

}  // namespace switchyard::audit
