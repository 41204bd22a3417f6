// Where a log that was written before goes on: its last record, and what a process that was killed
// left half written behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "audit/chain.h"
#include "audit/event.h"
#include "base/result.h"

namespace switchyard::audit {

struct Tail {
  std::optional<Head> head;  // of the last record; nullopt: there is none
  std::uint64_t first_seq = 0;
  WallTime first_time = {};
  std::uint64_t size = 0;  // in bytes, up to the end of the last record
  std::string torn;        // what follows it
};

// Reads the ends of an open file. kInvalid: its last whole line is no record that this hasher made.
// `path` is for the message.
Result<Tail> ReadTail(int fd, const std::string& path, const Hasher& hasher);

}  // namespace switchyard::audit
